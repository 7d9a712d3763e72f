# Everything the interpreter is started with on its command line: read the worker's program (a frame: length, then bytes)
# from the channel and become it.
import os
for number in (14, 15):
    try:
        os.set_inheritable(number, False)
    except OSError:
        # What workers are copied from takes no calls.
        pass
def take(size):
    data = b""
    while len(data) < size:
        part = os.read(15, size - len(data))
        if not part:
            os._exit(1)
        data += part
    return data
source = take(int.from_bytes(take(4), "little")).decode()
exec(compile(source, "<syncano worker>", "exec"), {"__name__": "syncano_worker", "CHANNEL": 15, "CALLS": 14})
