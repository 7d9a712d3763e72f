"""What happens between two calls: nothing of the first one reaches the second."""


def wait_for_threads():
    """A program ends when its threads have; `threading` does here what it does at an interpreter's end."""
    if _thread._count():
        threading = sys.modules.get("threading")
        if threading is not None and any(
            not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()
        ):
            state.recycle = True
            threading._shutdown()


def run_exit_handlers():
    while state.exit_handlers:
        function, positional, named = state.exit_handlers.pop()
        function(*positional, **named)


register_for_good, unregister_for_good = atexit.register, atexit.unregister


def register(function, *positional, **named):
    """`atexit.register`: what a script itself registers runs at the end of its call, a library's never does."""
    if sys._getframe(1).f_globals is not state.namespace:
        return register_for_good(function, *positional, **named)
    state.exit_handlers.append((function, positional, named))
    return function


def unregister(function):
    state.exit_handlers[:] = [entry for entry in state.exit_handlers if entry[0] != function]
    unregister_for_good(function)


def collect():
    """Frees the cycles that a call has left. Only its own objects are looked at: a few microseconds."""
    if state.settled and gc.get_count()[1:] == (0, state.collections):
        gc.collect(1)
        state.collections += 1
        return
    # The first call has imported what it needs, or this one was large enough for a collection of its own.
    gc.collect()
    if not state.settled:
        # What is here now is here to stay: later collections need not look at it.
        gc.freeze()
        state.settled = script.code is not None
    state.collections = gc.get_count()[2]


def remove_all(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                remove_all(entry.path)
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)


def reset_logging():
    """Handlers and levels that a program set; without this, its next call would log everything twice."""
    logging = sys.modules.get("logging")
    if logging is None:
        return
    loggers = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    for logger in [logging.root, *loggers]:
        if logger.handlers:
            logger.handlers[:] = [handler for handler in logger.handlers if isinstance(handler, logging.NullHandler)]
        if logger.filters:
            logger.filters.clear()
        level = logging.WARNING if logger is logging.root else logging.NOTSET
        if logger.level != level:
            # It makes what all loggers have found out stale.
            logger.setLevel(level)
        logger.propagate, logger.disabled = True, False
    if logging.root.manager.disable != logging.NOTSET:
        logging.disable(logging.NOTSET)


SIGNALS = tuple(range(1, 32))


def notice_signals():
    """Marks each use of a timer or a handler of the process, so that they need not be looked for after every call."""
    for name in ("setitimer", "alarm", "signal"):
        function = getattr(_signal, name)

        def noticed(*values, function=function):
            state.has_signals = True
            return function(*values)

        noticed.__name__ = noticed.__qualname__ = name
        for module in (_signal, sys.modules.get("signal")):
            # What stands there may be another function, which calls this one.
            if module is not None and getattr(module, name) is function:
                setattr(module, name, noticed)


set_timer = _signal.setitimer
flags_of = fcntl.fcntl


def stop_timers():
    for timer in (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF):
        set_timer(timer, 0)


