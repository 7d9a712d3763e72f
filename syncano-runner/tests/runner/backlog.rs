//! Calls that are sent to a worker which is on another one.

use std::time::Duration;

use serde_json::json;
use syncano_core::RunStatus;
use syncano_runner::{Isolation, Outcome, Runner, Script};

use crate::support::*;

/// Does what it is told, and answers with its argument and its process.
const PYTHON: &str = "
import os, threading, time
kept = []
def main(n, what=None):
    if what == 'print': print('printed by', n)
    if what == 'write': os.write(1, b'written by %d' % n)
    if what == 'raise': raise ValueError(f'raised by {n}')
    if what == 'exit': os._exit(3)
    if what == 'thread': threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    if what == 'open': kept.append(open('/dev/null'))
    if what == 'nap': time.sleep(0.03)
    if what == 'sleep': time.sleep(1000)
    return [n, os.getpid()]
";
const JAVASCRIPT: &str = "
import fs from 'node:fs';
const kept = [];
export default async ({ n, what }) => {
    if (what === 'print') console.log('printed by', n);
    if (what === 'write') fs.writeSync(1, 'written by ' + n);
    if (what === 'raise') throw new Error('raised by ' + n);
    if (what === 'exit') process.exit(3);
    if (what === 'thread') setTimeout(() => {}, 1e6);
    if (what === 'open') kept.push(fs.openSync('/dev/null'));
    if (what === 'nap') await new Promise(done => setTimeout(done, 30));
    if (what === 'sleep') await new Promise(done => setTimeout(done, 1e6));
    return [n, process.pid];
};
";

async fn ask(runner: &Runner, script: &Script, n: usize, what: &str) -> Outcome {
    runner.run(script, call(&json!({ "n": n, "what": what }).to_string())).await
}

/// Calls until a worker is known to be quick.
async fn warm_up(runner: &Runner, script: &Script) -> u64 {
    let mut process = 0;
    for n in 0..300 {
        let outcome = ask(runner, script, n, "").await;
        process = value(&outcome)[1].as_u64().unwrap();
    }
    process
}

/// What a call must come to, whoever else the worker has been sent.
fn check(outcome: &Outcome, n: usize, what: &str) {
    let seen = (outcome.status, &*outcome.stdout, &outcome.answer);
    match what {
        "raise" => {
            assert_eq!(outcome.status, RunStatus::Failure, "{outcome:?}");
            // The traceback shows the line of the source, too.
            let told = outcome.stderr.split("raised by ").skip(1);
            let told: Vec<usize> = told
                .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
                .collect();
            assert!(!told.is_empty() && told.iter().all(|&told| told == n), "{n}: {outcome:?}");
        }
        "exit" => assert!(outcome.status == RunStatus::Failure && outcome.stdout.is_empty(), "{seen:?}"),
        _ => {
            assert_eq!(outcome.status, RunStatus::Success, "{n} {what}: {outcome:?}");
            assert_eq!(value(outcome)[0], n);
            let printed = match what {
                "print" => format!("printed by {n}"),
                "write" => format!("written by {n}"),
                _ => String::new(),
            };
            assert_eq!((&*outcome.stdout, &*outcome.stderr), (&*printed, ""), "{n} {what}");
        }
    }
}

/// Many callers at once, each of whom finds its own answer and output, whatever the others' calls do to the worker.
async fn each_call_gets_its_own(runner: Runner, script: Script) {
    warm_up(&runner, &script).await;
    let deeds = ["print", "write", "raise", "exit", "thread", "open", "nap"];
    let callers: Vec<_> = (0..24)
        .map(|caller| {
            let (runner, script) = (runner.clone(), script.clone());
            tokio::spawn(async move {
                for round in 0..100 {
                    let n = caller * 1000 + round;
                    // Long enough without a deed for workers to be found quick again.
                    let what = if n % 41 == 0 { deeds[n / 41 % deeds.len()] } else { "" };
                    if n % 53 == 0 {
                        // One that goes away, at any moment of its call.
                        let patience = Duration::from_micros((n as u64 * 37) % 900);
                        let _ = tokio::time::timeout(patience, ask(&runner, &script, n, what)).await;
                        continue;
                    }
                    check(&ask(&runner, &script, n, what).await, n, what);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_gets_its_own_answer_and_output() {
    let runner = runner_or_skip!(|builder| builder.processors(1));
    each_call_gets_its_own(runner, script(PYTHON)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_gets_its_own_answer_and_output_in_javascript() {
    let runner = node_or_skip!(|builder| builder.processors(1));
    each_call_gets_its_own(runner, javascript(JAVASCRIPT)).await;
}

#[tokio::test]
async fn quick_calls_share_a_process() {
    let runner =
        runner_or_skip!(|builder| builder.isolation(Isolation::Process).processors(1).max_workers(16));
    let script = script(PYTHON);
    let process = warm_up(&runner, &script).await;
    let calls: Vec<_> = (0..16)
        .map(|n| {
            let (runner, script) = (runner.clone(), script.clone());
            tokio::spawn(async move { ask(&runner, &script, n, "").await })
        })
        .collect();
    let mut shared = 0;
    for (n, call) in calls.into_iter().enumerate() {
        let outcome = call.await.unwrap();
        check(&outcome, n, "");
        shared += usize::from(value(&outcome)[1] == process);
    }
    // All of them, unless the machine keeps that process waiting for 10 ms.
    assert!(shared > 1, "{shared}");
}

async fn is_not_kept_waiting(runner: Runner, script: Script) {
    warm_up(&runner, &script).await;
    let sleeper = {
        let (runner, script) = (runner.clone(), script.clone());
        tokio::spawn(async move { ask(&runner, &script, 0, "sleep").await })
    };
    tokio::task::yield_now().await;
    // It is sent to the worker that sleeps, which nobody can know.
    for n in 1..4 {
        check(&ask(&runner, &script, n, "").await, n, "");
    }
    assert!(!sleeper.is_finished());
    sleeper.abort();
}

#[tokio::test]
async fn a_call_behind_a_slow_one_gets_a_worker_of_its_own() {
    let runner = runner_or_skip!(|builder| builder.processors(1));
    is_not_kept_waiting(runner, script(PYTHON)).await;
}

#[tokio::test]
async fn a_call_behind_a_slow_one_gets_a_worker_of_its_own_in_javascript() {
    let runner = node_or_skip!(|builder| builder.processors(1));
    is_not_kept_waiting(runner, javascript(JAVASCRIPT)).await;
}

#[tokio::test]
async fn a_large_call_finds_its_way_between_small_ones() {
    let runner = runner_or_skip!(|builder| builder.processors(1));
    let script = script("def main(n, text=''):\n    return [n, len(text)]");
    for _ in 0..20 {
        runner.run(&script, call(r#"{"n": 1}"#)).await;
    }
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let (runner, script) = (runner.clone(), script.clone());
            let length = if n % 3 == 0 { 200_000 } else { n };
            let arguments = json!({ "n": n, "text": "x".repeat(length) }).to_string();
            tokio::spawn(async move { (n, length, runner.run(&script, call(&arguments)).await) })
        })
        .collect();
    for call in calls {
        let (n, length, outcome) = call.await.unwrap();
        assert_eq!(value(&outcome), json!([n, length]), "{}", outcome.stderr);
    }
}
