#!/usr/bin/env python3
"""What a call of an endpoint costs beside what people use instead: the same work, in turn, on this machine.

Installs the peers from PyPI and npm, builds `syncano` in release, and writes BENCHMARKS.md and a plot of it. `--smoke`: debug build, one
second each, nothing written: that it works.
"""

import argparse
import datetime
import json
import os
import shutil
import socket as sockets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import ANSWER, BODY, load, require_wrk
from server import JAVASCRIPT, PYTHON, ROOT, Server, build, socket, target, versions

HERE = Path(__file__).resolve().parent / "peers"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn")
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--smoke", action="store_true", help="that it works: a debug build, a second each, nothing written")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds = 1, 1
    require_wrk()
    binaries = build("dev" if options.smoke else "release")
    installed = install(target() / "peers")

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(Server(folder, binaries=binaries))
        server.publish(socket("python", "greet_python", PYTHON))
        server.publish(socket("javascript", "greet_javascript", JAVASCRIPT, "nodejs"))
        server.publish(socket("cached", "greet_cached", PYTHON, cache=1800))
        contestants = {
            "bare axum": stack.enter_context(running([binaries / "bare-axum", "{port}"])),
            "Syncano, Python": server.endpoint("python", "greet_python"),
            "Syncano, JavaScript": server.endpoint("javascript", "greet_javascript"),
            "Syncano, cached": server.endpoint("cached", "greet_cached"),
        }
        for name, command in peers(installed).items():
            contestants[name] = stack.enter_context(running(command))
        isolation = server.get("/health")["isolation"]
        measured = measure(contestants, options)
    table = figures(measured)
    print(table)
    if not options.smoke:
        write(table, measured, {"isolation": isolation, **peers_versions(installed)}, options, installed)


def peers(installed):
    """Name: command, with `{port}` where its port belongs. Each as its documentation says to run it in production."""
    python, modules = installed / "python/bin", installed / "node/node_modules"
    return {
        "Node http": ["node", HERE / "node_http.js", "{port}"],
        "workerd": [modules / ".bin/workerd", "serve", HERE / "workerd.capnp", "--socket-addr=http=127.0.0.1:{port}"],
        "FastAPI, 2 workers": [
            *[python / "uvicorn", "fastapi_app:app", "--app-dir", HERE, "--port", "{port}", "--workers", "2"],
            *["--no-access-log", "--log-level", "warning"],
        ],
        "functions-framework, Node": [
            *["node", modules / "@google-cloud/functions-framework/build/src/main.js", "--target", "greet"],
            *["--port", "{port}", "--source", installed / "node"],
        ],
        "functions-framework, Python": [
            *[python / "functions-framework", "--target", "greet", "--source", HERE / "python_functions/main.py"],
            *["--host", "127.0.0.1", "--port", "{port}"],
        ],
    }


def install(folder):
    """The peers, installed by what `peers/` names; again only when that changes."""
    wanted = "".join((HERE / name).read_text() for name in ["requirements.txt", "plot.txt", "package.json"])
    mark = folder / "installed"
    if not (mark.exists() and mark.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder / "python"], check=True)
        pip = [folder / "python/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        shutil.copytree(HERE / "node_functions", folder / "node")
        shutil.copy(HERE / "package.json", folder / "node")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder / "node", check=True)
        mark.write_text(wanted)
    return folder


@contextmanager
def running(command):
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(part).replace("{port}", str(port)) for part in command]
    environment = {**os.environ, "NODE_ENV": "production"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                sockets.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"it doesn't serve: {' '.join(command)}") from None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/greet"
    finally:
        process.terminate()
        process.wait(30)


def check(name, url):
    request = urllib.request.Request(url, BODY.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        answer = json.loads(response.read())
    if answer != ANSWER:
        raise SystemExit(f"{name} answers {answer}")


def measure(contestants, options):
    """Name: {figure: one value for each round}. In turn, so that what else the machine does meets all alike."""
    measured = {name: {"rate": [], "p50": [], "half": []} for name in contestants}
    for name, url in contestants.items():
        check(name, url)
        load(url, options.seconds)
    for _ in range(options.rounds):
        for name, url in contestants.items():
            # Processes that have ended for others since the last round start, and compile what is called often.
            load(url, options.seconds)
            full = load(url, options.seconds)
            alone = load(url, options.seconds, connections=1)
            # Half of the load it can bear: each connection pauses so long.
            connections = 64
            half = load(url, options.seconds, connections, pause=connections / (full.rate / 2) * 1000)
            measured[name]["rate"].append(full.rate)
            measured[name]["p50"].append(alone.p50)
            measured[name]["half"].append(half.p99 / half.p50)
            print(f"{name}: {full.rate:.0f}/s, {alone.p50:.0f} µs", file=sys.stderr)
    return measured


def figures(measured):
    """The table, in Markdown."""
    ceiling = measured["bare axum"]
    lines = [
        "| | requests/s | of bare axum | p50 µs, one connection | × bare axum | p99 / p50, half load |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in sorted(measured.items(), key=lambda item: -statistics.median(item[1]["rate"])):
        rates = [rate / of for rate, of in zip(values["rate"], ceiling["rate"])]
        times = [p50 / of for p50, of in zip(values["p50"], ceiling["p50"])]
        cells = [name, spread(values["rate"]), spread(rates, 2), spread(values["p50"]), spread(times, 2)]
        lines.append("| " + " | ".join([*cells, spread(values["half"], 1)]) + " |")
    return "\n".join(lines)


def spread(values, digits=0):
    """The median, and from where to where the rounds went."""
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low}–{high})" if low != high else middle


def peers_versions(installed):
    names = [line for line in (HERE / "requirements.txt").read_text().split()]
    names += [f"{name} {version}" for name, version in json.loads((HERE / "package.json").read_text())["dependencies"].items()]
    return {**versions(), "peers": ", ".join(names)}


def write(table, measured, versions, options, installed):
    pip = [installed / "python/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", HERE / "plot.txt"], check=True)
    rates = {name: statistics.median(values["rate"]) for name, values in measured.items()}
    plot = ROOT / "benches/peers.svg"
    subprocess.run(
        [installed / "python/bin/python", Path(__file__).with_name("plot.py"), plot],
        input=json.dumps(rates),
        text=True,
        check=True,
    )
    generated = "\n".join(f"* {what}: {value}" for what, value in versions.items())
    (ROOT / "BENCHMARKS.md").write_text(
        f"""# Benchmarks

What a call costs beside what people use instead.
`benches/peers.py` wrote this on {datetime.date.today()}, in one run.
Each contestant ran in turn: {options.rounds} rounds of {options.seconds} s for each figure, and as many to warm up.
The figures are medians, with the least and the largest round in parentheses.
`wrk` with one thread on the same machine made the load, so every contestant shares its cores with it.
Only the ratios mean anything on another machine.

The work is `POST {BODY}`, answered with `{json.dumps(ANSWER)}`, the sum of a loop.
Syncano runs as it comes: scripts are sandboxed, arguments and results are validated, and every call's trace is recorded.
A trace is stored unless the same batch has 100 newer ones of the endpoint, which is how many of one are kept.
The peers run without a sandbox, except workerd (isolates), and store nothing.

{table}

![Requests per second](benches/peers.svg)

{generated}
"""
    )


if __name__ == "__main__":
    main()
