//! Workers: how many, for whom, and what becomes of them.

use std::time::{Duration, Instant};

use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

/// The process that served the call, from a script that prints its id: at the level `process`, since in a namespace of its
/// own every process is the first one.
const WHO: &str = "import os\nprint(os.getpid())";

fn is_alive(pid: &str) -> bool {
    std::path::Path::new("/proc").join(pid).exists()
}

/// Whether a process is in a state of proc(5): stopped, a zombie.
fn is_in_state(pid: &str, state: char) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| status.contains(&format!(") {state} ")))
}

/// Waits for something that happens beside the test.
async fn eventually(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < LONG, "it never happened");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn calls_of_one_script_run_beside_each_other() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(5));
    let script = script("import time, os\ntime.sleep(0.2)\nprint(os.getpid())");
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let (runner, script) = (runner.clone(), script.clone());
            tokio::spawn(async move { runner.run(&script, call("{}")).await })
        })
        .collect();
    let mut pids = Vec::new();
    for call in calls {
        pids.push(call.await.unwrap().stdout);
    }
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 4);
}

#[tokio::test]
async fn what_few_workers_can_do_is_done_by_the_same_few() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(5));
    let script = script("import time, os\ntime.sleep(ARGS['seconds'])\nprint(os.getpid())");
    let at_once = async |seconds: &[f64]| {
        let calls = seconds.iter().map(|seconds| {
            let (runner, script) = (runner.clone(), script.clone());
            let call = call(&format!(r#"{{"seconds": {seconds}}}"#));
            tokio::spawn(async move { runner.run(&script, call).await.stdout })
        });
        let mut pids = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            pids.push(call.await.unwrap());
        }
        pids
    };
    let all = at_once(&[0.2, 0.2, 0.2, 0.2]).await;
    let mut used = Vec::new();
    for _ in 0..3 {
        // Whichever is done first, and whichever last.
        used.extend(at_once(&[0.01, 0.05]).await);
        used.extend(at_once(&[0.05, 0.01]).await);
    }
    used.sort();
    used.dedup();
    assert_eq!((used.len(), used.iter().all(|pid| all.contains(pid))), (2, true), "{used:?} of {all:?}");
}

#[tokio::test]
async fn workers_do_not_interrupt_the_server() {
    // Copied and started.
    for zygotes in [true, false] {
        let runner = runner_or_skip!(|builder| builder.zygotes(zygotes));
        runner.is_prepared(Language::Python).await;
        let policy = "import os\nprint(os.sched_getscheduler(0) == os.SCHED_BATCH)";
        assert_eq!(printed(&runner, policy).await, "True");
    }
}

#[tokio::test]
async fn many_calls_through_few_workers_all_come_back() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(2));
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let runner = runner.clone();
            let script =
                Script::new("instance", format!("s{}", n % 3), Runtime::Python3, "print(ARGS['n'])", "{}");
            tokio::spawn(async move { (n, runner.run(&script, call(&format!(r#"{{"n": {n}}}"#))).await) })
        })
        .collect();
    for call in calls {
        let (n, outcome) = call.await.unwrap();
        assert_eq!(
            (outcome.status, outcome.stdout),
            (RunStatus::Success, n.to_string()),
            "{}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn a_full_queue_blocks_and_a_long_wait_ends() {
    let runner =
        runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1).max_waiting(1));
    let sleeper = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.run(&script("import time\ntime.sleep(1000)"), within(LONG)).await })
    };
    // The test's runtime has one thread: a yield lets the new task run until it waits.
    tokio::task::yield_now().await;
    let late = runner.run(&script(WHO), within(Duration::from_millis(50))).await;
    assert_eq!((late.status, late.duration), (RunStatus::QueueTimeout, Duration::ZERO));
    let waiting = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.run(&script(WHO), within(LONG)).await })
    };
    tokio::task::yield_now().await;
    let blocked = runner.run(&script(WHO), within(LONG)).await;
    assert_eq!((blocked.status, blocked.duration), (RunStatus::Blocked, Duration::ZERO));
    // The worker of a call that nobody waits for any more is ended, and the seat goes to who waits.
    sleeper.abort();
    assert_eq!(waiting.await.unwrap().status, RunStatus::Success);
}

