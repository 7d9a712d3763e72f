//! Prints how long calls take: the first one of a script, and later ones, of both styles and both languages; and those of one
//! instance while a hundred calls of another sleep.
//!
//! `cargo run --release -p syncano-runner --example warm_call [calls [none | process | namespace]]`

use std::time::{Duration, Instant};

use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // As a server's handlers do, on a thread of the runtime: the main thread would add a wake-up to every call.
    tokio::spawn(measure()).await?
}

async fn measure() -> Result<(), Failure> {
    let calls: usize = std::env::args().nth(1).map_or(Ok(5000), |number| number.parse())?;
    let isolation = match std::env::args().nth(2).as_deref() {
        Some("none") => Isolation::None,
        Some("namespace") => Isolation::Namespace,
        _ => Isolation::Process,
    };
    let runner = Runner::builder().isolation(isolation).build()?;
    println!("isolation: {}", runner.isolation());
    for (style, runtime, source) in [
        ("program", Runtime::Python3, "print('Hello, ' + ARGS['name'])"),
        ("function", Runtime::Python3, "def main(name):\n    return {'message': 'Hello, ' + name}"),
        ("program", Runtime::NodeJs, "console.log('Hello, ' + ARGS.name)"),
        ("function", Runtime::NodeJs, "export default ({ name }) => ({ message: 'Hello, ' + name })"),
    ] {
        if let Err(missing) = runner.interpreter(runtime.language()) {
            println!("{missing}");
            continue;
        }
        let script = Script::new("demo", style, runtime, source, "{}");
        let mut times = times(&runner, &script, calls + 1).await?;
        let first = times.remove(0);
        let (middle, most) = (at(&mut times, 0.5), at(&mut times, 0.99));
        println!("{} {style}: first {first:?}, then p50 {middle:?}, p99 {most:?}", runtime.language());
    }
    first_calls(&runner).await?;
    neighbours(&runner, calls).await?;
    runner.shutdown().await;
    Ok(())
}

/// First calls of new scripts, with a process started ahead and without.
async fn first_calls(runner: &Runner) -> Result<(), Failure> {
    if runner.interpreter(Language::JavaScript).is_err() {
        return Ok(());
    }
    for (ahead, pause) in [("without", Duration::ZERO), ("with", Duration::from_millis(500))] {
        let mut firsts = Vec::new();
        for n in 0..10 {
            tokio::time::sleep(pause).await;
            let script = Script::new("demo", format!("{ahead}{n}"), Runtime::NodeJs, "console.log(1)", "{}");
            // A fresh start each time: the spare process goes with its runner.
            let other = Runner::builder().isolation(runner.isolation()).build()?;
            let runner = if pause.is_zero() { &other } else { runner };
            firsts.extend(times(runner, &script, 1).await?);
        }
        println!("first call {ahead} a process started ahead: p50 {:?}", at(&mut firsts, 0.5));
    }
    Ok(())
}

/// One instance's calls alone, and beside a hundred of another that sleep.
async fn neighbours(runner: &Runner, calls: usize) -> Result<(), Failure> {
    if runner.interpreter(Language::Python).is_err() {
        return Ok(());
    }
    let script = Script::new("neighbour", "fine", Runtime::Python3, "print('Hello, ' + ARGS['name'])", "{}");
    let alone = at(&mut times(runner, &script, calls).await?, 0.5);
    let sleep = Script::new("sleepy", "sleep", Runtime::Python3, "import time\ntime.sleep(1000)", "{}");
    let sleeping: Vec<_> = (0..100)
        .map(|_| {
            let (runner, sleep) = (runner.clone(), sleep.clone());
            tokio::spawn(async move { runner.run(&sleep, call()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let beside = at(&mut times(runner, &script, calls).await?, 0.5);
    sleeping.iter().for_each(tokio::task::JoinHandle::abort);
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!(
        "beside 100 sleeping calls of another instance: p50 {beside:?}, alone {alone:?}: {ratio:.2} times"
    );
    Ok(())
}

async fn times(runner: &Runner, script: &Script, calls: usize) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        let outcome = runner.run(script, call()).await;
        times.push(start.elapsed());
        if outcome.status != RunStatus::Success {
            return Err(outcome.stderr.into());
        }
    }
    Ok(times)
}

fn at(times: &mut [Duration], share: f64) -> Duration {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize]
}

fn call() -> Call {
    Call {
        arguments: Arguments::direct(r#"{"name": "Ada"}"#),
        meta: r#"{"executed_by": "codebox", "executor": 1, "instance": "demo"}"#.to_owned(),
        timeout: Duration::from_secs(30),
    }
}