class Baseline:
    """How the process is between calls. `restore` puts back what is cheap to put back."""

    def __init__(self):
        self.folder = os.getcwd()
        self.place = os.stat(".")[1:3]
        # What was imported ahead may have written there, and what is empty must be so for every call.
        remove_all(self.folder)
        self.empty_size = self.size_when_empty()
        self.environ = dict(os.environ._data)
        self.builtins = dict(vars(builtins))
        self.signals = self.signal_handlers()
        self.free_descriptor = self.lowest_free_descriptor()
        self.standard = self.standard_descriptors()
        self.path = list(sys.path)
        self.argv = list(sys.argv)
        self.filters = list(warnings.filters)
        self.recursion_limit = sys.getrecursionlimit()
        self.interpreter = self.interpreter_settings()

    @staticmethod
    def size_when_empty():
        """The size of the folder, if it tells whether there is something in the folder, as it does in memory."""
        os.mkdir("any")
        size = os.stat(".")[6]
        os.rmdir("any")
        empty = os.stat(".")[6]
        return empty if empty < size else None

    def empty_folder(self):
        here = os.stat(".")
        if here[1:3] != self.place:
            os.chdir(self.folder)
            here = os.stat(".")
        if here[6] != self.empty_size:
            script.is_written = False
            remove_all(self.folder)

    @staticmethod
    def signal_handlers():
        return list(map(_signal.getsignal, SIGNALS))

    @staticmethod
    def standard_descriptors():
        """What they were opened for, by which the server has made sure that they can be told from others (`output.rs`).
        Who they are takes three times as long to ask."""
        return [flags_of(descriptor, fcntl.F_GETFL) for descriptor in (0, 1, 2)]

    @staticmethod
    def lowest_free_descriptor():
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    @staticmethod
    def interpreter_settings():
        return (sys.gettrace(), sys.getprofile(), gc.isenabled(), gc.get_threshold(), sys.getswitchinterval(),
                sys.excepthook, sys.displayhook, sys.unraisablehook)

    def restore(self):
        """True when the next call finds what the first one found; False when the process must be replaced."""
        if state.has_signals:
            stop_timers()
            if self.signal_handlers() != self.signals:
                return False
            state.has_signals = False
        leftovers = script.leftovers
        if leftovers is not None and leftovers.is_armed and not leftovers.restore(script.function_style):
            return False
        if _thread._count() or self.interpreter_settings() != self.interpreter:
            return False
        if script.reaches_files and not self.restore_files():
            return False
        sys.setrecursionlimit(self.recursion_limit)
        if script.function_style:
            # Its top level may change the process for good.
            return True
        if (leftovers is None or leftovers.touches_builtins) and vars(builtins) != self.builtins:
            return False
        if os.environ._data != self.environ:
            self.restore_environment()
        if sys.path != self.path:
            sys.path[:] = self.path
        sys.argv[:] = self.argv
        if warnings.filters != self.filters:
            set_filters(warnings, self.filters)
        reset_logging()
        return True

    def restore_environment(self):
        had_zone = os.environ._data.get(b"TZ")
        os.environ.clear()
        for name, value in self.environ.items():
            os.environ[os.fsdecode(name)] = os.fsdecode(value)
        # What has been made of it.
        if had_zone != self.environ.get(b"TZ"):
            tzset()
        tempfile = sys.modules.get("tempfile")
        if tempfile is not None:
            tempfile.tempdir = None

    def restore_files(self):
        """The same of files and descriptors."""
        if self.standard_descriptors() != self.standard:
            return False
        self.empty_folder()
        os.umask(0o077)
        free_descriptor = self.lowest_free_descriptor()
        if free_descriptor == self.free_descriptor:
            return True
        # A function's module may keep files open from call to call.
        if not script.function_style:
            return False
        self.free_descriptor = free_descriptor
        state.keeps_more = True
        return free_descriptor < 128


def use_outputs():
    sys.stdout = sys.__stdout__ = stdout
    sys.stderr = sys.__stderr__ = stderr


def flush_outputs():
    for text in (sys.stdout, sys.stderr):
        if text is not stdout and text is not stderr:
            try:
                text.flush()
            except Exception:
                pass
    stdout.flush()
    stderr.flush()


def is_silent():
    """Whether the call has left nothing for the server to see to. How far the outputs are is what was written to them."""
    keeps_more, state.keeps_more = state.keeps_more, False
    if keeps_more or raw_stdout.is_used() or raw_stderr.is_used():
        return False
    return not script.reaches_files or os.lseek(1, 0, os.SEEK_CUR) == os.lseek(2, 0, os.SEEK_CUR) == 0


def clean_up():
    """Leaves nothing of a call for the next one; False when only a new process can."""
    if script.function_style:
        if not script.loaded:
            return False
    elif state.namespace is not None:
        # Functions and their globals are a cycle: what the call held goes now, not at some later collection, whose
        # finalizers would run in another call.
        state.namespace.clear()
        collect()
    state.response = None
    state.exit_handlers.clear()
    flush_outputs()
    use_outputs()
    # One that serves no other call has nothing to put back.
    return not is_fresh and baseline.restore()
