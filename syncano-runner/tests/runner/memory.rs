//! The memory of all workers together.

use std::time::Duration;

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Runner, RunnerBuilder, Script, StartError};

use crate::support::*;

const MIB: u64 = 1 << 20;

/// Python's processes may take 64 MiB each. There is no Node, which keeps room for machine code besides.
fn with(memory: u64) -> impl FnOnce(RunnerBuilder) -> RunnerBuilder {
    move |builder| {
        let builder = builder.isolation(Isolation::Process).memory(64 * MIB).node("/nowhere");
        builder.max_workers(16).max_workers_memory(memory)
    }
}

fn of(name: &str, source: &str) -> Script {
    // Of an instance each, since one never gets all workers.
    Script::new(name, name, Runtime::Python3, source, "{}")
}

#[tokio::test]
async fn all_workers_together_take_no_more_than_they_may() {
    let runner = runner_or_skip!(with(200 * MIB));
    assert_eq!(runner.max_workers(), 3);
    let source = "import resource, time\nbegin, taken = time.monotonic(), []\ntry:\n    while True: taken.append(bytearray(1 << 20))\n\
                  except MemoryError: pass\ntime.sleep(0.2)\n\
                  print(begin, time.monotonic(), len(taken))";
    let hogs: Vec<_> = (0..9)
        .map(|n| {
            let (runner, script) = (runner.clone(), of(&n.to_string(), source));
            tokio::spawn(async move { runner.run(&script, call("{}")).await })
        })
        .collect();
    let mut runs = Vec::new();
    for hog in hogs {
        let outcome = hog.await.unwrap();
        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
        let numbers: Vec<f64> = outcome.stdout.split(' ').map(|number| number.parse().unwrap()).collect();
        runs.push((numbers[0], numbers[1], numbers[2]));
    }
    for &(begin, _, _) in &runs {
        let taken: f64 = runs.iter().filter(|run| run.0 <= begin && begin < run.1).map(|run| run.2).sum();
        assert!(taken <= 200.0, "{taken} MiB at a time: {runs:?}");
    }
    // They took what they could.
    assert!(runs.iter().all(|run| run.2 > 30.0), "{runs:?}");
}

#[tokio::test]
async fn where_no_more_fit_idle_workers_end_and_then_calls_wait() {
    let runner = runner_or_skip!(with(128 * MIB));
    assert_eq!(runner.max_workers(), 2);
    for name in ["a", "b", "c", "d", "a"] {
        assert_eq!(runner.run(&of(name, "print(1)"), call("{}")).await.status, RunStatus::Success);
    }
    let hold = "import time\ntime.sleep(1000)";
    let holders: Vec<_> = ["e", "f"]
        .map(|name| {
            let runner = runner.clone();
            tokio::spawn(async move { runner.run(&of(name, hold), call("{}")).await })
        })
        .into();
    tokio::task::yield_now().await;
    let outcome = runner.run(&of("a", "print(1)"), within(Duration::from_millis(300))).await;
    assert_eq!(outcome.status, RunStatus::QueueTimeout);
    holders[0].abort();
    assert_eq!(runner.run(&of("a", "print(1)"), call("{}")).await.status, RunStatus::Success);
    holders[1].abort();
}

#[test]
fn memory_that_is_not_enough_for_one_is_refused() {
    let refused = with(63 * MIB)(Runner::builder()).build();
    let Err(error) = refused else { panic!("it starts") };
    if matches!(error, StartError::Isolation { .. }) {
        // Not for want of memory, which has nothing to do with isolation.
        assert!(!error.to_string().contains("max_workers_memory"), "{error}");
        eprintln!("skipped: {error}");
        return;
    }
    assert_eq!(
        error.to_string(),
        "`max_workers_memory` is 63 MiB, and one process may take 64 MiB: give more, or let each have less \
         (`--script-memory`, or `memory` and `folder_size` of the builder)"
    );
}

#[test]
fn what_a_process_may_take_includes_its_folder_in_memory() {
    let Some(runner) = runner_for(syncano_core::Language::Python, |builder| {
        let builder = builder.isolation(Isolation::Namespace).node("/nowhere").max_workers(16);
        builder.memory(64 * MIB).folder_size(16 * MIB).max_workers_memory(320 * MIB)
    }) else {
        return;
    };
    assert_eq!(runner.max_workers(), 4);
}
