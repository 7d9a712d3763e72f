"""A process that has loaded the interpreter, a worker's program and what scripts usually import, and makes workers.

It never sees a script: the server asks for a worker, over CHANNEL, and speaks with that itself. A request is a plan, a list
of system calls as `sandbox/plan.rs` writes it, and the descriptors that it names. Its first one is where the new process
reports; the answer is the number of the process and its descriptor, or the error number, negative.

    server -> zygote   once     definitions, start; both as <length> text; a plan for itself, <length> plan
                       request  <length> plan, with descriptors
    zygote -> server   once     one byte: ready
                       answer   <number>, with a descriptor
"""

import ctypes
import gc
import os
import random
import threading
from _socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket
from _struct import Struct, unpack_from

# Where a new process reports; next to the channel.
REPORT = CHANNEL + 1
MAX_DESCRIPTORS = 8
ESRCH = 3
ANY_ERROR = 0x7FFFFFFF

COUNTS = Struct("<5I")
STEP = Struct("<IiiI")
ANSWER = Struct("<q")

# Of the C library, without giving up the interpreter's lock: the copy must have it, too.
system_call = ctypes.PyDLL(None, use_errno=True).syscall
system_call.restype = ctypes.c_long
system_call.argtypes = [ctypes.c_long] * 7


def take(size):
    data = b""
    while len(data) < size:
        part = os.read(CHANNEL, size - len(data))
        if not part:
            # The server is gone.
            os._exit(0)
        data += part
    return data


def text():
    return take(int.from_bytes(take(4), "little")).decode()


class Plan:
    """A plan, laid out in memory."""

    def __init__(self, data, descriptors):
        words, addresses, openings, steps, results = COUNTS.unpack_from(data)
        self.memory = ctypes.create_string_buffer(bytes(data[COUNTS.size : COUNTS.size + 8 * words]), 8 * words)
        self.words = memoryview(self.memory).cast("B").cast("Q")
        self.halves = memoryview(self.memory).cast("B").cast("I")
        at = COUNTS.size + 8 * words
        base = ctypes.addressof(self.memory)
        for word in unpack_from(f"<{addresses}I", data, at):
            self.words[word] += base
        at += 4 * addresses
        numbers = unpack_from(f"<{2 * openings}I", data, at)
        for word, index in zip(numbers[::2], numbers[1::2]):
            self.words[word] = descriptors[index]
        at += 8 * openings
        halves = iter(unpack_from(f"<{results}I", data, at + STEP.size * steps))
        self.steps = [
            (word, least, allowed, [next(halves) for _ in range(count)])
            for word, least, allowed, count in STEP.iter_unpack(data[at : at + STEP.size * steps])
        ]

    def carry_out(self):
        """As `sandbox/child.rs` does it."""
        words, halves = self.words, self.halves
        for index, (at, least, allowed, results) in enumerate(self.steps):
            result = system_call(*words[at : at + 7])
            if result < least:
                error = ctypes.get_errno() if result < 0 else ESRCH
                if result >= 0 or allowed not in (error, ANY_ERROR):
                    os.write(REPORT, error.to_bytes(4, "little") + index.to_bytes(4, "little"))
                    os._exit(127)
            for half in results:
                halves[half] = result


def thread_number_address():
    """Where the C library keeps the number of this thread, which is another one in a copy; 0 where nobody says."""
    address = ctypes.c_long(0)
    asked = system_call(SYS_PRCTL, PR_GET_TID_ADDRESS, ctypes.addressof(address), 0, 0, 0, 0)
    return address.value if asked == 0 else 0


def copy(plan, flags):
    """Makes a copy of this process that is a child of the server. Returns its number, 0 in the copy, and its descriptor."""
    descriptor = ctypes.c_int(-1)
    written, number = ctypes.addressof(descriptor), thread_number_address()
    if number:
        flags |= CLONE_CHILD_SETTID
    # Not every processor has the same order.
    order = (written, number, 0) if not IS_BACKWARDS else (written, 0, number)
    process = system_call(SYS_CLONE, flags, 0, *order, 0)
    if process == 0:
        # This process has one thread, which holds no locks, so what Python does after a fork is not needed, and it would make
        # a quarter of all memory that a copy touches its own. But no two copies may draw the same numbers.
        draw_anew()
        os.dup2(plan.report, REPORT, False)
        plan.carry_out()
        return 0, -1
    return (process if process > 0 else -ctypes.get_errno()), descriptor.value


def serve():
    """Makes a worker for each request. Returns in the workers."""
    while True:
        header, ancillary, _, _ = control.recvmsg(12, CMSG_SPACE(4 * MAX_DESCRIPTORS))
        if len(header) < 12:
            os._exit(0)
        descriptors = [
            number for _, _, data in ancillary for number in unpack_from(f"={len(data) // 4}i", data)
        ]
        size, flags = unpack_from("<IQ", header)
        plan = Plan(take(size), descriptors)
        plan.report = descriptors[0]
        process, descriptor = copy(plan, flags)
        if process == 0:
            return
        for number in descriptors:
            os.close(number)
        if process < 0:
            control.sendall(ANSWER.pack(process))
            continue
        control.sendmsg([ANSWER.pack(process)], [(SOL_SOCKET, SCM_RIGHTS, descriptor.to_bytes(4, "little"))])
        os.close(descriptor)


SYS_CLONE, SYS_PRCTL, IS_BACKWARDS = unpack_from("<III", take(12))
PR_GET_TID_ADDRESS = 40
CLONE_CHILD_SETTID = 0x01000000

# Where a script imports one of these it is there already, in memory that all workers share.
for module in (
    "argparse array ast asyncio base64 bisect calendar collections.abc concurrent.futures contextlib copy csv ctypes "
    "dataclasses datetime decimal email.message enum fractions functools gzip hashlib heapq hmac html http.client inspect "
    "io itertools json logging math numbers operator os pathlib pickle queue random re secrets shutil signal socket ssl "
    "statistics string struct subprocess tempfile textwrap threading time timeit traceback types typing unicodedata "
    "urllib.error urllib.parse urllib.request uuid warnings weakref xml.etree.ElementTree zlib zoneinfo"
).split():
    try:
        __import__(module)
    except ImportError:
        # Another version of Python, or built without it.
        pass

draw_anew = random._inst.seed
# What a copy is in its namespace.
threading.main_thread()._native_id = 1
worker = {"__name__": "syncano_worker", "CHANNEL": CHANNEL, "CALLS": CALLS}
exec(compile(text(), "<syncano worker>", "exec"), worker)
start = compile(text(), "<syncano worker>", "exec")
# What is done once for all copies.
Plan(take(int.from_bytes(take(4), "little")), []).carry_out()
control = socket(fileno=CHANNEL)
# What is here now stays: collections in the copies need not look at it, which would make it their own memory.
gc.collect()
gc.freeze()
control.sendall(b"!")
serve()
# A worker from here on. The channel is the worker's own by now, and none of this is to close it.
control.detach()
exec(start, worker)
