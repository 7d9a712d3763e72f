"""Tries what a script must not be able to do. Each function returns if it could, and raises OSError if it couldn't."""
import os
import socket


def read_files(of):
    open(of["secret"]).read()


def read_passwords(of):
    open("/etc/shadow").read()


def list_folders(of):
    os.listdir("/")


def other_folder(of):
    os.listdir(of["folder"])
    open(of["folder"] + "/mine", "w")


def write_files(of):
    for folder in "/usr", "/etc", "/var/tmp", "/dev/shm", "/":
        if os.path.realpath(folder) == os.getcwd():
            # Shared memory that lies in its own.
            continue
        path = folder + "/syncano-probe-%d" % of["server"]
        try:
            open(path, "x").close()
        except OSError as error:
            refusal = error
        else:
            os.unlink(path)
            return
    raise refusal


def read_processes(of):
    for file in "environ", "cmdline", "mem", "maps":
        try:
            open("/proc/%d/%s" % (of["server"], file), "rb").close()
            return
        except OSError as error:
            refusal = error
    raise refusal


def list_processes(of):
    os.listdir("/proc")


def signal_processes(of):
    os.kill(of["server"], 0)


def trace_processes(of):
    # PTRACE_SEIZE, which doesn't stop the other one.
    system_call("ptrace", 0x4206, of["server"], 0, 0)


def connect(of):
    socket.create_connection(("127.0.0.1", of["port"]), 2)


def send_datagrams(of):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def listen(of):
    socket.socket().bind(("127.0.0.1", 0))


def connect_locally(of):
    socket.socket(socket.AF_UNIX).connect("\0" + of["abstract"])


def mount(of):
    system_call("mount", b"none", b".", b"tmpfs", 0, None)


def make_namespaces(of):
    # A user namespace, which anybody may make.
    system_call("unshare", 0x10000000)


def start_processes(of):
    if os.fork() == 0:
        os._exit(0)


def execute(of):
    os.execv("/bin/sh", ["sh", "-c", ":"])


def see_files(of):
    os.stat(of["secret"])


def see_processes(of):
    os.stat("/proc/%d" % of["server"])


def see_the_machine(of):
    if os.uname().nodename != of["machine"]:
        raise OSError("the name is another one")


def fill_folder(of):
    with open("large", "wb") as file:
        for _ in range(of["bytes"] // 65536 + 1):
            file.write(bytes(65536))


def many_files(of):
    for number in range(of["entries"] + 1):
        open(str(number), "x").close()


def system_call(name, *arguments):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(probe, of):
    try:
        globals()[probe](of)
    except ImportError as error:
        return "untried", str(error)
    except OSError as error:
        return "refused", error.strerror or str(error)
    return "possible", ""
