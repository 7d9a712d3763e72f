# Everything the interpreter is started with on its command line: move the channel away from descriptor 0, read
# a system call filter and the worker's program from it (a frame each: length, then bytes), put on the one and become
# the other.
import os
os.dup2(0, 250, inheritable=False)
null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
os.dup2(null, 0)
os.close(null)
def take(size):
    data = b""
    while len(data) < size:
        part = os.read(250, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
def take_frame():
    return take(int.from_bytes(take(4), "little"))
lock = take_frame()
if lock:
    # prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {length, pointer}): from here on this process runs no other program.
    import _ctypes, sys
    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
    content = id(lock) + bytes.__basicsize__ - 1
    program = (len(lock) // 8).to_bytes(8, sys.byteorder) + content.to_bytes(8, sys.byteorder)
    if _ctypes.call_function(prctl, (22, 2, program, 0, 0)) != 0:
        raise SystemExit("the filter against other programs can't be put on")
source = take_frame().decode()
exec(compile(source, "<worker>", "exec"), {"__name__": "syncano_worker", "CHANNEL": 250})
