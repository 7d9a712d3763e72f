//! Scripts that change what the worker's own program stands on. Its answer is right all the same, or the run fails.

use serde_json::json;
use syncano_core::RunStatus;
use syncano_runner::Answer;

use crate::support::*;

/// Each of these replaces something that a worker's program might use after the script has run.
const CHANGES: &[&str] = &[
    "JSON.stringify = () => '\"forged\"'",
    "JSON.parse = () => ({})",
    "Array.prototype.push = Array.prototype.join = Array.prototype.map = function () { return ['forged'] }",
    "Array.prototype[Symbol.iterator] = function* () { yield 'forged' }",
    "Object.defineProperty(Array.prototype, '0', { set() {}, get() { return 'forged' }, configurable: true })",
    "Array.isArray = Number.isFinite = Object.keys = Object.entries = () => []",
    "Promise.prototype.then = function () { return this }",
    "Promise.prototype.catch = Promise.prototype.finally = null; Promise.resolve = null",
    "Promise = Symbol = Error = Buffer = TextEncoder = Uint8Array = Number = Object = Array = String = null",
    "process.stdout.write = process.stderr.write = () => { throw new Error('no') }",
    "Object.defineProperty(Object.prototype, 'value', { set() {}, get() { return 'forged' }, configurable: true })",
    "for (const name of ['kind', 'head', 'body', 'response', 'number', 'get', 'set', 'next', 'status_code', 'content'])\n  \
     Object.defineProperty(Object.prototype, name, { set() {}, get() { return undefined }, configurable: true })",
    "Object.prototype.writable = false; Object.prototype.enumerable = false",
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => 'forged'",
    "Reflect.apply = Reflect.construct = () => 'forged'",
    "String.prototype.indexOf = String.prototype.slice = String.prototype.replace = () => 'forged'",
    "RegExp.prototype.exec = () => null",
    "TextEncoder.prototype.encode = () => new Uint8Array(3)",
    "Buffer.from = Buffer.alloc = Buffer.allocUnsafe = Buffer.prototype.toString = () => 'forged'",
    "Object.getPrototypeOf(Uint8Array.prototype).subarray = () => 'forged'",
    "WeakSet.prototype.has = WeakMap.prototype.get = () => true",
    "Object.defineProperty(HttpResponse, Symbol.hasInstance, { value: () => true })",
    "require('fs').writeSync = require('fs').readSync = () => 0",
    "require('util').inspect = () => 'forged'",
    "require('vm').Script = require('module').createRequire = null",
    "process.emitWarning = process.cwd = () => { throw 1 }",
    "process.removeAllListeners()",
    "console.log = console.error = null; console = null",
    "process = null",
    "Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 0",
    "setImmediate = setTimeout = queueMicrotask = null; process.nextTick = null",
    "require('events').prototype.emit = require('events').prototype.on = () => false",
    "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {}",
];

#[tokio::test]
async fn a_returned_value_is_what_the_script_returned() {
    let runner = node_or_skip!();
    for change in CHANGES {
        let source = format!(
            "export default async () => {{\n  {change};\n  await null;\n  return {{ a: [1, 'b'] }};\n}}"
        );
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!(value(&outcome), json!({"a": [1, "b"]}), "{change}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_response_is_what_the_script_set() {
    let runner = node_or_skip!();
    for change in CHANGES {
        let source =
            format!("setResponse(new HttpResponse(201, 'mine', 'a/b', {{ A: 'x' }}));\n{change};\n0");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        let response = response(&outcome);
        assert_eq!((response.status, &response.content[..]), (201, &b"mine"[..]), "{change}");
        assert_eq!(response.headers, [("A".to_owned(), "x".to_owned())], "{change}");
    }
}

#[tokio::test]
async fn an_exception_is_a_failure() {
    let runner = node_or_skip!();
    for change in CHANGES {
        // Made before, because after some of these the script itself has no errors any more.
        let source = format!("const error = new AppError('Mine', [1]);\n{change};\nthrow error");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{change}");
        let expected = Some(Answer::AppError(r#"{"Mine":[1]}"#.into()));
        assert_eq!(outcome.answer, expected, "{change}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{change}");
    }
}

/// After these no answer may get through; what gets through is the script's own.
#[tokio::test]
async fn what_breaks_the_worker_is_a_failure_or_the_script_s_own_answer() {
    let runner = node_or_skip!();
    for change in [
        "Object.prototype.errno = -2",
        "Object.prototype.code = 'ENOENT'; Object.prototype.error = 1",
        "Object.defineProperty(Object.prototype, 'errno', { set() {}, get() { return -2 } })",
        "Object.freeze(process); Object.freeze(globalThis)",
        "Object.defineProperty(process, 'exitCode', { get() { throw 1 }, set() { throw 1 } })",
        "Promise.prototype.constructor = function () { throw 1 }; Promise.prototype.then = null",
        "Object.prototype.then = function (resolve) { resolve('mine too') }",
        "Object.prototype.toJSON = () => 'mine too'",
        "require('inspector')",
        "process.reallyExit = () => {}",
    ] {
        let source = format!(
            "export default async () => {{\n  {change};\n  await null;\n  return {{ a: [1, 'b'] }};\n}}"
        );
        let outcome = runner.run(&javascript(&source), within(std::time::Duration::from_secs(5))).await;
        match &outcome.answer {
            Some(Answer::Value(json)) => {
                assert_eq!(outcome.status, RunStatus::Success);
                assert!(
                    [&br#"{"a":[1,"b"]}"#[..], br#""mine too""#].contains(&&json[..]),
                    "{change}: {json:?}"
                );
            }
            answer => {
                assert_eq!(
                    (outcome.status, answer),
                    (RunStatus::Failure, &None),
                    "{change}: {}",
                    outcome.stderr
                )
            }
        }
        other_node_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn an_event_s_emitter_that_is_taken_away_forges_nothing() {
    let runner = node_or_skip!();
    for change in
        ["process.emit = () => true", "process.emit = null", "delete process.emit; process.reallyExit = null"]
    {
        let source =
            format!("setResponse(new HttpResponse(201));\n{change};\nif (ARGS.fail) throw new Error('no')");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        if let Some(Answer::Response(response)) = &outcome.answer {
            assert_eq!(response.status, 201);
        }
        // The exception may be one that the script has made sure nobody hears of; an answer it is not.
        let outcome = runner.run(&javascript(&source), call(r#"{"fail":1}"#)).await;
        assert_eq!(outcome.answer, None, "{change}");
        other_node_is_fine(&runner).await;
    }
}
