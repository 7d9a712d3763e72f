"""What scripts find of an ordinary machine, where a worker has less: errors that say what there isn't."""

NO_PROCESSES = "scripts can start no processes"
# What `os.system` returns where it could start none, or found no such command.
NO_SHELL = 127 << 8


def says_so(function):
    """`function`, which starts processes: the same, and where that isn't permitted the error says so."""

    def starts(*values, **named):
        try:
            return function(*values, **named)
        except PermissionError as error:
            if error.errno != errno.EPERM:
                raise
            raise PermissionError(errno.EPERM, NO_PROCESSES) from None

    starts.__name__ = starts.__qualname__ = function.__name__
    return starts


def explain_processes():
    import _posixsubprocess
    import posix

    run_shell = posix.system

    def system(command):
        status = run_shell(command)
        if status == NO_SHELL:
            try:
                # Says in the same way why no shell could be started.
                posix.posix_spawn("/nothing", ["nothing"], {})
            except FileNotFoundError:
                pass
        return status

    posix.system = os.system = system
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve"):
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


def name_the_user():
    """`os.getlogin` asks a terminal, and there is none."""
    import posix

    def getlogin():
        import getpass

        return getpass.getuser()

    posix.getlogin = os.getlogin = getlogin


explain_processes()
name_the_user()
track_no_resources()