#[tokio::test]
async fn a_dropped_call_ends_its_process_and_gives_its_seat_back() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for _ in 0..3 {
        let warm = runner
            .run(&script("import os, time\nprint(os.getpid())\ntime.sleep(ARGS.get('t', 0))"), call("{}"))
            .await;
        let source = "import os, time\nprint(os.getpid())\ntime.sleep(ARGS.get('t', 0))";
        let dropped = tokio::time::timeout(
            Duration::from_millis(50),
            runner.run(&script(source), call(r#"{"t": 1000}"#)),
        )
        .await;
        assert!(dropped.is_err());
        neighbour_is_fine(&runner).await;
        assert!(!is_alive(&warm.stdout));
    }
}

#[tokio::test]
async fn a_call_dropped_while_its_process_starts_leaves_nothing() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for microseconds in [0, 100, 1_000, 5_000, 20_000] {
        let script = Script::new("instance", format!("{microseconds}"), Runtime::Python3, WHO, "{}");
        let _ =
            tokio::time::timeout(Duration::from_micros(microseconds), runner.run(&script, call("{}"))).await;
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn a_worker_killed_from_outside_is_replaced() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    let pid = printed(&runner, WHO).await;
    let process = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    // A zombie, until the runner notices.
    eventually(|| is_in_state(&pid, 'Z')).await;
    let next = printed(&runner, WHO).await;
    assert_ne!(pid, next);
    eventually(|| !is_alive(&pid)).await;

    // A call that it has been sent and hasn't begun goes to another one.
    let mut pid = next;
    for _ in 0..3 {
        let process = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
        eventually(|| is_in_state(&pid, 'T')).await;
        let kill = async {
            // If this is too early the worker is found dead, which is as well.
            tokio::time::sleep(Duration::from_millis(20)).await;
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        };
        let (next, ()) = tokio::join!(printed(&runner, WHO), kill);
        assert_ne!(pid, next);
        pid = next;
    }

    // During a call, it fails and says why.
    let outcome = run(&runner, "import os\nos.kill(os.getpid(), 9)").await;
    assert_eq!(
        (outcome.status, &*outcome.stderr),
        (RunStatus::Failure, "the script's process ended by signal SIGKILL (9)")
    );
}

#[tokio::test]
async fn a_new_script_takes_the_place_of_an_idle_one() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(2));
    let mut pids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let script = Script::new("instance", name, Runtime::Python3, WHO, "{}");
        pids.push(runner.run(&script, call("{}")).await.stdout);
    }
    // The oldest had to go.
    eventually(|| pids.iter().map(|pid| is_alive(pid)).eq([false, false, true, true])).await;
}

#[tokio::test]
async fn a_worker_that_has_been_idle_for_a_while_makes_room_for_a_process_started_ahead() {
    // Those of the first second are.
    let runner = node_or_skip!(|builder| builder
        .isolation(Isolation::Process)
        .max_workers(2)
        .idle_timeout(Duration::from_secs(60)));
    let mut pids = Vec::new();
    for name in ["a", "b", "c"] {
        if name == "c" {
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
        let script = Script::new("instance", name, Runtime::NodeJs, "console.log(process.pid)", "{}");
        pids.push(runner.run(&script, call("{}")).await.stdout);
    }
    // The first one has gone for the call itself, the second one for the next.
    eventually(|| pids.iter().map(|pid| is_alive(pid)).eq([false, false, true])).await;
}

#[tokio::test]
async fn idle_workers_end() {
    let runner = runner_or_skip!(|builder| builder
        .isolation(Isolation::Process)
        .idle_timeout(Duration::from_millis(50)));
    let pid = printed(&runner, WHO).await;
    eventually(|| !is_alive(&pid)).await;
    assert_ne!(printed(&runner, WHO).await, pid);
}

#[tokio::test]
async fn a_worker_is_replaced_after_its_share_of_calls() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process).calls_per_worker(2));
    let mut pids = Vec::new();
    for _ in 0..4 {
        pids.push(printed(&runner, WHO).await);
    }
    assert!(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3], "{pids:?}");
}

#[tokio::test]
async fn shutting_down_ends_everything() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    let idle = printed(&runner, WHO).await;
    let busy = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.run(&script("import time\ntime.sleep(1000)"), call("{}")).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    runner.shutdown().await;
    assert!(!is_alive(&idle));
    assert_eq!(busy.await.unwrap().status, RunStatus::Failure);
    let after = run(&runner, WHO).await;
    assert_eq!((after.status, &*after.stderr), (RunStatus::Failure, "the server is shutting down"));
}

#[tokio::test]
async fn dropping_the_runner_ends_everything() {
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    let pid = printed(&runner, WHO).await;
    drop(runner.clone());
    assert!(is_alive(&pid));
    drop(runner);
    assert!(!is_alive(&pid));
}

#[test]
fn a_runner_outlives_the_thread_that_made_it() {
    let Some(runner) =
        std::thread::spawn(|| runner_for(Language::Python, |builder| builder.isolation(Isolation::Process)))
            .join()
            .unwrap()
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pid = runtime.block_on(printed(&runner, WHO));
    assert_eq!(runtime.block_on(printed(&runner, WHO)), pid);
}

#[tokio::test]
async fn without_isolation_scripts_run_all_the_same() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::None));
    // What they start doesn't keep their calls from ending, even when they die without an answer.
    let source = "require('child_process').spawn('sleep', ['5'], { detached: true, stdio: 'ignore' }).unref();\n\
                  console.log(require('child_process').execSync('echo started').toString());\nprocess.abort()";
    let start = Instant::now();
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "started"), "{}", outcome.stderr);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    other_node_is_fine(&runner).await;
    if runner.interpreter(Language::Python).is_ok() {
        let source = "import os, subprocess\nsubprocess.Popen(['sleep', '5'])\nprint('started')\nos.abort()";
        let outcome = runner.run(&script(source), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "started"), "{}", outcome.stderr);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }
}
