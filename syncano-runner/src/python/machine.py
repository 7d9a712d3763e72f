"""What scripts find of an ordinary machine, where a worker has less: errors that say what there isn't."""

NO_PROCESSES = "scripts can start no processes"


def says_so(function):
    """`function`, which starts processes: the same, and where that isn't permitted the error says so."""

    def starts(*values, **named):
        try:
            result = function(*values, **named)
        except PermissionError as error:
            raise PermissionError(error.errno, NO_PROCESSES) from None
        if result == -1:
            # Of `os.system`, whose error would be overlooked.
            raise PermissionError(errno.EPERM, NO_PROCESSES)
        return result

    starts.__name__ = starts.__qualname__ = function.__name__
    return starts


def explain_processes():
    import _posixsubprocess
    import posix

    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "execv", "execve"):
        if hasattr(posix, name):
            function = says_so(getattr(posix, name))
            setattr(posix, name, function)
            setattr(os, name, function)
    _posixsubprocess.fork_exec = says_so(_posixsubprocess.fork_exec)
    subprocess = sys.modules.get("subprocess")
    if hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = _posixsubprocess.fork_exec


def track_no_resources():
    """`multiprocessing` watches over what it shares by a process of its own. Here it goes with the worker's folder."""
    tracker = type(sys)("multiprocessing.resource_tracker")
    for name in ("ensure_running", "register", "unregister"):
        setattr(tracker, name, lambda *_: None)
    sys.modules.setdefault(tracker.__name__, tracker)


explain_processes()
track_no_resources()


