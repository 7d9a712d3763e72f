//! What a hostile script costs its neighbours: the p50 of another instance's warm calls while it runs, beside the p50 alone.
//!
//! `cargo bench -p syncano-runner --bench neighbour`. Alone and beside are measured in turn. A script that computes takes a processor's
//! share like any other program: on a machine with fewer processors than such scripts the ratio tells how the kernel divides
//! them. So each row also has what as many honest scripts cost that compute as long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use syncano_core::Runtime;
use syncano_runner::{Arguments, Call, Runner, Script};

const ROUNDS: usize = 5;
/// How long the neighbour's calls go on: long enough for what a hostile script does at its end and at its next start.
const LASTS: Duration = Duration::from_secs(1);
/// Calls of the hostile script at once.
const ATTACKERS: usize = 4;

const HONEST: &str = "import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass";
/// As the hostile suite has them.
const HOSTILE: [(&str, &str); 8] = [
    ("computes without end", "while True: pass"),
    ("sleeps", "import time; time.sleep(60)"),
    ("takes all memory", "x = []\nwhile True: x.append(bytearray(1 << 20))"),
    ("prints without end", "while True: print('x' * 65536)"),
    ("fills its folder", "i = 0\nwhile True:\n    open(f'/tmp/{i}', 'w').write('x' * 65536); i += 1"),
    (
        "starts threads",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
    ),
    ("recurses", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()"),
    ("dies", "import os; os.abort()"),
];

#[tokio::main]
async fn main() {
    let runner = Runner::builder().build().expect("scripts can run here");
    println!(
        "isolation: {}; p50 of the calls of {LASTS:?}, {ROUNDS} rounds, {ATTACKERS} hostile calls at once",
        runner.isolation()
    );
    println!("{:24} {:>9} {:>9} {:>7}", "the neighbour", "alone µs", "beside µs", "ratio");
    for (name, source) in [("computes, honestly", HONEST)].into_iter().chain(HOSTILE) {
        let mut rounds: Vec<(f64, f64)> = Vec::new();
        for _ in 0..ROUNDS {
            let alone = p50(&runner).await;
            let stop = Arc::new(AtomicBool::new(false));
            let attackers: Vec<_> = (0..ATTACKERS)
                .map(|_| {
                    let (runner, stop) = (runner.clone(), stop.clone());
                    let script = Script::new("hostile", name, Runtime::Python3, source, "{}");
                    tokio::spawn(async move {
                        while !stop.load(Relaxed) {
                            runner.run(&script, call(Duration::from_millis(500))).await;
                        }
                    })
                })
                .collect();
            // Until they are at it.
            tokio::time::sleep(Duration::from_millis(100)).await;
            rounds.push((alone, p50(&runner).await));
            stop.store(true, Relaxed);
            for attacker in attackers {
                attacker.await.expect("no panic");
            }
        }
        rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (alone, beside) = rounds[ROUNDS / 2];
        println!("{name:24} {alone:9.0} {beside:9.0} {:7.2}", beside / alone);
    }
}

fn call(timeout: Duration) -> Call {
    Call { arguments: Arguments::direct("{}"), meta: "{}".to_owned(), timeout }
}

/// Microseconds.
async fn p50(runner: &Runner) -> f64 {
    let script = Script::new("neighbour", "hello", Runtime::Python3, "def main(): return 1", "{}");
    let mut times = Vec::new();
    let end = Instant::now() + LASTS;
    while Instant::now() < end {
        let start = Instant::now();
        let outcome = runner.run(&script, call(Duration::from_secs(30))).await;
        times.push(start.elapsed());
        assert!(outcome.answer.is_some(), "{}", outcome.stderr);
    }
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}
