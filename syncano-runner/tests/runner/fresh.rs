//! Scripts that get a new process for each call, and processes that are started ahead.

use std::time::Duration;

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

// Where processes are compared by their numbers, they must not all be the first of a namespace.

#[tokio::test]
async fn a_fresh_script_shares_nothing() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(2));
    let python = runner.interpreter(syncano_core::Language::Python).is_ok();
    for (runtime, source) in [
        (Runtime::Python3, "import os, sys\nsys.n = getattr(sys, 'n', 0) + 1\nprint(os.getpid(), sys.n)"),
        (
            Runtime::Python3,
            "import os\nn = 0\ndef main():\n    global n\n    n += 1\n    print(os.getpid(), n)",
        ),
        (
            Runtime::NodeJs,
            "const os = require('os');\nos.n = (os.n ?? 0) + 1;\nconsole.log(process.pid, os.n)",
        ),
        (Runtime::NodeJs, "let n = 0;\nexport default () => { console.log(process.pid, ++n) }"),
    ] {
        if runtime == Runtime::Python3 && !python {
            continue;
        }
        let script = Script::new("instance", "test", runtime, source, "{}");
        let mut pids = Vec::new();
        // A worker of the same script, which a fresh call must not get either.
        for script in
            [script.clone(), script.clone().fresh(true), script.clone().fresh(true), script.fresh(true)]
        {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
            let (pid, n) = outcome.stdout.split_once(' ').unwrap();
            assert_eq!(n, "1", "{source}");
            pids.push(pid.to_owned());
        }
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), 4, "{source}");
    }
}

#[tokio::test]
async fn a_process_started_ahead_serves_one_script_only() {
    let runner =
        node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(3).idle_timeout(LONG));
    let mut pids = Vec::new();
    for n in 0..6 {
        let source = format!("console.log(process.pid, Object.keys(globalThis).includes('n'), {n}); n = 1");
        let script = Script::new(format!("i{n}"), "test", Runtime::NodeJs, source, "{}");
        let outcome = runner.run(&script, call("{}")).await;
        let (pid, rest) = outcome.stdout.split_once(' ').expect(&outcome.stderr);
        assert_eq!(rest, format!("false {n}"));
        pids.push(pid.to_owned());
        // For the spare one; whether it is there changes nothing but the time.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 6);
    runner.shutdown().await;
}
