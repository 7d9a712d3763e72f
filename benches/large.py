#!/usr/bin/env python3
"""What large calls take: the server's memory at its highest while 100 callers at once get answers of 6 MiB, or send bodies of 512 KiB.

`--smoke`: debug build and a second each: that it works.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

from load import load, require_wrk
from server import Server, build

ANSWER = 6 * 1024 * 1024
BODY = 512 * 1024
SOURCE = f"""\
if ARGS.get("large"):
    set_response(HttpResponse(200, "x" * {ANSWER}, "text/plain"))
else:
    print(len(ARGS["text"]))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--binaries", type=Path, help="measure these instead of building: a folder with `syncano`")
    parser.add_argument("--smoke", action="store_true", help="a debug build, 10 connections, a second each")
    options = parser.parse_args()
    if options.smoke:
        options.connections, options.seconds = 10, 1
    require_wrk()
    binaries = options.binaries or build("dev" if options.smoke else "release")
    bodies = {
        "small calls": json.dumps({"text": "x"}),
        "answers of 6 MiB": json.dumps({"large": True}),
        # With the JSON around it.
        "bodies of 512 KiB": json.dumps({"text": "x" * (BODY - 64)}),
    }
    print("| 100 calls at once | calls/s | memory before, MB | at its highest, MB |".replace("100", str(options.connections)))
    print("|---|---|---|---|")
    for what, body in bodies.items():
        # A server each: memory that was used once isn't given back at once.
        with tempfile.TemporaryDirectory() as folder, Server(folder, binaries=binaries) as server:
            server.publish(definition())
            url = server.endpoint("large", "large")
            load(url, 1, body=bodies["small calls"])
            before = resident(server, "VmRSS")
            measured = load(url, options.seconds, options.connections, body=body)
            print(f"| {what} | {measured.rate:.0f} | {before:.0f} | {resident(server, 'VmHWM'):.0f} |")


def definition():
    call = {"type": "script", "name": "script", "methods": ["POST"]}
    script = {"type": "script", "name": "script", "runtime_name": "python3", "source": SOURCE}
    return {"name": "large", "endpoints": {"large": {"calls": [call]}}, "dependencies": [script]}


def resident(server, field):
    """Megabytes of the server's own process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1000


if __name__ == "__main__":
    main()
