"""Steps of a program, told to the test that started it: a line of JSON for each, and their number at the end."""

import contextlib
import json
import time
import traceback

_count = 0


@contextlib.contextmanager
def step(name: str):
    """A part of the program that passes or fails on its own; those after it go on in any case."""
    global _count
    error = None
    try:
        yield
    except (Exception, SystemExit):
        error = traceback.format_exc()
    _count += 1
    print(json.dumps({"step": name, "error": error}), flush=True)


def finish() -> None:
    """Stands at the end of every program: without it, the test knows that the program ended too early."""
    print(json.dumps({"steps": _count}), flush=True)


def equal(actual, expected) -> None:
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, found {actual!r}")


def contains(container, item) -> None:
    if item not in container:
        raise AssertionError(f"expected {item!r} in {container!r}")


def until(question, accept, seconds: float = 30):
    """Asks until the answer is accepted, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if accept(answer):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {seconds} s")
        time.sleep(0.05)


@contextlib.contextmanager
def raises(kind: type, status=None):
    """The block must raise such an exception; with `status`, one that carries this HTTP status."""
    try:
        yield
    except kind as error:
        if status is not None:
            equal(error.status_code, status)
    else:
        raise AssertionError(f"expected {kind.__name__}")
