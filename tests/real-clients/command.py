"""Runs the installed `syncano` command. Its home is the working folder, which is this program's alone."""

import pathlib
import subprocess
import sys

COMMAND = pathlib.Path(sys.executable).with_name("syncano")


def syncano(*arguments: str, answers: str = "") -> str:
    """What it printed; `answers` are the lines for its questions."""
    done = _run(arguments, answers)
    if done.returncode != 0:
        raise AssertionError(f"syncano {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def fails(*arguments: str) -> str:
    """What it said when it refused."""
    done = _run(arguments, "")
    if done.returncode == 0:
        raise AssertionError(f"syncano {' '.join(arguments)} should have failed\n{done.stdout}")
    return done.stderr


def _run(arguments, answers: str) -> subprocess.CompletedProcess:
    return subprocess.run([COMMAND, *arguments], input=answers, capture_output=True, text=True, timeout=60)
