//! What a failed call looks like as a report: the texts beside this file, word for word. `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Debug;

use miette::{GraphicalReportHandler, GraphicalTheme};
use secrecy::ExposeSecret as _;
use syncano_client::{CallError, Method, socket};

use crate::World;

#[socket(name = "python-failures", runtime = "python3", config = {"password": "hunter2"})]
mod python_failures {
    #[endpoint(
        "function",
        POST,
        source = r#"
        LEFT = {"tea": 3}

        def left(name):
            return LEFT[name]

        def main(name: str, count: int) -> int:
            return left(name) - count
    "#,
        timeout = 2.5
    )]
    pub(crate) async fn function(name: &str, count: u8) -> u8;

    #[endpoint(
        "program",
        GET,
        source = r#"
        print("so far")
        numbers = [1, 2]
        print(numbers[2])
    "#
    )]
    pub(crate) async fn program();

    #[endpoint("file", GET, file = "reports/divide.py")]
    pub(crate) async fn file() -> f64;

    #[endpoint("file", POST, script = "file")]
    pub(crate) async fn the_same_file() -> f64;

    #[endpoint("slow", GET, source = "while True: pass", timeout = 0.1)]
    pub(crate) async fn slow();

    #[endpoint("wrong", GET, source = "def main(): return [1, 'x']")]
    pub(crate) async fn wrong() -> Vec<u8>;
}

#[socket(name = "javascript-failures", runtime = "nodejs_v12")]
mod javascript_failures {
    #[endpoint(
        "js-function",
        POST,
        source = r#"
        const left = { tea: { count: 3 } };

        export default function ({ name }) {
            return left[name].count;
        }
    "#
    )]
    pub(crate) async fn function(name: &str) -> u8;

    #[endpoint(
        "js-program",
        GET,
        source = r#"
        console.log('so far');
        throw new TypeError('not today');
    "#
    )]
    pub(crate) async fn program();
}

/// The report as miette shows it, without colours and without the marks below a line, which differ between versions of Python.
fn report<T: Debug>(result: Result<T, CallError>) -> String {
    let error = result.unwrap_err();
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut text, &error).unwrap();
    let is_mark = |line: &&str| line.contains('^') && line.trim_matches(['│', ' ', '~', '^']).is_empty();
    text.lines().filter(|line| !is_mark(line)).map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Compares with the golden of that name; an edit of this file moves the lines in it.
fn is_golden(name: &str, text: &str) {
    let path = format!("{}/end_to_end/reports/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "UPDATE_GOLDEN=1 writes {path}");
}

#[tokio::test]
async fn a_script_in_python() {
    if !crate::python() {
        return;
    }
    let world = World::new().await;
    python_failures::publish(&world.instance).await.unwrap();
    let api = python_failures::Client::new(&world.instance);
    is_golden("python_function", &report(api.function("coffee", 1).await));
    is_golden("python_program", &report(api.program().await));
    is_golden("python_file", &report(api.file().await));
    is_golden("python_timeout", &report(api.slow().await));
    is_golden("python_mismatch", &report(api.wrong().await));
    // Nothing was sent.
    is_golden("method", &report(api.program().method(Method::Put).await));
    // Another function's script is the same one.
    let shared = report(api.the_same_file().await);
    assert!(shared.contains("divide.py:3:") && shared.contains("called by POST"), "{shared}");
    // What was sent, what the script was configured with, and keys don't show.
    let all = report(api.function("coffee", 1).await);
    let key = world.server.account_key().expose_secret().to_owned();
    assert!(!all.contains("hunter2") && !all.contains(&key), "{all}");
}

#[tokio::test]
async fn a_script_in_javascript() {
    if !crate::node() {
        return;
    }
    let world = World::new().await;
    javascript_failures::publish(&world.instance).await.unwrap();
    let api = javascript_failures::Client::new(&world.instance);
    is_golden("javascript_function", &report(api.function("coffee").await));
    is_golden("javascript_program", &report(api.program().await));
}

#[tokio::test]
async fn a_script_that_is_not_the_published_one_is_not_shown() {
    if !crate::python() {
        return;
    }
    let world = World::new().await;
    let mut other = python_failures::definition();
    for dependency in &mut other.dependencies {
        if let syncano_client::Dependency::Script(script) = dependency
            && let syncano_core::ScriptSource::New { source, .. } = &mut script.script
        {
            *source = source.replace("print(numbers[2])", "print(numbers[3])");
        }
    }
    world.instance.publish(&other).await.unwrap();
    let text = report(python_failures::Client::new(&world.instance).program().await);
    assert!(text.contains("numbers[3]") && !text.contains("╭"), "{text}");
}

#[tokio::test]
async fn an_error_knows_where_the_call_was_made() {
    let world = World::new().await;
    let (error, line) = (python_failures::Client::new(&world.instance).program().await.unwrap_err(), line!());
    let location = error.called().location();
    assert_eq!((location.file(), location.line()), (file!(), line));
    assert_eq!((error.called().trace(), error.called().limits()), (None, None));
    let (error, line) = (world.instance.run(Method::Get, "none", ()).await.unwrap_err(), line!());
    assert_eq!(error.called().location().line(), line);
}
