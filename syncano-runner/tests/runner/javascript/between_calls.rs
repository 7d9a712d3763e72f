//! What one call leaves never reaches the next: it is put back, or the process is replaced.

use serde_json::json;
use syncano_core::RunStatus;
use syncano_runner::{Arguments, Call, Isolation, Outcome, Runner, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::*;

async fn succeed(runner: &Runner, script: &Script, arguments: &str) -> Outcome {
    let outcome = runner.run(script, call(arguments)).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}: {}", script.source(), outcome.stderr);
    outcome
}

#[tokio::test]
async fn what_can_be_put_back_costs_no_process() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    for left in [
        "fs.writeFileSync('file', 'x'); fs.mkdirSync('a/b', { recursive: true })",
        "process.env.LEFT = 'x'; process.env.LANG = 'x'; delete process.env.PATH",
        "process.umask(0)",
        "fs.mkdirSync('inner'); process.chdir('inner')",
        "process.on('exit', () => console.log('exit'))",
        "process.on('beforeExit', () => {})",
        "process.on('uncaughtException', () => {}).on('unhandledRejection', () => {})",
        "process.on('SIGTERM', () => {})",
        "process.setUncaughtExceptionCaptureCallback(() => {})",
        "process.exitCode = 0",
        "left = 1; globalThis.LEFT = () => {}; ARGS.x = CONFIG.x = 1",
        "module.exports = { left: 1 }; require.main = null; process.argv.push('x')",
        "setTimeout(() => {}, 1); setImmediate(() => {}); Promise.resolve().then(() => {})",
        "setResponse(new HttpResponse())",
    ] {
        let source = format!(
            "const fs = require('fs');\nconsole.log(process.pid, fs.readdirSync('.').length, process.cwd() === process.env.TMPDIR, \
             JSON.stringify(process.env) === JSON.stringify({{...process.env}}), Object.keys(process.env).length, \
             process.env.LANG, process.umask(), process.exitCode, typeof left, typeof LEFT, \
             process.eventNames().join(), process.argv.length, JSON.stringify([ARGS, CONFIG, module.exports, \
             require.main === module]));\nconst hasLeft = ARGS.leave;\nif (hasLeft) {{ {left} }}"
        );
        let script = javascript(&source);
        succeed(&runner, &script, "{}").await;
        let first = succeed(&runner, &script, "{}").await;
        succeed(&runner, &script, r#"{"leave":1}"#).await;
        let last = succeed(&runner, &script, "{}").await;
        assert_eq!((first.stdout, last.answer), (last.stdout, None), "{left}");
    }
}

