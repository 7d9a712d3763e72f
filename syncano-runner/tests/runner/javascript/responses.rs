//! Responses, values and application errors.

use bytes::Bytes;
use syncano_core::RunStatus;
use syncano_runner::{Answer, Response};

use crate::support::*;

#[tokio::test]
async fn the_last_response_counts() {
    let runner = node_or_skip!();
    let source = "setResponse(new HttpResponse(500, 'first'));\nconsole.log('printed');\n\
                  setTimeout(() => setResponse(new HttpResponse('201', '<p>', 'text/html', { 'X-A': 1, Connection: \
                  'close' })), 5);";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "printed"), "{}", outcome.stderr);
    let expected = Response {
        status: 201,
        content_type: "text/html".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        content: Bytes::from("<p>"),
    };
    assert_eq!(response(&outcome), &expected);
}

#[tokio::test]
async fn defaults_and_content_of_any_kind() {
    let runner = node_or_skip!();
    for (source, content) in [
        ("setResponse(new HttpResponse())", &b""[..]),
        ("setResponse(new HttpResponse(200, { a: [1, 'ä'] }))", r#"{"a":[1,"ä"]}"#.as_bytes()),
        ("setResponse(new HttpResponse(200, null))", b"null"),
        ("setResponse(new HttpResponse(200, 5))", b"5"),
        ("setResponse(new HttpResponse(200, Buffer.from([255, 0])))", b"\xff\x00"),
        ("setResponse(new HttpResponse(200, new Uint16Array([1, 2]).subarray(1)))", b"\x02\x00"),
        ("setResponse(new HttpResponse(200, new ArrayBuffer(2)))", b"\x00\x00"),
        ("export default () => new HttpResponse(200, 'returned')", b"returned"),
        ("export default () => { setResponse(new HttpResponse(200, 'set')) }", b"set"),
        ("const r = new HttpResponse();\nr.content = 'changed';\nsetResponse(r)", b"changed"),
        ("class Mine extends HttpResponse {}\nsetResponse(new Mine(200, 'mine'))", b"mine"),
        ("setResponse(new HttpResponse(200, 'exited'));\nprocess.exit(0)", b"exited"),
        ("process.on('exit', () => setResponse(new HttpResponse(200, 'late')))", b"late"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        let response = response(&outcome);
        assert_eq!((response.status, &*response.content_type), (200, "application/json"), "{source}");
        assert_eq!(&response.content[..], content, "{source}");
    }
}

#[tokio::test]
async fn what_is_no_response_is_none() {
    let runner = node_or_skip!();
    for source in [
        "setResponse('text')",
        "setResponse(new HttpResponse());\nsetResponse(null)",
        "setResponse({ status_code: 200, content: 'x', content_type: 'a/b', headers: {} })",
        "setResponse(Object.create(HttpResponse.prototype))",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None), "{source}");
    }
}

#[tokio::test]
async fn a_failed_script_has_no_response() {
    let runner = node_or_skip!();
    for source in [
        "setResponse(new HttpResponse());\nthrow new Error('no')",
        "setResponse(new HttpResponse());\nsetTimeout(() => { throw 1 }, 1)",
        "setResponse(new HttpResponse());\nPromise.reject(new Error('no'))",
        "setResponse(new HttpResponse());\nprocess.exit(3)",
        "setResponse(new HttpResponse());\nprocess.exitCode = 3",
        "process.on('exit', () => process.exit(0));\nsetResponse(new HttpResponse());\nthrow new Error('no')",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None), "{source}");
    }
}

#[tokio::test]
async fn bad_responses_fail_with_the_reason() {
    let runner = node_or_skip!();
    for (arguments, reason) in [
        ("99", "status 99 is not within 200 to 599"),
        ("1000", "1000 is not within 200 to 599"),
        ("-1", "-1 is not within 200 to 599"),
        ("1e300", "is not within 200 to 599"),
        ("'many'", "not a number: 'many'"),
        ("{}", "not a number: {}"),
        ("200, '', 'html'", "content type must be"),
        ("200, '', Symbol('x')", "content type can't be made a text: Symbol(x)"),
        ("200, '', 'a/b', [1]", "headers are not a plain object"),
        ("200, '', 'a/b', new Map()", "headers are not a plain object"),
        ("200, '', 'a/b', { 'A b': '1' }", "a header's name"),
        ("200, '', 'a/b', { A: 'x\\r\\ny' }", "the value of its header `A`"),
        ("200, '', 'a/b', Object.fromEntries([...Array(51).keys()].map(n => ['a' + n, 1]))", "51 headers"),
        ("200, 'x'.repeat(6 * 1024 * 1024 + 1)", "at most 6291456 are allowed"),
        ("200, 5n", "the response's content can't be written as JSON"),
    ] {
        let source = format!("setResponse(new HttpResponse({arguments}))");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None), "{arguments}");
        assert!(outcome.stderr.contains(reason), "{arguments}: {}", outcome.stderr);
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn the_largest_response_passes() {
    let runner = node_or_skip!();
    let source = "setResponse(new HttpResponse(200, 'x'.repeat(6 * 1024 * 1024)))";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(response(&outcome).content.len(), 6 * 1024 * 1024);
}

