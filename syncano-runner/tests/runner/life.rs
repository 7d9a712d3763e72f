//! Servers that die, workers that are killed, callers that go away.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Isolation, Runner, Script};

use crate::support::*;

const SERVER: &str = "SYNCANO_TEST_SERVER_TO_KILL";

/// How often something is done: a large number by an environment variable, a small one otherwise.
fn times(variable: &str, usually: usize) -> usize {
    std::env::var(variable).map_or(usually, |text| text.parse().expect("a number"))
}

fn has_ended(pid: &str) -> bool {
    // Nobody may reap what has lost its parent: a zombie has ended.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

/// The other process of the next test; it does nothing when it is run as a test.
#[tokio::test]
async fn a_server_to_be_killed() {
    if std::env::var_os(SERVER).is_none() {
        return;
    }
    let runner = runner_or_skip!();
    if runner.interpreter(Language::JavaScript).is_ok() {
        logged(&runner, "console.log(1)").await;
    }
    printed(&runner, "print(1)").await;
    println!("\nready");
    // One idle worker of each language, and one in the middle of a call.
    run(&runner, "import time\ntime.sleep(1000)").await;
}

fn children_of(parent: u32) -> Vec<String> {
    let is_child = |pid: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.split(' ').nth(1) == Some(&parent.to_string())
    };
    let entries = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_child).collect()
}

fn eventually(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < LONG, "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_killed_server_leaves_no_worker() {
    if runner_for(Language::Python, |builder| builder).is_none() {
        return;
    }
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "life::a_server_to_be_killed", "--nocapture"])
        .env(SERVER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ready"));
    eventually(|| children_of(server.id()).len() >= 2);
    let workers = children_of(server.id());
    server.kill().unwrap();
    server.wait().unwrap();
    eventually(|| workers.iter().all(|pid| has_ended(pid)));
}

#[tokio::test]
async fn a_worker_killed_from_outside_costs_its_own_call_only() {
    // The first process of a namespace can't end itself like this.
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(4));
    let source = "console.log(process.pid);\nif (ARGS.kill) process.kill(process.pid, 'SIGKILL');\nsetTimeout(() => {}, 20)";
    let script = javascript(source);
    let calls: Vec<_> = (0..12)
        .map(|n| {
            let (runner, script) = (runner.clone(), script.clone());
            let arguments = if n % 3 == 0 { r#"{"kill":1}"# } else { "{}" };
            tokio::spawn(async move { runner.run(&script, call(arguments)).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        let expected = if n % 3 == 0 { RunStatus::Failure } else { RunStatus::Success };
        let outcome = call.await.unwrap();
        assert_eq!(outcome.status, expected, "{n}: {}", outcome.stderr);
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
}

/// Memory that this process uses, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn many_scripts_in_turn_exhaust_nothing() {
    let runner = runner_or_skip!(|builder| builder.max_workers(4));
    let languages = if runner.interpreter(Language::JavaScript).is_ok() { 2 } else { 1 };
    let count = times("SYNCANO_TEST_SCRIPT_COUNT", 300);
    let (start, mut early) = (Instant::now(), 0);
    for n in 0..count {
        let (runtime, source) = if languages == 2 && n % 10 == 0 {
            (Runtime::NodeJs, format!("console.log({n})"))
        } else {
            (Runtime::Python3, format!("print({n})"))
        };
        let script = Script::new(format!("i{}", n % 7), format!("s{n}"), runtime, source, "{}");
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(
            (outcome.status, outcome.stdout),
            (RunStatus::Success, n.to_string()),
            "{}",
            outcome.stderr
        );
        if (n + 1) % (count / 10).max(1) == 0 {
            let (memory, descriptors) = (resident(), open_descriptors());
            let processes = children_of(std::process::id()).len();
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "{:6} scripts: {seconds:6.1} s, {memory:7} kB, {processes:3} processes, {descriptors:4} descriptors",
                n + 1
            );
            if early == 0 {
                early = memory;
            }
        }
    }
    if std::env::var_os("SYNCANO_TEST_SCRIPT_COUNT").is_some() {
        // Alone in this process.
        assert!(children_of(std::process::id()).len() <= 5 && open_descriptors() < 100);
        assert!(resident() < early + 32 * 1024, "{} kB after {early} kB", resident());
    }
    // Other tests of this process have descriptors, too; a leak of one per script would show all the same.
    assert!(open_descriptors() < 900, "{}", open_descriptors());
    runner.shutdown().await;
}

async fn callers_go_away(runner: &Runner, script: Script, neighbour: Script, count: usize) {
    let neighbours = {
        let runner = runner.clone();
        tokio::spawn(async move {
            for n in 0..count / 10 {
                let outcome = runner.run(&neighbour, call(&format!(r#"{{"n":{n}}}"#))).await;
                assert_eq!(
                    (outcome.status, outcome.stdout),
                    (RunStatus::Success, n.to_string()),
                    "{}",
                    outcome.stderr
                );
            }
        })
    };
    for n in 0..count {
        let patience = Duration::from_micros((n as u64 * 37) % 1500);
        let _ = tokio::time::timeout(patience, runner.run(&script, call(&format!(r#"{{"n":{n}}}"#)))).await;
    }
    neighbours.await.expect("neighbours are fine");
    let outcome = runner.run(&script, call(r#"{"n":1}"#)).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "1"), "{}", outcome.stderr);
}

#[tokio::test]
async fn callers_that_go_away_cost_no_worker_and_no_answer_of_others() {
    let runner = runner_or_skip!(|builder| builder.max_workers(3));
    let count = times("SYNCANO_TEST_CALLERS", 300);
    let of = |instance, runtime, source| Script::new(instance, "test", runtime, source, "{}");
    callers_go_away(
        &runner,
        of("a", Runtime::Python3, "print(ARGS['n'])"),
        of("b", Runtime::Python3, "print(ARGS['n'])"),
        count,
    )
    .await;
    if runner.interpreter(Language::JavaScript).is_ok() {
        let source = "console.log(ARGS.n)";
        callers_go_away(
            &runner,
            of("a", Runtime::NodeJs, source),
            of("b", Runtime::NodeJs, source),
            count / 3,
        )
        .await;
    }
    runner.shutdown().await;
}
