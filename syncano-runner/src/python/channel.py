"""The channel to the server, standard output and error.

This is the first of the parts that make up a worker's program, joined in this order: channel.py, machine.py, style.py,
leftovers.py, script.py, check.py, values.py, answer.py, between_calls.py, worker.py, start.py. They share one namespace; all imports are here. In a zygote all but the
last one run before there is a worker.

The server sends frames over CHANNEL, a socket, and calls as messages of CALLS, another one, where more than one may wait;
standard output and error are files in memory whose other end the server reads, so nothing that a script prints can be taken
for an answer.

    server -> worker   setup    <length> name, config, source, each with its length or ABSENT, and numbers: see `protocol.rs`
                       call     <length> number, then five JSON texts, each with its length or ABSENT; over CHANNEL if it is
                                large, which a message of one byte says, and after a reply that says PAUSED
    worker -> server   reply    number, kind, flags, exit, lengths of head and body; head; body

All integers are little endian. A worker answers exactly once per call and echoes the call's number.
"""

import _signal
import _thread
import atexit
import builtins
import errno
import fcntl
import gc
import io
import itertools
import json
import linecache
import marshal
import os
import sys
import traceback
import warnings
from _struct import Struct
from time import monotonic_ns, tzset

LENGTH = Struct("<I")
SETUP = Struct("<4x3IQ3I")
CALL = Struct("<4xQ5I")
REPLY = Struct("<QBBHII")
ABSENT = 0xFFFFFFFF

READY, NOTHING, VALUE, RESPONSE, APP_ERROR = range(5)
RECYCLE = 1
# The call has left something for the server to see to before the next one: what it printed, or a descriptor.
PAUSED = 2
# It took less than QUICKLY, in nanoseconds: others may wait for such a one.
QUICK = 4
QUICKLY = 250_000

FAILED = 1
TIMED_OUT = 124


def read_more(size):
    """Without the channel, whoever has closed it, there is nothing to do, and nothing that succeeds."""
    part = os.read(CHANNEL, size)
    if not part:
        os._exit(FAILED)
    return part


def take_call():
    """The next call. Those after it stay where they are, so that the server can take them back."""
    if not state.paused:
        message = os.read(CALLS, 1 << 16)
        if len(message) > 1:
            return message
        if not message:
            os._exit(FAILED)
    return take_frame()


def take_frame():
    """The next frame with its length. The process ends when the server is gone.

    There is no other frame before this one has been answered, so one that isn't large takes one system call."""
    data = read_more(1 << 16)
    while len(data) < LENGTH.size:
        data += read_more(1 << 16)
    missing = LENGTH.size + LENGTH.unpack_from(data)[0] - len(data)
    if missing:
        parts = [data]
        while missing:
            parts.append(read_more(missing))
            missing -= len(parts[-1])
        data = b"".join(parts)
    return data


def reply(number, kind, exit=0, flags=0, head=b"", body=b""):
    data = REPLY.pack(number, kind, flags, exit, len(head), len(body)) + head + body
    sent = os.write(CHANNEL, data)
    while sent < len(data):
        sent += os.write(CHANNEL, memoryview(data)[sent:])


class Capped(io.RawIOBase):
    """A descriptor that takes the first `limit` bytes of a call and drops the rest."""

    mode = "wb"

    limit = left = 0

    def __init__(self, descriptor, name):
        self.descriptor = descriptor
        self.name = name

    def fileno(self):
        return self.descriptor

    def writable(self):
        return True

    def is_used(self):
        """Whether the call has written to it."""
        return self.left != self.limit

    def write(self, data):
        size = len(data)
        data = data[: self.left]
        self.left -= len(data)
        while data:
            try:
                data = data[os.write(self.descriptor, data) :]
            except OSError:
                # Full (the script wrote past us) or closed by the script: what is printed now has no reader.
                self.left = 0
                break
        return size


def open_text(descriptor, name, errors):
    """A text layer that passes every line on at once, so that a crash loses at most an unfinished one."""
    raw = Capped(descriptor, name)
    text = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors=errors, newline="\n", line_buffering=True
    )
    text.mode = "w"
    return text, raw


stdout, raw_stdout = open_text(1, "<stdout>", "strict")
stderr, raw_stderr = open_text(2, "<stderr>", "backslashreplace")


