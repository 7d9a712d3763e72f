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
