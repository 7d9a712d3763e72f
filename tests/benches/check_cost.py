#!/usr/bin/env python3
"""What `cargo check` costs a program that uses the macro, and what a newcomer waits for.

    /usr/bin/python3 tests/benches/check_cost.py            # `cold` and `warm`, some ten minutes on two idle cores
    /usr/bin/python3 tests/benches/check_cost.py cold       # what a newcomer waits, with and without each parser
    /usr/bin/python3 tests/benches/check_cost.py warm       # after an edit: the macro against the same code by hand
    /usr/bin/python3 tests/benches/check_cost.py client     # all that a program builds which only calls, with and without the parsers
    /usr/bin/python3 tests/benches/check_cost.py quickstart # all that `cargo run -p quickstart` builds on a clean checkout

Only ratios within one run mean anything: both sides are measured in turn. On a machine that does other things the processor time says
more than the clock. Nothing of the repository's own target folder is used.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOCKETS, ENDPOINTS = 4, 25  # 100 functions; a socket has at most 30 endpoints
ROUNDS = 15
FEATURES = {
    "no parser": [],
    "check-python": ["check-python"],
    "check-javascript": ["check-javascript"],
    "both (the default)": ["check-python", "check-javascript"],
}

CALLER = """\
#[syncano_client::socket(name = "shop", runtime = "python3")]
mod shop {
    #[endpoint("price", GET, source = "def main(item: str) -> float: return 9.5")]
    pub async fn price(item: &str) -> f64;
}

/// The one call of it.
pub async fn price(instance: &syncano_client::Instance) -> Result<f64, syncano_client::CallError> {
    shop::Client::new(instance).price("pen").await
}
"""


def python_script(number):
    lines = [f"    step_{i} = (count + {number}) * {i} % 97 if count > {i} else len(text) + {i}" for i in range(26)]
    return "\n".join(
        ["import math", "def main(text: str, count: int = 10) -> list:", *lines,
         "    print(math.floor(step_1), step_2, text)", f"    return [text, str(step_{number % 26})]"]
    )


def javascript_script(number):
    lines = [f"    const step{i} = count > {i} ? ((count + {number}) * {i}) % 97 : text.length + {i};" for i in range(26)]
    return "\n".join(
        ["// Steps.", "export default async function ({ text, count = 10 }) {", *lines,
         f"    return [text, String(step{number % 26})];", "}"]
    )


def script(number):
    return ("python3", "Python3", python_script(number)) if number % 2 else ("nodejs", "NodeJs", javascript_script(number))


def with_macro():
    code = []
    for socket in range(SOCKETS):
        code.append(f"#[syncano_client::socket]\npub mod socket_{socket} {{")
        for number in range(socket * ENDPOINTS, (socket + 1) * ENDPOINTS):
            runtime, _, text = script(number)
            code.append(
                f"    /// Endpoint {number}.\n"
                f'    #[endpoint("endpoint_{number}", POST, runtime = "{runtime}", source = r#"{text}\n"#)]\n'
                f"    pub async fn call_{number}(text: &str, count: Option<u32>) -> Vec<String>;"
            )
        code.append("}")
    return "\n".join(code) + "\n"


def by_hand():
    code = []
    for socket in range(SOCKETS):
        steps, methods = [], []
        for number in range(socket * ENDPOINTS, (socket + 1) * ENDPOINTS):
            _, runtime, text = script(number)
            steps.append(
                f'            .dependency(ScriptDependency::new("call_{number}", Runtime::{runtime}, r#"{text}\n"#))\n'
                f'            .call("endpoint_{number}", ScriptCall::new("call_{number}", p::methods(&[Method::Post])),\n'
                f'                p::Inputs::new().argument::<&str>("text", p::Placement::ByMethod)\n'
                f'                    .argument::<Option<u32>>("count", p::Placement::ByMethod),\n'
                f"                p::result::<Vec<String>>().schema(), None)"
            )
            methods.append(
                f"        /// Endpoint {number}.\n"
                f"        pub fn call_{number}(&self, text: &str, count: Option<u32>) -> Call<Vec<String>> {{\n"
                f"            let call = p::call(&self.instance,\n"
                f"                {{\n"
                f"                    static TARGET: p::Target = p::Target {{\n"
                f'                        socket: NAME, endpoint: "endpoint_{number}", methods: &[Method::Post], script: None,\n'
                f"                        contracts: &CONTRACTS,\n"
                f"                    }};\n"
                f"                    &TARGET\n"
                f"                }},\n"
                f"                p::result::<Vec<String>>(), p::no_error());\n"
                f'            let call = p::argument::<_, _, &str>(call, "text", &text, p::Placement::ByMethod);\n'
                f'            p::argument::<_, _, Option<u32>>(call, "count", &count, p::Placement::ByMethod)\n'
                f"        }}"
            )
        code.append(
            f"pub mod socket_{socket} {{\n"
            "    static CONTRACTS: p::Contracts = p::Contracts::new(definition);\n"
            "    use syncano_client::{__private as p, Call, Error, Instance, Method, Plan, Publish, Runtime, ScriptCall,\n"
            "        ScriptDependency, Socket};\n"
            f'    pub const NAME: &str = "socket_{socket}";\n'
            "    pub fn definition() -> Socket {\n        p::Definition::new(NAME)\n" + "\n".join(steps) + "\n            .build()\n    }\n"
            "    pub async fn plan(instance: &Instance) -> Result<Plan, Error> { instance.plan(&definition()).await }\n"
            "    pub fn publish(instance: &Instance) -> Publish { instance.publish(&definition()) }\n"
            "    #[derive(Debug, Clone)]\n    pub struct Client { instance: Instance }\n"
            "    impl Client {\n        pub fn new(instance: &Instance) -> Self { Self { instance: instance.clone() } }\n"
            + "\n".join(methods) + "\n    }\n}"
        )
    return "\n".join(code) + "\n"


def package(folder, name, code, features):
    features = ", ".join(f'"{feature}"' for feature in features)
    (folder / name / "src").mkdir(parents=True, exist_ok=True)
    (folder / name / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
        f'syncano-client = {{ path = "{ROOT / "syncano-client"}", default-features = false, features = [{features}] }}\n'
    )
    (folder / name / "src/lib.rs").write_text(code)


def workspace(folder, members, features):
    (folder / "Cargo.toml").write_text(f"[workspace]\nresolver = \"3\"\nmembers = {list(members)}\n".replace("'", '"'))
    shutil.copy(ROOT / "Cargo.lock", folder)
    shutil.copy(ROOT / "rust-toolchain.toml", folder)
    for name, code in members.items():
        package(folder, name, code, features)


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def check(folder, target, name, *command):
    """Seconds by the clock, and of processor time."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    start, used = time.monotonic(), processor_time()
    done = subprocess.run(
        ["cargo", *(command or ["check"]), "--quiet", "--offline", "-p", name], cwd=folder, env=environment, capture_output=True, text=True
    )
    seconds = time.monotonic() - start, processor_time() - used
    if done.returncode != 0 or "warning" in done.stderr:
        sys.exit(f"cargo {' '.join(command)} -p {name} fails:\n{done.stderr[-3000:]}")
    return seconds


