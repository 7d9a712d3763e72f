#!/usr/bin/env python3
"""What grows with what a server holds: a small server and a large one, measured in turn.

Endpoints: calls, publishing a socket, starting, memory. Connections: calls. Traces: storing them, and reading the newest page.
`--smoke`: debug build and small numbers: that it works.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from contextlib import ExitStack

from load import load, require_wrk
from server import INSTANCE, PYTHON, Server, build, socket

# Of one socket: the most it may have.
ENDPOINTS = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--traces", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--smoke", action="store_true", help="a debug build, small numbers")
    options = parser.parse_args()
    if options.smoke:
        options.endpoints, options.traces, options.rounds, options.seconds = 300, 2_000, 1, 1
    require_wrk()
    binaries = build("dev" if options.smoke else "release")
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        servers = {10: Server(small, binaries=binaries), options.endpoints: Server(large, binaries=binaries)}
        with ExitStack() as stack:
            for count, server in servers.items():
                stack.enter_context(server)
                fill(server, count)
        endpoints(servers, options)
        traces(servers, options)
        with servers[10] as server:
            connections(server, options)


def many(index, count):
    """A socket of so many endpoints, which one script answers."""
    definition = socket(f"socket_{index}", f"endpoint_{index}_0", PYTHON)
    first = definition["endpoints"][f"endpoint_{index}_0"]
    definition["endpoints"] = {f"endpoint_{index}_{number}": first for number in range(count)}
    return definition


def fill(server, count):
    start = time.monotonic()
    server.publish(socket("work", "greet", PYTHON))
    left = count - 1
    index = 0
    while left > 0:
        server.publish(many(index, min(left, ENDPOINTS)))
        left -= ENDPOINTS
        index += 1
    print(f"{count} endpoints published in {time.monotonic() - start:.1f} s")


def publish_once(server):
    """Seconds that publishing another socket takes; its script is known to be sound."""
    definition = socket("another", "another_endpoint", PYTHON)
    start = time.perf_counter()
    server.publish(definition)
    took = time.perf_counter() - start
    server.send("DELETE", f"/v1.1/instances/{INSTANCE}/sockets/another/")
    return took


def endpoints(servers, options):
    with ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server)
        memory = {count: server.memory() for count, server in servers.items()}
        calls = {count: [] for count in servers}
        publishes = {count: [] for count in servers}
        for server in servers.values():
            load(server.endpoint("work", "greet"), options.seconds)
        for _ in range(options.rounds):
            for count, server in servers.items():
                calls[count].append(load(server.endpoint("work", "greet"), options.seconds, connections=1).p50)
                publishes[count].append(statistics.median(publish_once(server) for _ in range(20)))
        few, lots = servers
        report("call, p50", calls, "µs", 1)
        report("publish of a socket", publishes, "ms", 1000)
        print(f"start: {servers[few].started_in:.2f} s and {servers[lots].started_in:.2f} s")
        each = (memory[lots] - memory[few]) / (lots - few)
        print(f"memory: {memory[few] / 1e6:.1f} MB and {memory[lots] / 1e6:.1f} MB, {each:.0f} bytes an endpoint")


def report(what, values, unit, scale):
    (few, small), (lots, large) = values.items()
    ratio = statistics.median(l / s for s, l in zip(small, large))
    small, large = statistics.median(small) * scale, statistics.median(large) * scale
    print(f"{what}: {small:.2f} {unit} with {few}, {large:.2f} {unit} with {lots}, {ratio:.2f} times")


def traces(servers, options):
    """The large server gets so many traces of another endpoint; then both store and read some."""
    few, lots = servers
    insert_traces(servers[lots].database, options.traces)
    with ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server)
        rates, pages = {few: [], options.traces: []}, {few: [], options.traces: []}
        newest = f"/v1.1/instances/{INSTANCE}/endpoints/sockets/work/greet/traces/"
        for _ in range(options.rounds):
            for count, server in zip(rates, servers.values()):
                # A slow writer makes calls wait, so their time tells.
                rates[count].append(1 / load(server.endpoint("work", "greet"), options.seconds).rate)
                start = time.perf_counter()
                for _ in range(20):
                    assert server.get(newest)["objects"]
                pages[count].append((time.perf_counter() - start) / 20)
        report("call that stores a trace, 16 connections, by traces stored", rates, "µs", 1e6)
        report("newest page of traces, by traces stored", pages, "ms", 1e3)


def insert_traces(database, count):
    start = time.monotonic()
    now = int(time.time() * 1e6)
    with sqlite3.connect(database) as db:
        instance, last = db.execute("SELECT id, last_trace FROM instance").fetchone()
        sockets = [row[0] for row in db.execute("SELECT id FROM socket WHERE name LIKE 'socket_%'")]
        per_endpoint = 100  # what a sweep keeps
        rows = (
            (
                *(instance, last + number, "socket_endpoint", sockets[number // per_endpoint // ENDPOINTS % len(sockets)]),
                *(f"endpoint_{number // per_endpoint}", "success", now, 1, '{"stdout":"","stderr":""}', "{}", "{}", "process"),
            )
            for number in range(1, count + 1)
        )
        columns = "instance_id, id, kind, subject_id, endpoint, status, executed_at, duration, result, args, meta, isolation"
        db.executemany(f"INSERT INTO trace ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute("UPDATE instance SET last_trace = ?", [last + count])
    print(f"{count} traces written in {time.monotonic() - start:.0f} s, {database.stat().st_size / 1e6:.0f} MB")


def connections(server, options):
    load(server.endpoint("work", "greet"), options.seconds)
    for count in (1, 16, 100, 1000):
        measured = load(server.endpoint("work", "greet"), options.seconds, connections=count)
        print(f"{count} connections: {measured.rate:.0f}/s, p50 {measured.p50:.0f} µs, p99 {measured.p99:.0f} µs")


if __name__ == "__main__":
    main()
