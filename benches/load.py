"""Load, by `wrk` with one thread, and what it measures."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import which

BODY = '{"name":"Ada","n":100}'
ANSWER = {"message": "Hello, Ada!", "sum": 4950}


@dataclass
class Measured:
    """Latencies in microseconds."""

    rate: float
    p50: float
    p99: float
    # Of the answers, if they were looked at.
    refused: float = 0.0


def require_wrk():
    if which("wrk") is None:
        raise SystemExit("the load comes from `wrk`: apt-get install wrk")


def load(url, seconds, connections=16, pause=0, body=BODY, check=False, paths=()):
    """`pause` is the mean of the milliseconds a connection waits between an answer and its next request; `check` looks at each answer; `paths`
    are called in turn, in the place of the URL's."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "60s"]
    command += ["--script", str(Path(__file__).with_name("load.lua")), url]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(body)
        file.flush()
        environment = {**os.environ, "BODY": file.name, "PAUSE": str(pause), "PATHS": " ".join(paths)}
        environment |= {"CHECK": "1"} if check else {}
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if run.returncode != 0:
        raise SystemExit(f"wrk: {run.stdout}{run.stderr}")
    measured = json.loads(run.stdout.strip().splitlines()[-1])
    if measured["failed"] or not measured["requests"]:
        raise SystemExit(f"{url}: {measured['failed']} of {measured['requests']} requests failed")
    refused = measured["refused"] / measured["requests"]
    return Measured(measured["requests"] / measured["seconds"], measured["p50"], measured["p99"], refused)
