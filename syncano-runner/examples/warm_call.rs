//! Prints how long calls take: the first one of a script, and later ones, of both styles and both languages.
//!
//! `cargo run --release -p syncano-runner --example warm_call [calls [none | process | namespace]]`

use std::time::{Duration, Instant};

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};

/// Different scripts, each of which is called for the first time.
const FIRST_CALLS: usize = 15;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // As a server's handlers do, on a thread of the runtime: the main thread would add a wake-up to every call.
    tokio::spawn(measure()).await?
}

async fn measure() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let calls: usize = std::env::args().nth(1).map_or(Ok(5000), |number| number.parse())?;
    let isolation = match std::env::args().nth(2).as_deref() {
        Some("none") => Isolation::None,
        Some("namespace") => Isolation::Namespace,
        _ => Isolation::Process,
    };
    let runner = Runner::builder().isolation(isolation).build()?;
    println!("isolation: {}", runner.isolation());
    let python = (Runtime::Python3, calls);
    // Every call starts a process.
    let node = (Runtime::NodeJs, calls.div_ceil(100));
    for (style, (runtime, calls), source) in [
        ("program", python, "print('Hello, ' + ARGS['name'])"),
        ("function", python, "def main(name):\n    return {'message': 'Hello, ' + name}"),
        ("program", node, "console.log('Hello, ' + ARGS.name)"),
        ("function", node, "export default ({ name }) => ({ message: 'Hello, ' + name })"),
    ] {
        if let Err(missing) = runner.interpreter(runtime.language()) {
            println!("{missing}");
            continue;
        }
        let mut firsts = Vec::with_capacity(FIRST_CALLS);
        let mut times = Vec::with_capacity(calls);
        for number in 0..FIRST_CALLS {
            let script = Script::new("demo", format!("{style}{number}"), runtime, source, "{}");
            firsts.push(time(&runner, &script).await?);
            if number == 0 {
                for _ in 0..calls {
                    times.push(time(&runner, &script).await?);
                }
            }
        }
        firsts.sort();
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let language = runtime.language();
        println!(
            "{language} {style}: first p50 {:?}, then p50 {:?}, p99 {:?}",
            firsts[FIRST_CALLS / 2],
            at(0.5),
            at(0.99)
        );
    }
    runner.shutdown().await;
    Ok(())
}

async fn time(
    runner: &Runner,
    script: &Script,
) -> Result<Duration, Box<dyn std::error::Error + Send + Sync>> {
    let start = Instant::now();
    let outcome = runner.run(script, call()).await;
    let taken = start.elapsed();
    if outcome.status == RunStatus::Success { Ok(taken) } else { Err(outcome.stderr.into()) }
}

fn call() -> Call {
    Call {
        arguments: Arguments::direct(r#"{"name": "Ada"}"#),
        meta: r#"{"executed_by": "codebox", "executor": 1, "instance": "demo"}"#.to_owned(),
        timeout: Duration::from_secs(30),
    }
}
