//! Programs, programs whose value is a function, and modules.

use serde_json::json;
use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Runner, Script};

use crate::support::*;

#[tokio::test]
async fn a_program_prints() {
    let runner = node_or_skip!();
    let source = "console.log('out');\nconsole.error('err');\nconsole.log();";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out", "err"));
    assert_eq!(outcome.answer, None);
}

#[tokio::test]
async fn every_name_of_the_runtime_runs() {
    let runner = node_or_skip!();
    for runtime in Runtime::ALL.into_iter().filter(|runtime| runtime.language() == Language::JavaScript) {
        let script = Script::new("instance", "test", runtime, "console.log('hi')", "{}");
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "hi"), "{runtime}");
    }
}

#[tokio::test]
async fn a_program_has_fresh_globals_each_call() {
    let runner = node_or_skip!();
    let source = "globalThis.seen = (globalThis.seen || 0) + 1;\nundeclared = (globalThis.undeclared || 0) + 1;\n\
                  let once = 1;\nvar count = (count || 0) + 1;\nclass A {}\nfunction f() { f.n = (f.n || 0) + 1 }\nf();\n\
                  ARGS.n = (ARGS.n || 0) + 1;\nCONFIG.n = (CONFIG.n || 0) + 1;\nMETA.n = (META.n || 0) + 1;\n\
                  exports.n = (exports.n || 0) + 1;\nHttpResponse = require = null;\n\
                  console.log(process.pid, seen, undeclared, count, f.n, ARGS.n, CONFIG.n, META.n, exports.n)";
    let script = javascript(source);
    let mut pids = Vec::new();
    for _ in 0..3 {
        let outcome = runner.run(&script, call("{}")).await;
        let (pid, rest) = outcome.stdout.split_once(' ').expect(&outcome.stderr);
        assert_eq!(rest, "1 1 1 1 1 1 1 1");
        pids.push(pid.to_owned());
    }
    pids.dedup();
    assert_eq!(pids.len(), 1, "its process is used again");
}

