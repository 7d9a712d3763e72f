#!/usr/bin/env python3
"""What grows with what a server holds: a small server and a large one, measured in turn. Writes benches/growth.md.

Endpoints: calls, publishing a socket, starting, memory. Connections: calls. Traces: storing them, and reading the newest page.
Some 8 GB of disk while it runs. `--smoke`: debug build and small numbers, nothing written: that it works.
"""

import argparse
import datetime
import shutil
import sqlite3
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from load import load, require_wrk
from server import INSTANCE, PYTHON, SCHEMAS, Server, build, socket, versions

FEW = 10
# A socket has so many endpoints, answered by a script of its own.
SOCKET = 5
# Half of the endpoints are in one instance, and so many in each of the others.
SMALL_INSTANCE = 100
# What retention by number keeps of each endpoint.
KEPT = 100
# Endpoints of one script that are called in turn.
MANY = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--traces", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--data", type=Path, help="a folder to keep the databases in, or to take them from")
    parser.add_argument("--binaries", type=Path, help="measure these instead of building: a folder with `syncano`")
    parser.add_argument("--only", choices=["endpoints", "connections", "traces"], help="one part; nothing is written")
    parser.add_argument("--smoke", action="store_true", help="a debug build, small numbers")
    options = parser.parse_args()
    if options.smoke:
        options.endpoints, options.traces, options.rounds, options.seconds = 300, 2_000, 1, 1
    require_wrk()
    binaries = options.binaries or build("dev" if options.smoke else "release")
    with ExitStack() as stack:
        data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {count: filled(data / str(count), count, binaries) for count in (FEW, options.endpoints)}
        lines = []
        for part in (endpoints, connections, traces):
            if options.only in (None, part.__name__):
                lines += part(servers, options)
    if not (options.smoke or options.only):
        write(lines, options)


def report(lines, *cells):
    lines.append("| " + " | ".join(cells) + " |")
    print(lines[-1], flush=True)


# The databases