#[tokio::test]
async fn what_cannot_be_put_back_costs_the_process() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for left in [
        "setInterval(() => console.log('later'), 1).unref()",
        "setTimeout(() => console.log('later'), 1).unref()",
        "fs.openSync('/dev/null')",
        "new FinalizationRegistry(() => console.log('later')).register({})",
        "fs.watchFile('.', { persistent: false, interval: 1 }, () => {})",
        "new MessageChannel().port1.unref()",
        "Object.prototype.left = 1",
        "String.prototype.left = function () {}",
        "Array.prototype.push = () => 0",
        "JSON.stringify = () => '\"forged\"'",
        "fetch = Promise = null",
        "console.log = () => {}",
        "console.group('left')",
        "console.count('left')",
        "console.time('left')",
        "process.stdout.write = () => true",
        "process.stdout.on('close', () => {})",
        "fs.closeSync(1); fs.openSync('/dev/null', 'w')",
        "fs.writeFileSync('x.js', 'module.exports = 1'); require(process.cwd() + '/x.js')",
        "require('async_hooks').createHook({ init() {} }).enable()",
        "process.emit = () => true",
        "process.exit(0)",
    ] {
        let source = format!(
            "const fs = require('fs');\nconsole.log(process.pid);\nif (ARGS.leave) {{ {left} }}\nelse console.log('fine')"
        );
        let script = javascript(&source);
        let before = runner.run(&script, call(r#"{"leave":1}"#)).await;
        let pid = before.stdout.lines().next().unwrap().to_owned();
        let after = succeed(&runner, &script, "{}").await;
        let (other, rest) = after.stdout.split_once('\n').unwrap();
        assert_eq!(rest, "fine", "{left}");
        assert_ne!(pid, other, "{left}");
    }
}

#[tokio::test]
async fn files_are_seen_to_however_a_script_comes_by_them() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for fs in [
        "require('fs')",
        "require('node:fs')",
        "process.getBuiltinModule?.('fs') ?? require('fs')",
        "module.constructor._load('fs')",
        "require('module').createRequire('/tmp/x.js')('fs')",
        "module.require('fs')",
        "await import('fs')",
        "{ openSync: file => new process.stdin.constructor(file) }",
        "await import('node:fs/promises').then(({ default: { open } }) => ({ openSync: () => open('/dev/null') }))",
    ] {
        // Its first calls have nothing to do with files.
        let source = format!(
            "console.log(process.pid);\n(async () => {{\n  if (!ARGS.leave) return;\n  const fs = {fs};\n  \
             globalThis.setTimeout(() => fs.openSync('/dev/null'));\n}})"
        );
        let script = javascript(&source);
        let pid = succeed(&runner, &script, "{}").await.stdout;
        assert_eq!(succeed(&runner, &script, "{}").await.stdout, pid, "{fs}");
        succeed(&runner, &script, r#"{"leave":1}"#).await;
        assert_ne!(succeed(&runner, &script, "{}").await.stdout, pid, "{fs}");
    }
    let source = "console.log(process.pid);\nif (ARGS.leave) process.report.writeReport('left.json');\n\
                  if (ARGS.look) console.log(require('fs').readdirSync('.').join())";
    let script = javascript(source);
    let pid = succeed(&runner, &script, "{}").await.stdout;
    succeed(&runner, &script, r#"{"leave":1}"#).await;
    // Nothing but the line of the folder, which is empty.
    assert_eq!(succeed(&runner, &script, r#"{"look":1}"#).await.stdout, pid);
}

#[tokio::test]
async fn what_fetch_keeps_open_without_a_network_of_its_own_costs_the_process() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::None).max_workers(1));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        while connection.read(&mut request).await.is_ok_and(|size| size > 0) {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    });
    let script = javascript(
        "console.log(process.pid);\nif (ARGS.port) fetch(`http://127.0.0.1:${ARGS.port}/`).then(answer => answer.text())",
    );
    let pid = succeed(&runner, &script, "{}").await.stdout;
    assert_eq!(succeed(&runner, &script, "{}").await.stdout, pid);
    assert_eq!(succeed(&runner, &script, &format!(r#"{{"port":{port}}}"#)).await.stdout, pid);
    assert_ne!(succeed(&runner, &script, "{}").await.stdout, pid);
}

#[tokio::test]
async fn each_call_reads_its_own_standard_input_to_the_end() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process).max_workers(1));
    for read in [
        "process.stdin.on('data', part => (text += part)).on('end', () => console.log(process.pid, text, 'end'))",
        "require('readline').createInterface({ input: process.stdin }).on('close', () => console.log(process.pid, 'end'))",
    ] {
        let script = javascript(&format!("let text = '';\n{read}"));
        let first = succeed(&runner, &script, "{}").await.stdout;
        assert!(first.ends_with("end"), "{first}");
        for _ in 0..2 {
            assert_eq!(succeed(&runner, &script, "{}").await.stdout, first, "{read}");
        }
    }
}

#[tokio::test]
async fn a_script_that_closes_what_brings_it_calls_costs_no_other_call() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    for source in [
        "import fs from 'node:fs';\nexport default ({ close }) => { if (close) fs.closeSync(close); return 'ran'; }",
        "const { constructor } = process.stdin;\n(({ args }) => {\n  if (args.close) new constructor(null, { fd: args.close }).destroy();\n  \
         setResponse(new HttpResponse(200, 'ran'));\n})",
    ] {
        let script = javascript(source);
        let arguments = ["{}", r#"{"close":14}"#, "{}", "{}", r#"{"close":15}"#, "{}"];
        for (index, arguments) in arguments.iter().enumerate() {
            let outcome = runner.run(&script, call(arguments)).await;
            let is_answered = outcome.status == RunStatus::Success && outcome.answer.is_some();
            // Without the channel there is no answer.
            assert_eq!(is_answered, index != 4, "call {index}: {:?} {}", outcome.status, outcome.stderr);
        }
    }
}

#[tokio::test]
async fn arguments_come_through_whatever_a_call_has_made_of_objects() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    let script = javascript("Object.freeze(Object.prototype);\nconsole.log(JSON.stringify(ARGS))");
    let body = r#"{"toString":1,"__proto__":2}"#;
    let arguments =
        Arguments { body: Some(body.to_owned()), query: Some("{}".to_owned()), ..Default::default() };
    for _ in 0..2 {
        let outcome = runner.run(&script, Call { arguments: arguments.clone(), ..call("{}") }).await;
        let expected = r#"{"toString":1,"__proto__":2,"POST":{"toString":1,"__proto__":2},"GET":{}}"#;
        assert_eq!((outcome.stdout, outcome.stderr), (expected.to_owned(), String::new()));
    }
}