#[tokio::test]
async fn the_scope_is_that_of_a_script() {
    let runner = node_or_skip!();
    for (source, printed) in [
        ("console.log(this === globalThis)", "true"),
        ("var a = 1;\nfunction f() {}\nconsole.log(a, typeof f, globalThis.a, typeof globalThis.f)", {
            "1 function undefined undefined"
        }),
        ("let a = 1;\nconsole.log(globalThis.a, a)", "undefined 1"),
        ("console.log((function () { return this === undefined })())", "false"),
        ("'use strict';\nconsole.log((function () { return this === undefined })())", "true"),
        // What Node adds to programs on its command line isn't there, and neither is anything of ours.
        ("console.log(typeof fs, typeof path, typeof CHANNEL, typeof state, typeof crypto.subtle)", {
            "undefined undefined undefined undefined object"
        }),
        (
            "const fs = require('fs'), os = require('node:os');\nconsole.log(typeof fs.readFileSync)",
            "function",
        ),
        ("const state = 1, script = 2, frame = 3, process2 = process;\nconsole.log('fine')", "fine"),
        ("const ARGS = 1, META = 2, HttpResponse = 3;\nconsole.log(ARGS + META)", "3"),
        ("console.log(require.main === module, typeof exports, process.argv.length)", "true object 2"),
        ("#!/usr/bin/env node\nconsole.log(__filename === process.argv[1], __dirname === process.cwd())", {
            "true true"
        }),
        ("import('node:os').then(os => console.log(typeof os.cpus, typeof os.default.cpus))", {
            "function function"
        }),
    ] {
        assert_eq!(logged(&runner, source).await, printed, "{source}");
    }
    for (source, error) in [
        ("return 1", "SyntaxError: Illegal return statement"),
        ("'use strict';\nundeclared = 1", "ReferenceError: undeclared is not defined"),
        ("import('./x.js')", "cannot import './x.js': a script is one file"),
        ("require('./x.js')", "Cannot find module './x.js'"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(outcome.stderr.contains(error), "{source}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_program_ends_when_nothing_it_started_is_pending() {
    let runner = node_or_skip!();
    let source = "setTimeout(() => {\n  console.log('timer');\n  \
                  require('fs').promises.readFile(process.execPath, { flag: 'r' }).then(() => {\n    \
                  console.log('file');\n    setImmediate(() => console.log('immediate'));\n  });\n}, 20);\n\
                  setInterval(() => {}, 1000).unref();\nprocess.on('beforeExit', () => console.log('before exit'));\n\
                  process.on('exit', code => console.log('exit', code));";
    assert_eq!(logged(&runner, source).await, "timer\nfile\nimmediate\nbefore exit\nexit 0");
    // The handler of an end may start something more.
    let source = "process.once('beforeExit', () => setTimeout(() => console.log('more'), 10))";
    assert_eq!(logged(&runner, source).await, "more");
}

#[tokio::test]
async fn a_function_that_is_the_value_of_a_program_is_called() {
    let runner = node_or_skip!();
    let script = Script::new(
        "instance",
        "test",
        Runtime::NodeJsV12,
        "console.log('top');\n(async ({ args, config, meta, HttpResponse, setResponse, log }) => {\n  log('called');\n  \
         await new Promise(resolve => setTimeout(resolve, 5));\n  \
         return new HttpResponse(202, { args, config, meta, same: typeof setResponse });\n})",
        r#"{"c":1}"#,
    );
    let outcome = runner.run(&script, call(r#"{"a":1}"#)).await;
    assert_eq!(&*outcome.stdout, "top\ncalled", "{}", outcome.stderr);
    let response = response(&outcome);
    let content: serde_json::Value = serde_json::from_slice(&response.content).unwrap();
    let expected = json!({"args": {"a": 1}, "config": {"c": 1}, "meta": {}, "same": "function"});
    assert_eq!((response.status, content), (202, expected));

    // Another value is none.
    let outcome = runner.run(&javascript("module.exports = () => 'value'"), call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None));
    let source = "(() => { setResponse(new HttpResponse(201)); return 5 })";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(crate::support::response(&outcome).status, 201);
}

#[tokio::test]
async fn a_default_function_is_called_with_the_arguments() {
    let runner = node_or_skip!();
    for source in [
        "export default (args, context) => [args, context.config, context.meta, typeof context.HttpResponse]",
        "export default async function (args, { config, meta, HttpResponse }) {\n  await null;\n  \
         return [args, config, meta, typeof HttpResponse];\n}",
        "import { readFile } from 'node:fs/promises';\nimport fs, { readFileSync } from 'fs';\n\
         const main = (args, { config, meta, HttpResponse }) => {\n  if (fs.readFileSync !== readFileSync) throw 1;\n  \
         return [args, config, meta, typeof HttpResponse];\n};\nexport { main as default };",
        // What modules alone may have comes first.
        "const zero = await Promise.resolve(0);\n\
         export default (args, { config, meta }) => [args, config, meta, zero ? '' : 'function']",
    ] {
        let outcome = runner.run(&javascript(source), call(r#"{"name":"Ada"}"#)).await;
        assert_eq!(value(&outcome), json!([{"name": "Ada"}, {}, {}, "function"]), "{source}");
    }
}

#[tokio::test]
async fn a_module_without_a_default_function_is_a_program() {
    let runner = node_or_skip!();
    for source in [
        "import os from 'os';\nconsole.log(typeof os.cpus, this, typeof require)",
        "export const x = 1;\nconsole.log('function', undefined, 'function')",
        "export default { not: 'a function' };\nconsole.log('function', undefined, 'function')",
        "export {};\nsetTimeout(() => console.log('function', undefined, 'function'), 5)",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.stdout, "function undefined function", "{source}: {}", outcome.stderr);
        assert_eq!(outcome.answer, None);
    }
    // Its top level may wait.
    for source in [
        "const x = await Promise.resolve('function');\nconsole.log(x, this, typeof require)",
        "for await (const x of ['function']) console.log(x, undefined, x)",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.stdout, "function undefined function", "{source}: {}", outcome.stderr);
    }
    let outcome = runner.run(&javascript("export {};\nsetResponse(new HttpResponse(204))"), call("{}")).await;
    assert_eq!(response(&outcome).status, 204);
}

#[tokio::test]
async fn only_node_s_own_modules_can_be_imported() {
    let runner = node_or_skip!();
    for specifier in ["./other.js", "lodash", "file:///etc/passwd", "data:text/javascript,export default 1"] {
        let source = format!("import x from '{specifier}';\nexport default () => x");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{specifier}");
        let expected = format!("cannot import '{specifier}': a script is one file");
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    }
    let source = "import { nothing } from 'fs';\nexport default () => 1";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("nothing"), "{}", outcome.stderr);
}

#[tokio::test]
async fn what_can_never_settle_is_named() {
    let runner = node_or_skip!();
    for (source, what) in [
        ("export default () => new Promise(() => {})", "the default function waits for something"),
        ("export {};\nawait new Promise(() => {})", "the top level of the script waits for something"),
        ("(() => new Promise(() => {}))", "the function that is the value of the script waits for something"),
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None), "{source}");
        assert!(outcome.stderr.contains(what), "{source}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn what_scripts_are_used_to_works() {
    let runner = node_or_skip!();
    for (source, printed) in [
        ("console.log(Buffer.from('aGk=', 'base64').toString())", "hi"),
        (
            "console.log(require('crypto').createHash('sha256').update('a').digest('hex').slice(0, 8))",
            "ca978112",
        ),
        ("require('crypto').pbkdf2('a', 'b', 1000, 32, 'sha256', (e, key) => console.log(key.length))", "32"),
        (
            "const { promisify } = require('util');\npromisify(setTimeout)(5).then(() => console.log('later'))",
            { "later" },
        ),
        ("require('zlib').gzip('x'.repeat(1e5), (e, data) => console.log(data.length < 1000))", "true"),
        ("console.log(new Intl.NumberFormat('en').format(1234.5), new URL('a', 'http://b').href)", {
            "1,234.5 http://b/a"
        }),
        (
            "const { Worker } = require('worker_threads');\nnew Worker('require(\"worker_threads\").parentPort\
         .postMessage(42)', { eval: true, resourceLimits: { codeRangeSizeMb: 16 } }).on('message', console.log)",
            "42",
        ),
        (
            "const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, \
         102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);\nWebAssembly.instantiate(bytes).then(({ instance }) => \
         console.log(instance.exports.f()))",
            "42",
        ),
        (
            "const { rss, heapUsed } = process.memoryUsage();\nconsole.log(rss > heapUsed, heapUsed > 1e6)",
            "true true",
        ),
        ("let n = 0;\nfor (let i = 0; i < 1e7; i++) n = (n * 31 + i) | 0;\nconsole.log(typeof n)", "number"),
    ] {
        assert_eq!(logged(&runner, source).await, printed, "{source}");
    }
}

#[tokio::test]
async fn a_script_s_own_listeners_come_first() {
    let runner = node_or_skip!();
    let source = "process.on('uncaughtException', error => console.log('caught', error.message));\n\
                  process.on('unhandledRejection', error => console.log('rejected', error.message));\n\
                  setTimeout(() => { throw new Error('later') }, 5);\nPromise.reject(new Error('never awaited'));\n\
                  throw new Error('now')";
    assert_eq!(logged(&runner, source).await, "caught now\nrejected never awaited\ncaught later");
}

#[tokio::test]
async fn a_missing_node_says_what_to_install() {
    let Ok(runner) = Runner::builder().node("/nowhere/node").build() else { return };
    let outcome = runner.run(&javascript("1"), call("{}")).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    for part in
        ["JavaScript scripts can't run", "/nowhere/node", "Node 18 or later", "apt-get install nodejs"]
    {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
    // A program that isn't Node, and one that is too old.
    for (script, expected) in [
        ("echo something", "is not a Node that works"),
        ("echo path /x; echo version 16.20.2", "is Node 16.20.2, which is too old"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node");
        // By another process: what this one has open for writing its children have, too, for a moment, and it can't be run.
        let write = format!("printf '#!/bin/sh\n{script}\n' > \"$0\" && chmod 755 \"$0\"");
        let written = std::process::Command::new("sh").arg("-c").arg(write).arg(&path).status().unwrap();
        assert!(written.success());
        let runner = Runner::builder().node(&path).build().unwrap();
        let missing = runner.interpreter(Language::JavaScript).unwrap_err().to_string();
        assert!(missing.contains(expected), "{missing}");
    }
}

#[tokio::test]
async fn a_node_that_others_cannot_reach_is_refused() {
    let runner = node_or_skip!();
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root, so workers have no users of their own");
        return;
    }
    let node = runner.interpreter(Language::JavaScript).unwrap();
    assert!(node.to_string().starts_with("Node "), "{node}");
    // Not in `/tmp`, which scripts have for themselves.
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let copy = folder.path().join("node");
    // Written by other processes: one that another test starts meanwhile would keep it open, and what is open for writing can't run.
    let shell = |command: &str, arguments: [&std::path::Path; 2]| {
        let mut shell = std::process::Command::new("sh");
        assert!(shell.args(["-c", command, "sh"]).args(arguments).status().unwrap().success());
    };
    shell("cp \"$1\" \"$2\"", [node.path(), &copy]);
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(folder.path(), closed).unwrap();
    let other = Runner::builder().node(&copy).build().unwrap();
    let missing = other.interpreter(Language::JavaScript).unwrap_err().to_string();
    assert!(missing.contains("which only its owner may enter"), "{missing}");
    // Where it can be reached, it runs from anywhere; a shim in front of it is seen through.
    let mode = || std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode()).unwrap();
    let shim = folder.path().join("shim");
    shell("printf '#!/bin/sh\\nexec %s \"$@\"\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", [&copy, &shim]);
    let other = Runner::builder().node(&shim).build().unwrap();
    assert_eq!(other.interpreter(Language::JavaScript).unwrap().path(), copy.canonicalize().unwrap());
    assert_eq!(logged(&other, "console.log('here')").await, "here");
}
