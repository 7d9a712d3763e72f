//! What a call has changed of the language, of Node's modules and of the global scope reaches no later one.

use serde_json::json;
use syncano_core::RunStatus;
use syncano_runner::{Isolation, Outcome, Runner, Script};

use crate::support::*;

/// What a call does, and what shows it to another one.
const CHANGES: [(&str, &str); 46] = [
    ("fs.existsSync = () => 'patched'", "fs.existsSync('/')"),
    ("fs.promises.readFile = 1", "typeof fs.promises.readFile"),
    ("delete fs.readFileSync", "typeof fs.readFileSync"),
    ("require('fs/promises').readFile = 1", "typeof require('fs/promises').readFile"),
    ("http.n = 1", "http.n"),
    ("http.globalAgent.maxSockets = 3", "http.globalAgent.maxSockets"),
    ("https.globalAgent.options.rejectUnauthorized = false", "https.globalAgent.options.rejectUnauthorized"),
    ("util.inspect.defaultOptions.depth = 0", "util.inspect({ a: { b: { c: 1 } } })"),
    ("util.types.isDate = () => 5", "util.types.isDate(1)"),
    ("events.defaultMaxListeners = 99", "events.defaultMaxListeners"),
    ("events.prototype.hack = 1", "new events().hack"),
    ("events.captureRejections = true", "events.captureRejections"),
    ("stream.Readable.prototype.hack = 1", "new stream.Readable().hack"),
    ("stream.setDefaultHighWaterMark?.(false, 5)", "stream.getDefaultHighWaterMark?.(false)"),
    ("net.setDefaultAutoSelectFamily?.(false)", "net.getDefaultAutoSelectFamily?.()"),
    ("dns.setDefaultResultOrder('ipv6first')", "dns.getDefaultResultOrder?.()"),
    ("dns.setServers(['192.0.2.1'])", "dns.getServers().join()"),
    ("require('module')._load = () => 5", "typeof require('path')"),
    ("require.extensions['.x'] = 1", "Object.keys(require.extensions).join()"),
    ("process.env.TZ = 'America/New_York'", "[new Date(0).getTimezoneOffset(), process.env.TZ]"),
    ("process.title = 'x'", "process.title"),
    ("process.versions.x = 1", "process.versions.x"),
    ("process.mine = 1", "process.mine"),
    ("Error.stackTraceLimit = 0", "Error.stackTraceLimit"),
    ("Error.prepareStackTrace = () => 'mine'", "new Error('x').stack.slice(0, 5)"),
    ("Map.n = 1", "Map.n"),
    ("Map.prototype[Symbol.for('q')] = 1", "new Map()[Symbol.for('q')]"),
    ("Object.defineProperty(Map.prototype, 'size', { get() { return 7 } })", "new Map().size"),
    ("Object.freeze(Map.prototype)", "Object.isFrozen(Map.prototype)"),
    ("Object.setPrototypeOf(Map.prototype, { hack: 1 })", "new Map().hack"),
    ("delete Array.prototype.at", "typeof [].at"),
    ("Object.getPrototypeOf(function* () {}).prototype.hack = 1", "(function* () {})().hack"),
    ("Object.getPrototypeOf([].values()).next = () => ({ done: true })", "[...[1].values()].length"),
    ("const key = '__pro' + 'to__'; const o = {}; o[key]['hack'] = 1", "({}).hack"),
    ("Intl.DateTimeFormat.prototype.hack = 1", "new Intl.DateTimeFormat().hack"),
    ("URL.prototype.hack = 1", "new URL('http://a').hack"),
    ("Buffer.poolSize = 3", "Buffer.poolSize"),
    ("console.mine = 1", "console.mine"),
    ("HttpResponse.prototype.hack = 1", "new HttpResponse().hack"),
    ("AppError.n = 7", "AppError.n"),
    ("fetch = Promise = 5", "typeof fetch + typeof Promise"),
    ("[Math.max] = [() => 5]", "Math.max(1, 2)"),
    ("for (Math.min of [() => 5]);", "Math.min(1, 2)"),
    ("eval('Math.' + 'max = () => 5')", "Math.max(1, 2)"),
    ("performance.mark('a')", "performance.getEntriesByType('mark').length"),
    ("/(secret)/.exec('secret')", "RegExp.$1"),
];

const MODULES: [&str; 9] = ["fs", "http", "https", "util", "events", "stream", "net", "dns", "zlib"];

/// The modules that a text names, by `require` or by `import`.
fn loaded(text: &str, load: fn(&str) -> String) -> String {
    MODULES.iter().filter(|name| text.contains(&format!("{name}."))).map(|name| load(name)).collect()
}

async fn succeed(runner: &Runner, script: &Script, arguments: &str) -> Outcome {
    let outcome = runner.run(script, call(arguments)).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}: {}", script.source(), outcome.stderr);
    outcome
}