def cold(folder):
    print("cold, an empty program and all that it depends on:")
    base = None
    for label, features in FEATURES.items():
        workspace(folder, {"newcomer": ""}, features)
        target = folder / "cold"
        seconds, cpu = check(folder, target, "newcomer")
        shutil.rmtree(target)
        base = base or (seconds, cpu)
        print(
            f"  {label:<20} {seconds:6.1f} s, {seconds / base[0]:.2f} x   {cpu:6.1f} s of processor time, {cpu / base[1]:.2f} x",
            flush=True,
        )


def client(folder):
    print("client, a program with one endpoint and all that it depends on, `cargo build` from nothing:")
    for label in ("no parser", "both (the default)"):
        workspace(folder, {"caller": CALLER}, FEATURES[label])
        target = folder / "client"
        seconds, cpu = check(folder, target, "caller", "build", "--timings")
        page = (target / "cargo-timings/cargo-timing.html").read_text()
        units = json.loads(re.search(r"UNIT_DATA = (\[.*?\]);\n", page, re.DOTALL)[1])
        shutil.rmtree(target)
        crates = {}
        for unit in units:
            crates.setdefault((unit["name"], unit["version"]), []).append(unit["duration"])
        all_of_it = sum(map(sum, crates.values()))
        print(f"  {label:<20} {len(crates)} crates, {seconds:.1f} s, {cpu:.1f} s of processor time; of the time of all crates", flush=True)
        for (name, version), spent in sorted(crates.items(), key=lambda crate: -sum(crate[1]))[:8]:
            print(f"    {sum(spent) / all_of_it:6.1%} {name} {version}", flush=True)


def quickstart(folder):
    seconds, cpu = check(ROOT, folder / "quickstart", "quickstart", "build")
    print(f"quickstart, built from nothing: {seconds:.1f} s, {cpu:.1f} s of processor time", flush=True)


def warm(folder):
    members = {"with_macro": with_macro(), "by_hand": by_hand()}
    print(f"warm, after an edit, {SOCKETS * ENDPOINTS} endpoints with scripts of 30 lines, {ROUNDS} rounds in turn, medians:")
    for label, features in FEATURES.items():
        workspace(folder, members, features)
        target = folder / "warm"
        for name in members:
            check(folder, target, name)
        seconds = {name: [] for name in members}
        for number in range(ROUNDS):
            for name, code in members.items():
                (folder / name / "src/lib.rs").write_text(f"{code}pub const EDIT: u32 = {number};\n")
                seconds[name].append(check(folder, target, name))
        for what, part in (("", 0), (" of processor time", 1)):
            macro, hand = (statistics.median(one[part] for one in seconds[name]) for name in members)
            print(
                f"  {label:<20} {macro * 1000:5.0f} ms{what}, by hand {hand * 1000:5.0f} ms   {macro / hand:.2f} x", flush=True
            )


def main():
    parts = sys.argv[1:] or ["cold", "warm"]
    known = {"cold": cold, "warm": warm, "client": client, "quickstart": quickstart}
    if any(part not in known for part in parts):
        sys.exit(__doc__)
    for number in (0, 1):
        assert len(script(number)[2].splitlines()) == 30, script(number)[2]
    with tempfile.TemporaryDirectory(prefix="check-cost-") as folder:
        for part in parts:
            known[part](pathlib.Path(folder))


if __name__ == "__main__":
    main()