#[tokio::test]
async fn values_are_json_or_the_run_fails() {
    let runner = node_or_skip!();
    for (expression, json) in [
        ("({ a: [1, null, 'ä'], b: undefined })", r#"{"a":[1,null,"ä"]}"#),
        ("undefined", "null"),
        ("null", "null"),
        ("1.5", "1.5"),
        ("false", "false"),
        ("new Date(0)", r#""1970-01-01T00:00:00.000Z""#),
        ("({ at: new Date(0), toJSON() { return [1] } })", "[1]"),
        ("new Promise(resolve => setTimeout(resolve, 5, 'later'))", r#""later""#),
        ("({ then(resolve) { resolve('thenable') } })", r#""thenable""#),
    ] {
        let source = format!("export default () => {expression}");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!(outcome.answer, Some(Answer::Value(Bytes::from(json))), "{source}: {}", outcome.stderr);
    }
    for (expression, reason) in [
        ("NaN", "it is NaN"),
        ("({ a: [1, { price: -Infinity }] })", "its `a[1].price` is -Infinity"),
        ("[1, NaN]", "its `[1]` is NaN"),
        ("() => 1", "it is a function"),
        ("({ greet() {} })", "its `greet` is a function"),
        ("Symbol('x')", "it is a symbol"),
        ("5n", "BigInt"),
        ("({ n: 5n })", "BigInt"),
        ("{ const a = {}; a.a = a; return a }", "circular"),
        ("({ toJSON() { throw new Error('mine') } })", "mine"),
    ] {
        let body = if expression.starts_with("{ ") {
            expression.to_owned()
        } else {
            format!("{{ return {expression} }}")
        };
        let source = format!("export default () => {body}");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{expression}");
        let text = "what the default function returned can't be written as JSON";
        for part in [text, reason] {
            assert!(outcome.stderr.contains(part), "{expression}: {}", outcome.stderr);
        }
    }
}

/// One process answers all: what is refused spoils nothing.
async fn returned(runner: &syncano_runner::Runner, expression: &str) -> syncano_runner::Outcome {
    let source = format!("export default function () {{ return {expression} }}");
    runner.run(&javascript(&source), call("{}")).await
}

#[tokio::test]
async fn what_json_would_lose_is_refused_with_its_place() {
    let runner = node_or_skip!();
    for (expression, reason) in [
        ("({ rows: (async () => [1, 2])() })", "its `rows` is a promise: `await` it"),
        ("[1, 2].map(async x => x * 2)", "its `[0]` is a promise"),
        (
            "({ query: new (class Query { a = 1; then(ok) { setTimeout(ok) } })() })",
            "its `query` is a promise",
        ),
        ("({ counts: new Map([['a', 1]]) })", "its `counts` is a Map: send `Object.fromEntries(map)`"),
        ("new Set([1, 2])", "it is a Set: send `[...set]`"),
        ("({ ok: false, error: new TypeError('x') })", "its `error` is an Error: send its `message`"),
        ("({ error: Object.assign(new Error('x'), { code: 5 }) })", "its `error` is an Error"),
        ("[/x/g]", "its `[0]` is a RegExp"),
        ("({ d: new Date(0), bad: [new Date(NaN)] })", "its `bad[0]` is a Date that is no time"),
        ("new Headers({ a: '1' })", "it is a Headers: send `Object.fromEntries(x)`"),
        ("[new URL('http://x/y'), new URLSearchParams('a=1')]", "its `[1]` is a URLSearchParams"),
        ("new Response('hi', { status: 201 })", "it is a Response: send `await x.json()`"),
        ("new Request('http://x')", "it is a Request"),
        ("new Blob(['hi'])", "it is a Blob: send `await x.text()`"),
        ("new FormData()", "it is a FormData"),
        ("(function* () { yield 1 })()", "it is a generator: send `[...generator]`"),
        ("(async function* () { yield 1 })()", "it is an async generator"),
        ("({ values: [1, 2].values() })", "its `values` is an iterator: send `[...iterator]`"),
        ("new Map().entries()", "it is an iterator"),
        ("new WeakMap()", "it is a WeakMap"),
        ("Buffer.from('x')", "it is a Buffer: send it as text, `Buffer.from(x).toString('base64')`"),
        ("({ a: { b: new Uint8Array(2) } })", "its `a.b` is a Uint8Array"),
        ("new ArrayBuffer(2)", "it is an ArrayBuffer"),
        ("new (class Secret { #x = 1 })()", "it is a Secret without fields of its own"),
        ("Object.create({ inherited: 1 })", "without fields of its own"),
        ("new DOMException('x')", "it is a DOMException without fields"),
        ("5n", "it is a BigInt: send it as text, `String(n)`"),
        ("({ a: [1, { n: 5n }] })", "its `a[1].n` is a BigInt"),
        ("new Number(NaN)", "it is NaN"),
        ("Object(Symbol('x'))", "it is a symbol"),
        ("({ 'a-b': { 'ü': [NaN] } })", "its `[\"a-b\"].ü[0]` is NaN"),
        ("({ ['__proto__']: { a: NaN } })", "its `__proto__.a` is NaN"),
        ("{ list: Object.assign([], { name: 'x' }) }", "its `list` is an array with a field `name`"),
        ("globalThis.require('vm').runInNewContext('({ a: [new Map()] })')", "its `a[0]` is a Map"),
        ("globalThis.require('vm').runInNewContext('new Date(NaN)')", "it is a Date that is no time"),
        // What an object says of itself is looked at, too.
        ("({ a: [{ toJSON() { return { x: Promise.resolve() } } }] })", "its `a[0].x` is a promise"),
        ("({ a: [{ async toJSON() { return 1 } }] })", "its `a[0]` is a promise"),
        ("({ a: { toJSON() { return { b: Buffer.from('x') } } } })", "its `a.b` is a Buffer"),
        ("({ a: { toJSON() { return [new Date(NaN)] } } })", "its `a[0]` is a Date that is no time"),
        ("new (class extends Map { toJSON() { return this } })()", "Map"),
        (
            "(() => { const rows = Array.from({ length: 10000 }, () => ({})); for (const row of rows) row.rows = rows; \
             return rows })()",
            "circular",
        ),
    ] {
        let outcome = returned(&runner, expression).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{expression}");
        let text = "what the default function returned can't be written as JSON: ";
        for part in [text, reason] {
            assert!(outcome.stderr.contains(part), "{expression}: {}", outcome.stderr);
        }
    }
    for (source, reason) in [
        (
            "setResponse(new HttpResponse(200, { a: [new Map()] }))",
            "the response's content can't be written as JSON: its `a[0]` is a Map",
        ),
        ("setResponse(new HttpResponse(200, Promise.resolve(1)))", "it is a promise"),
        (
            "throw new AppError('Bad', { rows: new Set() })",
            "the data of AppError 'Bad' can't be written as JSON: its `rows` is a Set",
        ),
        (
            "const r = new HttpResponse();\nr.status = 404;\nsetResponse(r)",
            "an HttpResponse has no field `status`",
        ),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{source}");
        assert!(outcome.stderr.contains(reason), "{source}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn what_json_keeps_crosses_as_ever() {
    let runner = node_or_skip!();
    for (expression, json) in [
        ("({ a: undefined, b: [undefined, 1], c: [, 2] })", r#"{"b":[null,1],"c":[null,2]}"#),
        ("[{}, [], Object.create(null)]", "[{},[],{}]"),
        ("'x1'.match(/x(\\d)/)", r#"["x1","1"]"#),
        ("new (class P { #x = 1; y = 2 })()", r#"{"y":2}"#),
        (
            "new (class Money { #cents = 150; toJSON() { return (this.#cents / 100).toFixed(2) } })()",
            r#""1.50""#,
        ),
        ("({ a: new (class extends Map { toJSON() { return [...this] } })([[1, 2]]) })", r#"{"a":[[1,2]]}"#),
        (
            "Object.assign(new Error('x'), { toJSON() { return { message: this.message } } })",
            r#"{"message":"x"}"#,
        ),
        ("({ a: { toJSON() { return undefined } }, b: 1 })", r#"{"b":1}"#),
        ("[new Number(5), new String('x'), new Boolean(true)]", r#"[5,"x",true]"#),
        ("(BigInt.prototype.toJSON = function () { return String(this) }, { a: [5n] })", r#"{"a":["5"]}"#),
        ("globalThis.require('vm').runInNewContext('({ a: 1, b: [{}], c: new Date(0) })')", {
            r#"{"a":1,"b":[{}],"c":"1970-01-01T00:00:00.000Z"}"#
        }),
        (
            "({ url: new URL('http://x/y'), then: 5, toJSON: 5 })",
            r#"{"url":"http://x/y","then":5,"toJSON":5}"#,
        ),
        ("new Proxy({ a: [1] }, {})", r#"{"a":[1]}"#),
        // Asked once, and for nothing but the answer.
        ("(() => { let n = 0; return { toJSON() { return { asked: ++n } } } })()", r#"{"asked":1}"#),
    ] {
        let outcome = returned(&runner, expression).await;
        assert_eq!(
            outcome.answer,
            Some(Answer::Value(Bytes::from(json))),
            "{expression}: {}",
            outcome.stderr
        );
    }
    for source in [
        "const r = new HttpResponse();\nr.status_code = 404;\nr.content_type = 'text/plain';\nr.content = 'x';\nsetResponse(r)",
        "const r = new HttpResponse();\nr.statusCode = 404;\nr.contentType = 'text/plain';\nr.content = 'x';\nsetResponse(r)",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        let response = response(&outcome);
        assert_eq!(
            (response.status, &*response.content_type, &response.content[..]),
            (404, "text/plain", &b"x"[..])
        );
    }
}

#[tokio::test]
async fn application_errors_are_tagged() {
    let runner = node_or_skip!();
    for (thrown, json) in [
        ("new AppError('OutOfStock', { left: 3 })", r#"{"OutOfStock":{"left":3}}"#),
        ("AppError('OutOfStock', { left: 3 })", r#"{"OutOfStock":{"left":3}}"#),
        ("new AppError('Gone')", r#""Gone""#),
        ("new AppError('Gone', null)", r#""Gone""#),
        ("new AppError('Zero', 0)", r#"{"Zero":0}"#),
        (r#"new AppError('Quo"ted', 'ä')"#, r#"{"Quo\"ted":"ä"}"#),
        ("new (class extends AppError { constructor() { super('Sub', [1]) } })()", r#"{"Sub":[1]}"#),
    ] {
        for source in [
            format!("throw {thrown}"),
            format!("setTimeout(() => {{ throw {thrown} }}, 1)"),
            format!("(async () => {{ throw {thrown} }})"),
            format!("async function main() {{ throw {thrown} }}\nmain()"),
            format!("export default () => {{ throw {thrown} }}"),
            format!("export default async () => {{ await null; throw {thrown} }}"),
            format!("export {{}};\nthrow {thrown}"),
        ] {
            let outcome = runner.run(&javascript(&source), call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Failure);
            let expected = Answer::AppError(Bytes::copy_from_slice(json.as_bytes()));
            assert_eq!(outcome.answer, Some(expected), "{source}: {}", outcome.stderr);
            assert!(outcome.stderr.contains("AppError: "), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("<test>:"), "{}", outcome.stderr);
        }
    }
    for (thrown, reason) in [
        ("new AppError('X', 5n)", "the data of AppError 'X'"),
        ("new AppError('')", "the name of an AppError must be a text that isn't empty: ''"),
        ("new AppError(5)", "the name of an AppError must be a text that isn't empty: 5"),
    ] {
        let outcome = runner.run(&javascript(&format!("throw {thrown}")), call("{}")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
        assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_caught_application_error_is_nothing_special() {
    let runner = node_or_skip!();
    let source = "try { throw new AppError('X', 1) } catch (error) {\n  \
                  console.log(error.name, error.data, error instanceof AppError, error instanceof Error);\n}";
    assert_eq!(logged(&runner, source).await, "X 1 true true");
    // One that only looks like it is an ordinary error.
    let source = "throw Object.assign(Object.create(AppError.prototype), { name: 'X' })";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
}