#[tokio::test]
async fn a_failed_call_costs_no_process() {
    let runner = node_or_skip!();
    for source in [
        "console.log(process.pid);\nif (ARGS.n) throw new Error('mine')",
        "console.log(process.pid);\nif (ARGS.n) throw new AppError('Mine')",
        "console.log(process.pid);\n(async () => { if (ARGS.n) throw new Error('mine') })",
        "export default ({ n }) => {\n  console.log(process.pid);\n  if (n) throw new AppError('Mine');\n}",
        "export default () => {\n  console.log(process.pid);\n  return new Promise(() => {});\n}",
    ] {
        let mut pids = Vec::new();
        for _ in 0..3 {
            let outcome = runner.run(&javascript(source), call(r#"{"n":1}"#)).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{source}");
            pids.push(outcome.stdout);
        }
        pids.dedup();
        assert_eq!(pids.len(), 1, "{source}");
    }
}

#[tokio::test]
async fn a_function_keeps_the_state_of_its_module() {
    let runner = node_or_skip!();
    let source = "console.log('top');\nlet count = 0;\nprocess.on('warning', () => {});\n\
                  export default () => [process.pid, ++count, ARGS.n, process.listenerCount('warning')]";
    let script = javascript(source);
    let mut pids = Vec::new();
    for n in 1..=4 {
        let outcome = succeed(&runner, &script, &format!(r#"{{"n":{n}}}"#)).await;
        assert_eq!(outcome.stdout, if n == 1 { "top" } else { "" });
        let value = value(&outcome);
        assert_eq!((&value[1], &value[2], &value[3]), (&json!(n), &json!(n), &json!(2)));
        pids.push(value[0].clone());
    }
    pids.dedup();
    assert_eq!(pids.len(), 1);
}

#[tokio::test]
async fn a_module_that_is_a_program_begins_anew() {
    let runner = node_or_skip!();
    let script = javascript("export let count = 0;\ncount++;\nconsole.log(count, process.pid)");
    let first = succeed(&runner, &script, "{}").await.stdout;
    assert!(first.starts_with("1 "));
    for _ in 0..3 {
        assert_eq!(succeed(&runner, &script, "{}").await.stdout, first);
    }
}

#[tokio::test]
async fn work_that_outlives_an_answer_is_never_heard_again() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    for late in [
        "setTimeout(() => console.log('late'), 1)",
        "setInterval(() => console.log('late'), 1)",
        "setImmediate(() => console.log('late'))",
        "(async () => { for (let i = 0; i < 5; i++) await null; console.log('late') })()",
        "require('fs').readFile('/dev/null', () => console.log('late'))",
        "Promise.reject(new Error('late'))",
        "new Promise(() => { setImmediate(() => { throw new Error('late') }) })",
    ] {
        let source = format!(
            "import {{ createRequire }} from 'module';\nexport default ({{ leave }}) => {{\n  \
             if (leave) {{ {late} }}\n  console.log('now');\n  return 1;\n}}"
        );
        let script = javascript(&source);
        for arguments in [r#"{"leave":1}"#, "{}", r#"{"leave":1}"#, "{}"] {
            let outcome = succeed(&runner, &script, arguments).await;
            assert_eq!((&*outcome.stdout, &*outcome.stderr), ("now", ""), "{late}");
            assert_eq!(value(&outcome), json!(1), "{late}");
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
    }
}

#[tokio::test]
async fn the_value_of_a_program_is_that_of_its_last_statement() {
    let runner = node_or_skip!();
    let called = "() => setResponse(new HttpResponse(201))";
    for source in [
        format!("({called})"),
        format!("const a = 1 // one\n// the handler\n;({called});;\n"),
        format!("function f() {{}}\n({called})"),
        format!("const main = {called}\nmain"),
        format!("const a = 'http://x'\nmodule.exports = {called};"),
        format!("#!/usr/bin/env node\n'use strict'\n\n/* b */\n({called})"),
        format!("const o = {{\n  a: 1\n}};\n({called})"),
        format!("const o = {{\n  handler: {called}\n}};\no.handler;"),
        "async function main() {\n  setResponse(new HttpResponse(201))\n}\nmain".to_owned(),
    ] {
        for _ in 0..2 {
            let outcome = runner.run(&javascript(&source), call("{}")).await;
            assert_eq!(response(&outcome).status, 201, "{source}: {}", outcome.stderr);
        }
    }
    // What only looks like a statement goes on with the one before, and no call's meaning changes.
    for (source, printed) in [
        ("const twice = f => f() + f()\nconst a = twice\n(() => 2)\nconsole.log(a)", "4"),
        ("const a = [1, 2]\n[1].toString()\nconsole.log(a)", ""),
        ("let s = `\n(() => 1)`\nconsole.log(s.length)", "10"),
        ("/*\n(() => 1)\n*/ console.log('x')", "x"),
        ("if (true)\n(() => 1)\nelse\n(() => 2)\nconsole.log('y')", "y"),
        ("// it's\n'use strict'\nconsole.log((function () { return this })())", "undefined"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        if !printed.is_empty() {
            assert_eq!(outcome.stdout, printed, "{source}: {}", outcome.stderr);
        }
    }
}
