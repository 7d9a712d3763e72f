//! For how long a worker serves.

use std::collections::HashSet;

use syncano_core::Language;
use syncano_runner::{Isolation, Runner, RunnerBuilder, Script};

use crate::support::*;

fn at_process(builder: RunnerBuilder) -> RunnerBuilder {
    builder.isolation(Isolation::Process).memory(128 << 20)
}

/// The processes that serve `calls` calls in a row, each of which must succeed.
async fn processes(runner: &Runner, script: &Script, calls: usize) -> HashSet<u64> {
    let mut processes = HashSet::new();
    for _ in 0..calls {
        let outcome = runner.run(script, call("{}")).await;
        processes.insert(value(&outcome).as_u64().unwrap());
    }
    processes
}

#[tokio::test]
async fn what_python_keeps_ends_no_call() {
    let runner = runner_or_skip!(at_process);
    let script = script(
        "import os\nkept = []\ndef main():\n    kept.append(bytearray(100_000))\n    return os.getpid()",
    );
    // More than twice the memory.
    let processes = processes(&runner, &script, 3000).await;
    assert!((2..30).contains(&processes.len()), "{processes:?}");
}

#[tokio::test]
async fn what_python_keeps_a_lot_of_ends_no_call() {
    // As much as it may have by default.
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    for (keeps, calls, most) in
        [("bytearray(1 << 20)", 1500, 40), ("b'x' * (1 << 20)", 1500, 40), ("b'x' * (5 << 20)", 300, 40)]
    {
        let script = script(&format!(
            "import os\nkept = []\ndef main():\n    kept.append({keeps})\n    return os.getpid()"
        ));
        let processes = processes(&runner, &script, calls).await;
        assert!((2..most).contains(&processes.len()), "{keeps}: {processes:?}");
    }
}

#[tokio::test]
async fn what_python_loads_late_keeps_its_process() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    let script = script(
        "import os\nloaded, calls = None, 0\ndef main():\n    global loaded, calls\n    calls += 1\n    \
         if calls == 3: loaded = b'x' * (100 << 20)\n    return os.getpid()",
    );
    assert_eq!(processes(&runner, &script, 600).await.len(), 1);
}

#[tokio::test]
async fn what_node_keeps_a_lot_of_ends_no_call() {
    let Some(runner) = runner_for(Language::JavaScript, |builder| builder.isolation(Isolation::Process))
    else {
        return;
    };
    for (keeps, calls) in [
        ("Buffer.alloc(1 << 20)", 1000),
        ("Buffer.alloc(5 << 20, 1)", 200),
        ("new Array(131_072).fill(0.5)", 1000),
    ] {
        let script = javascript(&format!(
            "const kept = [];\nexport default () => {{\n    kept.push({keeps});\n    return process.pid;\n}};"
        ));
        let processes = processes(&runner, &script, calls).await;
        assert!((2..100).contains(&processes.len()), "{keeps}: {processes:?}");
    }
}

#[tokio::test]
async fn what_python_has_from_the_start_keeps_its_process() {
    let runner = runner_or_skip!(at_process);
    let script = script(
        "import os\nkept = os.urandom(80 << 20)\ndef main():\n    garbage = bytearray(100_000)\n    return os.getpid()",
    );
    assert_eq!(processes(&runner, &script, 1000).await.len(), 1);
}

#[tokio::test]
async fn what_node_keeps_ends_no_call() {
    let Some(runner) = runner_for(Language::JavaScript, at_process) else { return };
    let script = javascript(
        "const kept = [];\nexport default () => {\n    kept.push(new Array(4_000).fill(0.5));\n    return process.pid;\n};",
    );
    let processes = processes(&runner, &script, 6000).await;
    assert!((2..30).contains(&processes.len()), "{processes:?}");
}

#[tokio::test]
async fn what_node_throws_away_keeps_its_process() {
    let Some(runner) = runner_for(Language::JavaScript, at_process) else { return };
    let script = javascript(
        "const kept = Array(4_000_000).fill(0.5);\nexport default () => {\n    const garbage = Array(12_500).fill(0.5);\n    \
         return kept.length && garbage && process.pid;\n};",
    );
    assert_eq!(processes(&runner, &script, 3000).await.len(), 1);
}