def filled(folder, count, binaries):
    """A server with so many endpoints, not running: a few are published, the others are copies of what that has written."""
    server = Server(folder, binaries=binaries)
    key = folder / "key"
    if key.exists():
        server.key = key.read_text()
        server.published = published(server)
        return server
    folder.mkdir(parents=True)
    with server:
        # What is called.
        server.publish(socket("work", "greet", PYTHON))
        server.publish(several("many", MANY))
        server.publish(several("template", min(SOCKET, count - 1)))
    start = time.monotonic()
    with closing(sqlite3.connect(server.database)) as db, db:
        copy_sockets(db, count // SOCKET - 1)
        [(instances,)] = db.execute("SELECT count(*) FROM instance")
    server.published = published(server)
    print(f"{server.published:,} endpoints in {instances} instances, written in {time.monotonic() - start:.0f} s", flush=True)
    key.write_text(server.key)
    return server


def published(server):
    """How many endpoints there are."""
    with closing(sqlite3.connect(server.database)) as db:
        return db.execute("SELECT count(*) FROM flat_name").fetchone()[0]


def several(name, count):
    """A socket of so many endpoints, and a script of its own. Nobody else's script has the same name, so it isn't shared."""
    call = {"type": "script", "name": f"script_{name}", "methods": ["POST"]}
    script = {"type": "script", "name": call["name"], "runtime_name": "python3", "source": PYTHON}
    endpoint = {"calls": [call], "metadata": {"POST": SCHEMAS}}
    return {
        "name": f"socket_{name}",
        "endpoints": {f"endpoint_{name}_{number}": endpoint for number in range(count)},
        "dependencies": [script],
    }


def copy_sockets(db, count):
    """Half of the copies of `socket_template` go into the first instance, the others into new ones."""
    [(template, instance)] = db.execute("SELECT id, instance_id FROM socket WHERE name = 'socket_template'")
    [(script,)] = db.execute("SELECT id FROM script WHERE socket_id = ?", [template])
    [(endpoint,)] = db.execute("SELECT id FROM script_endpoint WHERE socket_id = ?", [template])
    each = SMALL_INSTANCE // SOCKET
    # Numbers that are free, of which a copy and what belongs to it have one in common.
    db.execute(
        "CREATE TEMP TABLE copy AS WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)"
        " SELECT 1000 + n AS id, CASE WHEN n <= :half THEN :instance ELSE 1000 + (n - :half - 1) / :each END AS instance FROM number",
        {"count": count, "half": count // 2, "instance": instance, "each": each},
    )

    def copies(table, condition, **changed):
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(changed.get(column, f"{table}.{column}") for column in columns)
        db.execute(f"INSERT INTO {table} SELECT {values} FROM {table} {condition}")

    def named(column):
        return f"replace({column}, '_template', '_' || copy.id)"

    copies(
        "instance",
        f"JOIN (SELECT DISTINCT instance FROM copy) copy ON copy.instance != {instance} WHERE instance.id = {instance}",
        id="copy.instance",
        name="instance.name || '-' || copy.instance",
        last_trace="0",
    )
    own = {"id": "copy.id", "instance_id": "copy.instance", "socket_id": "copy.id"}
    texts = {"name": named("socket.name"), "definition": named("definition"), "installed": named("installed")}
    copies("socket", f"JOIN copy WHERE socket.id = {template}", **own, **texts)
    copies("script", f"JOIN copy WHERE script.id = {script}", **own, label=named("label"))
    copies("script_endpoint", f"JOIN copy WHERE script_endpoint.id = {endpoint}", **own, script_id="copy.id", name=named("name"))
    uses = {"socket_id": "copy.id", "script_endpoint_id": "copy.id", "name": named("name")}
    copies("socket_script_endpoint", f"JOIN copy WHERE socket_id = {template}", **uses)
    copies("flat_name", f"JOIN copy WHERE socket_id = {template}", **own, name=named("name"))


# Endpoints


def publish_once(server):
    """Seconds that publishing another socket takes; its script is known to be sound."""
    definition = socket("another", "another_endpoint", PYTHON)
    start = time.perf_counter()
    server.publish(definition)
    took = time.perf_counter() - start
    server.send("DELETE", f"/v1.1/instances/{INSTANCE}/sockets/another/")
    return took


def endpoints(servers, options):
    few, lots = servers.values()
    starts, work = ({count: [] for count in servers} for _ in range(2))
    for _ in range(options.rounds):
        for count, server in servers.items():
            with server:
                starts[count].append(server.started_in)
                work[count].append(server.cpu())
    with few, lots:
        memory = {count: server.memory() for count, server in servers.items()}
        calls = {count: [] for count in servers}
        publishes = {count: [] for count in servers}
        for server in servers.values():
            load(server.endpoint("work", "greet"), options.seconds)
            publish_once(server)
        for _ in range(options.rounds):
            for count, server in servers.items():
                calls[count].append(load(server.endpoint("work", "greet"), options.seconds, connections=1).p50)
            # One of each in turn, since what else the machine does comes and goes.
            times = [[publish_once(server) for server in servers.values()] for _ in range(20)]
            for count, own in zip(servers, zip(*times)):
                publishes[count].append(statistics.median(own))
    lines = []
    report(lines, "by endpoints published", *(f"{server.published:,}" for server in servers.values()), "ratio")
    lines.append("|---|---|---|---|")
    compare(lines, "call, p50 µs, one connection", calls, 1, 0)
    compare(lines, "publish of a socket, ms", publishes, 1000, 2)
    compare(lines, "start, s", starts, 1, 2)
    compare(lines, "processor time of the server for it, s", work, 1, 2)
    report(lines, "memory of the server's own, MB", *(f"{bytes / 1e6:.1f}" for bytes in memory.values()), "")
    each = (memory[options.endpoints] - memory[FEW]) / (options.endpoints - FEW)
    source = len(PYTHON) / SOCKET
    report(lines, "bytes an endpoint, beside its source", "", f"{each - source:.0f}", "")
    return [*lines, ""]


def compare(lines, what, values, scale, digits):
    small, large = values.values()
    ratio = statistics.median(l / s for s, l in zip(small, large))
    report(lines, what, *(spread(each, scale, digits) for each in values.values()), f"{ratio:.2f}")


def spread(values, scale, digits):
    """The median, and from where to where the rounds went."""
    low, middle, high = (f"{value * scale:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low}–{high})" if low != high else middle


# Connections


def connections(servers, options):
    lines = []
    with servers[FEW] as server:
        load(server.endpoint("work", "greet"), options.seconds)
        report(lines, "connections", "calls/s", "p50 µs", "p99 µs", "refused")
        lines.append("|---|---|---|---|---|")
        for count in (1, 16, 100, 1000):
            rounds = []
            for _ in range(options.rounds):
                # Runs of callers who have left go on, and would wait with the next ones.
                while server.get("/health")["running"]:
                    time.sleep(0.05)
                rounds.append(load(server.endpoint("work", "greet"), options.seconds, connections=count, check=True))
            figures = ([getattr(each, name) for each in rounds] for name in ("rate", "p50", "p99"))
            refused = max(each.refused for each in rounds)
            report(lines, str(count), *(spread(each, 1, 0) for each in figures), f"{refused:.1%}")
    return [*lines, ""]


# Traces


def traces(servers, options):
    """The large server gets so many traces of other endpoints; then both store and read some."""
    lines = []
    few, lots = servers.values()
    insert_traces(lots, options.traces)
    by_traces = {"few": few, f"{options.traces:,}": lots}
    with few, lots:
        calls, cpu, pages = ({count: [] for count in by_traces} for _ in range(3))
        # So many that none of them has more in one batch than are kept of an endpoint: each trace is stored.
        paths = [f"/v1.1/instances/{INSTANCE}/endpoints/sockets/socket_many/endpoint_many_{number}/" for number in range(MANY)]
        newest = f"{paths[0]}traces/"
        for server in by_traces.values():
            load(server.url, options.seconds, paths=paths)
        for _ in range(options.rounds):
            for count, server in by_traces.items():
                before = server.cpu()
                # A slow writer makes calls wait, so their time tells.
                measured = load(server.url, options.seconds, paths=paths)
                calls[count].append(1 / measured.rate)
                cpu[count].append((server.cpu() - before) / (measured.rate * options.seconds))
                start = time.perf_counter()
                for _ in range(20):
                    assert server.get(newest)["objects"]
                pages[count].append((time.perf_counter() - start) / 20)
        report(lines, "by traces stored", *by_traces, "ratio")
        lines.append("|---|---|---|---|")
        compare(lines, "call that stores a trace, µs, 16 connections", calls, 1e6, 0)
        compare(lines, "processor time of the server for it, µs", cpu, 1e6, 0)
        compare(lines, "newest page of traces, ms", pages, 1e3, 2)
    with closing(sqlite3.connect(lots.database)) as db:
        [oldest] = db.execute("SELECT min(executed_at) FROM trace").fetchone()
    age = time.time() - oldest / 1e6
    report(lines, "age of the oldest trace, h", "", f"{age / 3600:.2f}", "")
    assert age < 24 * 3600 + 120, "retention by age has not kept up"
    return [*lines, ""]


def insert_traces(server, count):
    """Traces of all endpoints in turn, as calls leave them, of the last day. Copies of a real one, written by SQL."""
    with server:
        load(server.endpoint("work", "greet"), 1, connections=1)
    start = time.monotonic()
    with closing(sqlite3.connect(server.database, isolation_level=None)) as db:
        [(written,)] = db.execute("SELECT count(*) FROM trace")
        if written >= count:
            return
        # A log of that size would take the space once more. The server goes back to it.
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -500000")
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'trace' AND sql LIKE 'CREATE INDEX%'").fetchall()
        db.execute("BEGIN")
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        db.execute(
            "CREATE TEMP TABLE subject AS SELECT flat_name.instance_id, socket_id, flat_name.name, last_trace"
            " + row_number() OVER (PARTITION BY flat_name.instance_id ORDER BY socket_id) AS first,"
            " count(*) OVER (PARTITION BY flat_name.instance_id) AS step"
            " FROM flat_name JOIN instance ON instance.id = flat_name.instance_id WHERE flat_name.name != 'greet' AND flat_name.name NOT LIKE 'endpoint_many_%'"
        )
        # What is inserted into can't be read meanwhile without a copy of everything.
        db.execute("CREATE TEMP TABLE real_trace AS SELECT * FROM trace ORDER BY rowid DESC LIMIT 1")
        [(subjects,)] = db.execute("SELECT count(*) FROM subject")
        rounds = -(-count // subjects)
        assert rounds <= KEPT, "more traces than retention by number keeps"
        # So that some become too old while it is measured.
        now, day = int(time.time() * 1e6), 24 * 3600 * 1_000_000
        db.execute(
            "INSERT INTO trace (instance_id, id, kind, subject_id, endpoint, status, executed_at, duration, result, args, meta, isolation)"
            " WITH RECURSIVE round(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM round WHERE n + 1 < :rounds)"
            " SELECT subject.instance_id, first + step * n, kind, subject.socket_id, subject.name, status,"
            " :first + :day / :rounds * n + :day / :rounds * subject.rowid / :subjects, duration, result, args, meta, isolation"
            " FROM round CROSS JOIN subject CROSS JOIN real_trace",
            {"rounds": rounds, "first": now - day + 60_000_000, "day": day - 60_000_000, "subjects": subjects},
        )
        db.execute("UPDATE instance SET last_trace = (SELECT max(id) FROM trace WHERE instance_id = instance.id)")
        db.execute("COMMIT")
        for _, sql in indexes:
            db.execute(sql)
        [(written,)] = db.execute("SELECT count(*) FROM trace")
    size = server.database.stat().st_size
    print(f"{written:,} traces written in {time.monotonic() - start:.0f} s, {size / 1e9:.1f} GB", flush=True)


def write(lines, options):
    facts = {**versions(), "build": "binaries that were given" if options.binaries else "the release profile"}
    generated = "\n".join(f"* {what}: {value}" for what, value in facts.items())
    tables = "\n".join(lines)
    Path(__file__).with_suffix(".md").write_text(
        f"""# Growth

What grows with what a server holds.
`benches/growth.py` wrote this on {datetime.date.today()}, in one run: {options.rounds} rounds of {options.seconds} s for each figure, the small server and the large one in turn.
The figures are medians, with the least and the largest round in parentheses; a ratio is the median of the rounds' ratios.
`wrk` with one thread on the same machine made the load.
The calls are of a Python function that sums up to 100, sandboxed, with validated arguments and results and a recorded trace.
Where traces are counted, {MANY} endpoints are called in turn, so that each trace is stored.

A socket has {SOCKET} endpoints, each with schemas of its own, answered by a script that only this socket has.
Half of the endpoints are in one instance, and {SMALL_INSTANCE} in each of the others; they are copies of what publishing one such socket writes.
The traces are copies of a real one, {KEPT} of each endpoint, of the last 24 hours: retention by age and by number has work while others are stored.
A call beyond what may wait is `blocked`, and counts as refused.

{tables}
{generated}
"""
    )


if __name__ == "__main__":
    main()
