//! How runs end.

use std::time::Duration;

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

/// Nothing of ours, or of Node below the script, is in a stack.
fn is_the_script_s_own(stderr: &str) -> bool {
    let frames: Vec<&str> = stderr.lines().filter(|line| line.trim_start().starts_with("at ")).collect();
    !stderr.contains("<syncano worker>")
        && !stderr.contains("[eval]")
        && frames.last().is_none_or(|frame| !frame.contains("node:"))
}

#[tokio::test]
async fn an_exception_shows_the_script_and_not_the_runner() {
    let runner = node_or_skip!();
    for (source, parts) in [
        (
            "function inner(x) {\n  return x.y.z;\n}\ninner({})",
            &[
                "<test>:2",
                "  return x.y.z;",
                "TypeError: Cannot read properties of undefined (reading 'z')",
                "at inner (<test>:2:14)",
                "at <test>:4:1",
            ][..],
        ),
        ("setTimeout(function tick() {\n  null.x\n}, 1)", &["TypeError", "<test>:2:8"]),
        (
            "async function main() {\n  await null;\n  throw new RangeError('late', { cause: new Error('why') });\n}\nmain()",
            &["RangeError: late", "at main (<test>:3:9)", "[cause]: Error: why"],
        ),
        (
            "export default async function named() {\n  await null;\n  undefined.x;\n}",
            &["at named", "<test>:3:13"],
        ),
        ("export {};\n\n  null.x", &["TypeError", "<test>:3:8"]),
        ("(function handler() {\n  null.x\n})", &["at handler (<test>:2:8)"]),
        ("require('fs').readFileSync('/nowhere')", &["ENOENT", "at <test>:1:15", "path: '/nowhere'"]),
        ("require('fs').readFile('/nowhere', error => { throw error })", &["ENOENT", "path: '/nowhere'"]),
        ("throw 5", &["Uncaught 5"]),
        ("throw null", &["Uncaught null"]),
        ("throw { a: [1] }", &["Uncaught { a: [ 1 ] }"]),
        ("Promise.reject('words')", &["UnhandledPromiseRejection", "words"]),
        ("function f() { f() }\nf()", &["RangeError: Maximum call stack size exceeded", "at f (<test>:1:"]),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{source}");
        for part in parts {
            assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
        }
        assert!(is_the_script_s_own(&outcome.stderr), "{source}: {}", outcome.stderr);
    }
    // Whatever it is called.
    let script = Script::new("instance", "a/worker", Runtime::NodeJs, "\n null.x", "{}");
    let outcome = runner.run(&script, call("{}")).await;
    assert!(outcome.stderr.contains("at <a/worker>:2:7"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_syntax_error_shows_its_line() {
    let runner = node_or_skip!();
    for (source, parts) in [
        ("x = 1\nx = = 2\n", &["<test>:2", "x = = 2", "SyntaxError: Unexpected token '='"][..]),
        ("export default () => {\n  x = = 2\n}", &["<test>:2", "SyntaxError: Unexpected token '='"]),
        ("import fs from 'fs';\nlet a; let a;", &["<test>:2", "Identifier 'a' has already been declared"]),
        ("await 1;\nx = = 2", &["SyntaxError"]),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure);
        for part in parts {
            assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
        }
        assert!(is_the_script_s_own(&outcome.stderr), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn exit_codes() {
    // In a namespace of its own a script is the first process, which its own signals don't end.
    const CODE: &str = "the script ended with exit code 3";
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process));
    for (exit, status, stderr) in [
        ("process.exit()", RunStatus::Success, ""),
        ("process.exit(0)", RunStatus::Success, ""),
        ("process.exit(3)", RunStatus::Failure, CODE),
        ("process.exit(124)", RunStatus::Timeout, ""),
        ("process.exitCode = 3", RunStatus::Failure, CODE),
        ("process.exitCode = 124", RunStatus::Timeout, ""),
        ("setTimeout(() => process.exit(3), 5)", RunStatus::Failure, CODE),
        ("process.on('exit', () => { process.exitCode = 3 })", RunStatus::Failure, CODE),
        ("process.exit(3)\n;(() => {})", RunStatus::Failure, CODE),
        ("process.abort()", RunStatus::Failure, "the script's process ended by signal SIGABRT (6)"),
        (
            "process.kill(process.pid, 'SIGKILL')",
            RunStatus::Failure,
            "the script's process ended by signal SIGKILL (9)",
        ),
    ] {
        let source = format!("console.log('before');\n{exit}");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (status, "before"), "{exit}: {}", outcome.stderr);
        assert!(outcome.stderr.ends_with(stderr), "{exit}: {}", outcome.stderr);
    }
    let outcome = runner.run(&javascript("export default () => process.exit(0)"), call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None));
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn a_script_that_takes_too_long_shows_where_it_was() {
    let runner = node_or_skip!();
    for (source, place) in [
        ("console.log('start');\nfunction spin() {\n  for (;;) {}\n}\nspin()", "at spin (<test>:3"),
        ("console.log('start');\nsetTimeout(function spin() {\n  for (;;) {}\n}, 1)", "(<test>:3"),
        ("console.log('start');\nexport default function spin() { for (;;) {} }", "at spin (<test>:2"),
        ("console.log('start');\nsetTimeout(() => {}, 100000)", ""),
        ("console.log('start');\nexport default () => new Promise(r => setTimeout(r, 100000))", ""),
        ("console.log('start');\nprocess.on('SIGINT', () => {});\nfor (;;) {}", ""),
        ("console.log('start');\nfor (;;) { try { for (;;) {} } catch {} }", ""),
        ("console.log('start');\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", ""),
        ("console.log('start');\n/^(a+)+$/.test('a'.repeat(100) + 'b')", ""),
    ] {
        let outcome = runner.run(&javascript(source), within(Duration::from_millis(700))).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Timeout, "start"),
            "{source}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(place), "{source}: {}", outcome.stderr);
        assert!(is_the_script_s_own(&outcome.stderr), "{source}: {}", outcome.stderr);
        assert!(outcome.stderr.ends_with("ended after its timeout of 0.7 s"), "{}", outcome.stderr);
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn endless_output_is_cut_and_memory_is_not() {
    let runner = node_or_skip!();
    let limit = 512 * 1024;
    for source in [
        "for (let i = 0; i < 100; i++) console.log('x'.repeat(100_000));\nconsole.error('end')",
        "for (let i = 0; i < 100; i++) process.stdout.write('x'.repeat(100_000));\nprocess.stderr.write('end')",
        // Past the layers of Node.
        "try { for (;;) require('fs').writeSync(1, 'y'.repeat(70_000)) } catch {}",
        "require('child_process');\nrequire('stream').Readable.from((function* () { for (let i = 0; i < 100; i++) yield \
         'x'.repeat(9_000_0) })()).pipe(process.stdout)",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert!(outcome.stderr.contains("the script printed more than the 512 KiB"), "{}", outcome.stderr);
        // But for the few bytes of the other output.
        assert_eq!((outcome.status, outcome.stdout.len().div_ceil(1024)), (RunStatus::Failure, limit / 1024));
    }
    let endless =
        "export default ({ bad }) => { console.log('x'.repeat(600_000)); return bad ? missing() : 1 }";
    let outcome = runner.run(&javascript(endless), call("{}")).await;
    assert_eq!((outcome.status, outcome.stdout.len()), (RunStatus::Success, limit));
    let outcome = runner.run(&javascript(endless), call(r#"{"bad":true}"#)).await;
    assert!(outcome.stderr.contains("ReferenceError"), "{}", outcome.stderr);
    let source = "process.stdout.write(Buffer.from([97, 255, 98, 10]))";
    assert_eq!(logged(&runner, source).await, "a\u{fffd}b");
}

#[tokio::test]
async fn too_much_memory_is_an_error_of_the_script() {
    let runner = node_or_skip!(|builder| builder.memory(100 << 20));
    let said = "ran out of memory";
    for (source, text) in [
        ("console.log('so far');\nconst x = [];\nfor (;;) x.push({ n: x.length, m: [x.length] })", said),
        (
            "console.log('so far');\nlet x = 'x';\nconst all = [];\nfor (;;) all.push(x = x + all.length)",
            said,
        ),
        ("console.log('so far');\nconst x = [];\nfor (;;) x.push(Buffer.alloc(1 << 20, 1))", ""),
        ("console.log('so far');\nBuffer.alloc(1 << 30)", "Array buffer allocation failed"),
        ("console.log('so far');\nnew WebAssembly.Memory({ initial: 4096 })", "could not allocate memory"),
        ("console.log('so far');\n'x'.repeat(2 ** 30)", "Invalid string length"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "so far"), "{source}");
        assert!(outcome.stderr.contains(text), "{source}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("stack trace"), "{source}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{source}");
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn much_of_the_memory_can_be_used() {
    let runner = node_or_skip!();
    for source in [
        "const x = [];\nfor (let i = 0; i < 1e6; i++) x.push({ n: i, m: [i] });\nconsole.log('fine')",
        "const x = [];\nfor (let i = 0; i < 100; i++) x.push(Buffer.alloc(1 << 20, 1));\nconsole.log('fine')",
    ] {
        assert_eq!(logged(&runner, source).await, "fine", "{source}");
    }
}
