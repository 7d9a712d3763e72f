"""`syncano serve`, as the benchmarks run it: the release build, a database of its own, everything else as it comes."""

import json
import os
import platform
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = "bench"

SCHEMAS = {
    "inputs": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "n": {"type": "integer", "minimum": 0}},
        "required": ["name", "n"],
    },
    "outputs": {
        "type": "object",
        "properties": {"message": {"type": "string"}, "sum": {"type": "integer"}},
        "required": ["message", "sum"],
    },
}
PYTHON = """\
def main(name, n):
    return {"message": f"Hello, {name}!", "sum": sum(range(n))}
"""
JAVASCRIPT = """\
export default ({ name, n }) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += i;
    return { message: `Hello, ${name}!`, sum };
};
"""


def build(profile="release"):
    """The path of the command, built by cargo."""
    subprocess.run(
        ["cargo", "build", "--locked", "--profile", profile, "-p", "syncano-cli", "-p", "bare-axum"],
        cwd=ROOT,
        check=True,
    )
    return target() / ("debug" if profile == "dev" else profile)


def target():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"])


def versions():
    """What a figure depends on."""

    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    cpu = next(line.split(":")[1].strip() for line in Path("/proc/cpuinfo").open() if line.startswith("model name"))
    return {
        "machine": f"{os.cpu_count()} × {cpu}, Linux {platform.release()}",
        "interpreters": f"{first_line('/usr/bin/python3', '--version')}, Node {first_line('node', '--version')}",
        "compiler": first_line("rustc", "--version"),
        "commit": first_line("git", "-C", ROOT, "rev-parse", "--short", "HEAD"),
    }


def socket(name, endpoint, source, runtime="python3", **call):
    """The definition of a socket of one endpoint, with the schemas of the benchmarks' work."""
    return {
        "name": name,
        "endpoints": {
            endpoint: {
                "calls": [{"type": "script", "name": "script", "methods": ["POST"], **call}],
                "metadata": {"POST": SCHEMAS},
            }
        },
        "dependencies": [{"type": "script", "name": "script", "runtime_name": runtime, "source": source}],
    }


class Server:
    """A running server with one instance; ended by `with`."""

    def __init__(self, folder, *arguments, binaries):
        self.database = Path(folder) / "bench.db"
        self.log, self.output = self.database.with_suffix(".log"), self.database.with_suffix(".out")
        self.command = [binaries / "syncano", "serve", "--listen", "127.0.0.1:0", *arguments]
        self.command += ["--database", f"sqlite://{self.database}"]
        self.key = None

    def __enter__(self):
        start = time.monotonic()
        environment = {"PATH": os.environ["PATH"], "SYNCANO_LOG": "info"}
        # They are read by their paths: to read what a process writes to by the same descriptor moves where it writes.
        with self.log.open("w") as log, self.output.open("w") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=log, env=environment)
        self.url = self.wait_for(self.log, r"listening on (http://\S+)")
        self.started_in = time.monotonic() - start
        if self.key is None:
            self.key = self.wait_for(self.output, r"account key[^:]*: (\S+)")
            self.post("/v1.1/instances/", {"name": INSTANCE})
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def wait_for(self, file, pattern):
        while True:
            text = file.read_text()
            if found := re.search(pattern, text):
                return found[1]
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended: {text}")
            time.sleep(0.005)

    def send(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("X-API-KEY", self.key)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read()[:500]}") from None

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, body):
        return self.send("POST", path, body)

    def publish(self, definition, instance=INSTANCE):
        published = self.post(f"/v1.1/instances/{instance}/sockets/", definition)
        if published["status"] != "ok":
            raise SystemExit(f"the socket `{definition['name']}`: {published['status_info']}")

    def endpoint(self, socket, endpoint):
        return f"{self.url}/v1.1/instances/{INSTANCE}/endpoints/sockets/{socket}/{endpoint}/"

    def cpu(self):
        """Seconds of processor time that its own process has taken so far, without its workers."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Bytes that are the server's own (not shared with another process), without its workers."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return 1024 * sum(int(n) for n in re.findall(r"Private_\w+:\s+(\d+)", rollup))
