//! Prints how long calls take: the first one of a script, and later ones, of both styles and both languages.
//!
//! `cargo run --release -p syncano-runner --example warm_call [calls [none]]`

use std::time::{Duration, Instant};

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};

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
        let script = Script::new("demo", style, runtime, source, "{}");
        let mut times = Vec::with_capacity(calls);
        for _ in 0..=calls {
            let start = Instant::now();
            let outcome = runner.run(&script, call()).await;
            times.push(start.elapsed());
            if outcome.status != RunStatus::Success {
                return Err(outcome.stderr.into());
            }
        }
        let first = times.remove(0);
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let language = runtime.language();
        println!("{language} {style}: first {first:?}, then p50 {:?}, p99 {:?}", at(0.5), at(0.99));
    }
    runner.shutdown().await;
    Ok(())
}

fn call() -> Call {
    Call {
        arguments: Arguments::direct(r#"{"name": "Ada"}"#),
        meta: r#"{"executed_by": "codebox", "executor": 1, "instance": "demo"}"#.to_owned(),
        timeout: Duration::from_secs(30),
    }
}
