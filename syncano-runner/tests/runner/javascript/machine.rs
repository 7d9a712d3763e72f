//! The machine that a script finds: its own file, a user, processors, and no other programs.

use serde_json::json;
use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

#[tokio::test]
async fn a_script_finds_its_own_file() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    let source = "import fs from 'node:fs';\nimport { fileURLToPath } from 'node:url';\nimport { createRequire } from 'node:module';\n\
                  const other = createRequire(import.meta.url);\nexport default () => {\n  \
                  const path = fileURLToPath(import.meta.url);\n  \
                  return [path === import.meta.filename, path === __filename, path === process.argv[1], \
                  import.meta.dirname === process.cwd(), fs.readFileSync(new URL(import.meta.url), 'utf8'), \
                  typeof other('os').cpus, import.meta.resolve('fs'), fs.readdirSync('.')];\n}";
    let script = javascript(source);
    for _ in 0..2 {
        let outcome = runner.run(&script, call("{}")).await;
        let expected = json!([true, true, true, true, source, "function", "node:fs", ["test.js"]]);
        assert_eq!(value(&outcome), expected);
    }
    // A name that is a path elsewhere is none here.
    let script = Script::new(
        "instance",
        "socket/endpoint",
        Runtime::NodeJs,
        "console.log(__filename, require('fs').readFileSync(__filename, 'utf8').length)",
        "{}",
    );
    let outcome = runner.run(&script, call("{}")).await;
    assert!(outcome.stdout.ends_with("/socket_endpoint.js 78"), "{} {}", outcome.stdout, outcome.stderr);
    // One that doesn't look for it has an empty folder.
    assert_eq!(logged(&runner, "console.log(require('fs').readdirSync('.').length)").await, "0");
}

#[tokio::test]
async fn a_script_s_own_file_is_the_same_in_each_call() {
    let runner = node_or_skip!(|builder| builder.max_workers(1));
    for left in [
        "try { fs.writeFileSync(__filename, 'x') } catch {}",
        "fs.rmSync(__filename)",
        "fs.rmSync(__filename); fs.writeFileSync(__filename, 'x')",
        "fs.rmSync(__filename); fs.mkdirSync(__filename)",
        "fs.chmodSync(__filename, 0o600); fs.appendFileSync(__filename, 'x')",
        "fs.renameSync(__filename, 'y'); fs.writeFileSync('z', '')",
    ] {
        let source = format!(
            "const fs = require('fs');\nconsole.log(process.pid, fs.readFileSync(__filename, 'utf8').length, \
             fs.readdirSync('.').join());\nif (ARGS.leave) {{ {left} }}"
        );
        let script = javascript(&source);
        let before = runner.run(&script, call("{}")).await.stdout;
        let outcome = runner.run(&script, call(r#"{"leave":1}"#)).await;
        assert_eq!(outcome.status, RunStatus::Success, "{left}: {}", outcome.stderr);
        assert_eq!(runner.run(&script, call("{}")).await.stdout, before, "{left}");
    }
}

#[tokio::test]
async fn there_are_processors_and_a_user() {
    for level in [Isolation::Process, Isolation::Namespace] {
        let runner = node_or_skip!(|builder| builder.isolation(level));
        let source = "import os from 'node:os';\nexport default () => [os.cpus().length >= 1, \
                      os.cpus().length === os.availableParallelism?.(), typeof os.cpus()[0].model, \
                      typeof os.userInfo().username, os.userInfo().uid === process.getuid(), os.userInfo().username !== '', \
                      os.userInfo({ encoding: 'buffer' }).username instanceof Buffer, typeof os.networkInterfaces()]";
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(value(&outcome), json!([true, true, "string", "string", true, true, true, "object"]));
    }
}

#[tokio::test]
async fn that_no_program_starts_is_said() {
    let runner = node_or_skip!(|builder| builder.isolation(Isolation::Process));
    for source in [
        "require('child_process').spawn('ls')",
        "require('child_process').exec('ls')",
        "require('node:child_process').execFile('/bin/ls')",
        "require('child_process').fork('x.js')",
        "require('child_process').execSync('ls')",
        "require('child_process').execFileSync('ls')",
        "throw require('child_process').spawnSync('ls').error",
        "require('cluster').fork()",
        "require('util').promisify(require('child_process').exec)('ls')",
        "import { execSync } from 'child_process';\nexport default () => execSync('ls')",
        "const { spawn } = await import('child_process');\nspawn('ls')",
    ] {
        let outcome = runner.run(&javascript(source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(
            outcome.stderr.contains("EPERM: a script can start no other programs\n"),
            "{source}: {}",
            outcome.stderr
        );
    }
}