#[tokio::test]
async fn a_program_finds_what_the_first_one_found() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    let globals = [
        ("globalThis[Symbol.for('s')] = 1", "globalThis[Symbol.for('s')]"),
        ("Object.defineProperty(globalThis, 'h', { value: 1, configurable: true })", "globalThis.h"),
        ("Object.defineProperty(globalThis, 'h', { value: 1 })", "globalThis.h"),
        ("Object.defineProperty(globalThis, 'performance', { value: 5 })", "typeof performance"),
    ];
    for (change, seen) in CHANGES.into_iter().chain(globals) {
        let load = loaded(&format!("{change}{seen}"), |name| format!("const {name} = require('{name}');\n"));
        let source = format!("{load}if (ARGS.change) {{ {change} }}\nelse console.log({seen})");
        let script = javascript(&source);
        let before = succeed(&runner, &script, "{}").await.stdout;
        for _ in 0..2 {
            succeed(&runner, &script, r#"{"change":1}"#).await;
            assert_eq!(succeed(&runner, &script, "{}").await.stdout, before, "{change}");
        }
    }
}

#[tokio::test]
async fn so_does_a_function() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for (change, seen) in CHANGES {
        let load = loaded(&format!("{change}{seen}"), |name| format!("import {name} from '{name}';\n"));
        // Modules are strict, and names of the global scope can be assigned to.
        let source = format!(
            "{load}export default ({{ change }}) => {{\n  if (change) {{ {change}; return null }}\n  return String({seen});\n}}"
        );
        let script = javascript(&source);
        let before = value(&succeed(&runner, &script, "{}").await);
        succeed(&runner, &script, r#"{"change":1}"#).await;
        assert_eq!(value(&succeed(&runner, &script, "{}").await), before, "{change}");
    }
}

#[tokio::test]
async fn what_the_top_level_of_a_function_has_changed_stays() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    let source = "import util from 'node:util';\nimport dns from 'node:dns';\nString.prototype.twice = function () { return this + this };\n\
                  util.inspect.defaultOptions.depth = 0;\nprocess.env.SET = '1';\ndns.setDefaultResultOrder('ipv4first');\n\
                  globalThis.cache = new Map();\nlet count = 0;\nexport default ({ n }) => {\n  cache.set(n, ++count);\n  \
                  return [process.pid, 'a'.twice(), util.inspect({ a: { b: 1 } }), process.env.SET, cache.size];\n}";
    let script = javascript(source);
    let first = value(&succeed(&runner, &script, r#"{"n":1}"#).await);
    for n in 2..=3 {
        let mut expected = first.clone();
        expected[4] = json!(n);
        assert_eq!(value(&succeed(&runner, &script, &format!("{{\"n\":{n}}}")).await), expected);
    }
    assert_eq!((&first[1], &first[2], &first[3]), (&json!("aa"), &json!("{ a: [Object] }"), &json!("1")));
}

/// Objects of a script's own, and modules that it only uses.
#[tokio::test]
async fn ordinary_scripts_cost_no_process() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for body in [
        "const o = {}; o.x = 1; o['y'] = 2; o.x++; delete o.y; Object.assign(o, { z: Math.max(1, 2) })",
        "class A { static n = 1; #p = 2; constructor() { this.x = this.#p; A.n++ } }\nObject.freeze(new A()); A.prototype.m = () => 1",
        "function Old() {}\nOld.prototype.m = function () {}; Object.defineProperty(new Old(), 'x', { value: 1 })",
        "const http = require('http'); const agent = new http.Agent(); agent.maxSockets = 5; agent.destroy()",
        "const { EventEmitter } = require('events'); class E extends EventEmitter {}\nconst e = new E(); e.x = 1; e.setMaxListeners(5); e.on('x', () => {}); e.emit('x')",
        "const util = require('util'); const o = {}; o.x = util.inspect(process.versions); util.promisify(setTimeout)",
        "const crypto = require('crypto'); const h = crypto.createHash('sha256'); h.x = 1; h.update('a').digest()",
        "const s = new Set(); s[Symbol('x')] = 1; Reflect.ownKeys(s); console.error.name; process.argv[2] = 'x'",
        "const o = { __proto__: null }; o.x = o.constructor; const f = Function('return 1'); o.y = eval('1 + ' + f())",
        "const e = new Error('x'); e.code = e.constructor.name; e.stack; 'a-b'.replace(/(a)/g, m => m); JSON.parse('{}').x = RegExp.$1",
        "globalThis.left = 1; this.other = 2; undeclared = 3; exports.x = 1; module.exports.y = 2",
    ] {
        let source = format!("{body};\nconsole.log(process.pid)");
        let script = javascript(&source);
        let first = succeed(&runner, &script, "{}").await.stdout;
        for _ in 0..3 {
            assert_eq!(succeed(&runner, &script, "{}").await.stdout, first, "{body}");
        }
    }
}
