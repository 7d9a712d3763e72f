//! A runner for a test, and short ways to call it.

use std::time::Duration;

use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{
    Answer, Arguments, Call, Isolation, Outcome, Response, Runner, RunnerBuilder, Script, StartError,
};

/// Long enough for the slowest machine; a run that should end ends much earlier.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A runner that can run a language, or `None` with a printed reason. CI must have everything.
pub(crate) fn runner_for(
    language: Language,
    settings: impl FnOnce(RunnerBuilder) -> RunnerBuilder,
) -> Option<Runner> {
    let mut builder = Runner::builder().max_workers(4);
    // To try other versions.
    if let Some(python) = std::env::var_os("SYNCANO_TEST_PYTHON") {
        builder = builder.python(python);
    }
    if let Some(node) = std::env::var_os("SYNCANO_TEST_NODE") {
        builder = builder.node(node);
    }
    let problem = match settings(builder).build() {
        Ok(runner) => match runner.interpreter(language) {
            Ok(_) => return Some(runner),
            Err(missing) => missing.to_string(),
        },
        // What a machine can do isn't something to install.
        Err(error @ StartError::Isolation { level: Isolation::Namespace, .. }) => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => error.to_string(),
    };
    assert!(std::env::var_os("CI").is_none(), "{problem}");
    eprintln!("skipped: {problem}");
    None
}

/// A Python script called `test`.
pub(crate) fn script(source: &str) -> Script {
    Script::new("instance", "test", Runtime::Python3, source, "{}")
}

/// A JavaScript called `test`.
pub(crate) fn javascript(source: &str) -> Script {
    Script::new("instance", "test", Runtime::NodeJs, source, "{}")
}

/// A direct call.
pub(crate) fn call(arguments: &str) -> Call {
    Call { arguments: Arguments::direct(arguments), meta: "{}".to_owned(), timeout: LONG }
}

/// A direct call without arguments that ends after `timeout`.
pub(crate) fn within(timeout: Duration) -> Call {
    Call { timeout, ..call("{}") }
}

/// Runs `source` once without arguments.
pub(crate) async fn run(runner: &Runner, source: &str) -> Outcome {
    runner.run(&script(source), call("{}")).await
}

/// Runs `source` once without arguments, expects success, and returns what it printed.
pub(crate) async fn printed(runner: &Runner, source: &str) -> String {
    let outcome = run(runner, source).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
    outcome.stdout
}

/// The same for JavaScript.
pub(crate) async fn logged(runner: &Runner, source: &str) -> String {
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Success, "{source}: {}", outcome.stderr);
    outcome.stdout
}

/// The JSON that a function-style script returned.
pub(crate) fn value(outcome: &Outcome) -> serde_json::Value {
    match &outcome.answer {
        Some(Answer::Value(json)) => serde_json::from_slice(json).expect("the worker writes JSON"),
        other => panic!("no value but {other:?}; stderr: {}", outcome.stderr),
    }
}

/// The response that a script made.
pub(crate) fn response(outcome: &Outcome) -> &Response {
    match &outcome.answer {
        Some(Answer::Response(response)) => response,
        other => panic!("no response but {other:?}; stderr: {}", outcome.stderr),
    }
}

/// Another script of the same runner still answers.
pub(crate) async fn neighbour_is_fine(runner: &Runner) {
    let script = Script::new("neighbour", "fine", Runtime::Python3, "print(ARGS['x'] + 1)", "{}");
    let outcome = runner.run(&script, call(r#"{"x": 41}"#)).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "42"), "{}", outcome.stderr);
}

/// Another JavaScript of the same runner still answers.
pub(crate) async fn other_node_is_fine(runner: &Runner) {
    let script = Script::new("neighbour", "fine", Runtime::NodeJs, "console.log(ARGS.x + 1)", "{}");
    let outcome = runner.run(&script, call(r#"{"x": 41}"#)).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "42"), "{}", outcome.stderr);
}

/// The test's runner, with other settings where they are given; without Python the test ends here.
macro_rules! runner_or_skip {
    () => {
        $crate::support::runner_or_skip!(|builder| builder)
    };
    ($settings:expr) => {
        match $crate::support::runner_for(syncano_core::Language::Python, $settings) {
            Some(runner) => {
                // So that every worker comes to be in the same way.
                runner.is_prepared(syncano_core::Language::Python).await;
                runner
            }
            None => return,
        }
    };
}
pub(crate) use runner_or_skip;

/// The same for Node.
macro_rules! node_or_skip {
    () => {
        $crate::support::node_or_skip!(|builder| builder)
    };
    ($settings:expr) => {
        match $crate::support::runner_for(syncano_core::Language::JavaScript, $settings) {
            Some(runner) => runner,
            None => return,
        }
    };
}
pub(crate) use node_or_skip;
