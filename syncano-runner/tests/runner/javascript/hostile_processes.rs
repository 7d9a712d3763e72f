//! Scripts that reach for other processes, the network and the protocol.

use std::time::Duration;

use syncano_core::RunStatus;
use syncano_runner::Isolation;

use super::{LEVEL, at_level};
use crate::support::*;

#[tokio::test]
async fn processes_and_sockets_are_closed() {
    let runner = node_or_skip!(at_level);
    let server = std::process::id();
    for attempt in [
        "require('child_process').execSync('true')",
        "require('child_process').execFileSync(process.execPath, ['-v'])",
        "await started(require('child_process').spawn('true'))",
        "await started(require('child_process').spawn('/bin/sh', ['-c', 'true'], { detached: true, stdio: 'ignore' }))",
        "await started(require('child_process').fork(__filename))",
        "await new Promise((yes, no) => require('child_process').exec('true', error => error ? no(error) : yes()))",
        "const { status, error } = require('child_process').spawnSync('/bin/true'); if (status !== 0) throw error",
        "await started(require('cluster').fork().process)",
        "process.kill(process.ppid, 0)",
        "process.kill(process.ppid, 'SIGKILL')",
        "process.kill(-1, 'SIGKILL')",
        "process.kill(0, 0)",
        &*format!("process.kill({server}, 0)"),
        &*format!("process._debugProcess({server})"),
        &*format!("require('os').setPriority({server}, 19)"),
        "await started(require('net').connect(80, '127.0.0.1'))",
        "await started(require('net').connect(80, '::1'))",
        "await started(require('net').connect('/run/x'))",
        "await started(require('net').connect('\\0abstract'))",
        "await started(require('net').createServer().listen(0))",
        "await started(require('net').createServer().listen('socket'))",
        "await started(require('http').get('http://127.0.0.1/'))",
        "await fetch('http://127.0.0.1/').catch(error => { throw error.cause })",
        "await new Promise((yes, no) => require('dgram').createSocket('udp4').on('error', no).bind(0, yes))",
        "await new Promise((yes, no) => require('dgram').createSocket('udp4').on('error', no).send('x', 9, '127.0.0.1', \
         error => error ? no(error) : yes()))",
        "await require('dns').promises.lookup('example.org')",
        "await require('dns').promises.resolve4('example.org')",
        "require('inspector').open(0); if (!require('inspector').url()) throw { code: 'EPERM' }",
    ] {
        let source = format!(
            "const started = what => new Promise((yes, no) => {{\n  what.on('error', no);\n  \
             for (const event of ['spawn', 'connect', 'listening', 'response', 'online']) what.on(event, yes);\n}});\n\
             (async () => {{\n  try {{\n    {attempt};\n    console.log('DONE');\n  }} catch (error) {{\n    \
             console.log(error.code);\n  }}\n  process.exit();\n}})()"
        );
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Success, "{attempt}: {}", outcome.stderr);
        assert!(
            [
                "EPERM",
                "EACCES",
                "ESRCH",
                "EAI_AGAIN",
                "ENOTFOUND",
                "ECONNREFUSED",
                "ERR_SYSTEM_ERROR",
                "ENOSYS"
            ]
            .contains(&&*outcome.stdout),
            "{attempt}: {} {}",
            outcome.stdout,
            outcome.stderr
        );
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn bombs_fail_alone() {
    let runner = node_or_skip!(at_level);
    for (bomb, seconds) in [
        (
            "const { spawn } = require('child_process');\nfor (;;) try { spawn(process.execPath, [__filename]) } catch {}",
            1,
        ),
        (
            "const { Worker } = require('worker_threads');\nconst f = () => { for (let i = 0; i < 4; i++) new Worker(f \
          .toString().replace(/^/, '(').concat(')()'), { eval: true }) };\nfor (let i = 0; i < 300; i++) \
          new Worker('for (;;) {}', { eval: true }).on('error', () => {})",
            3,
        ),
        ("for (;;) require('fs').openSync('/dev/null')", 10),
        ("(function again() { setTimeout(again); setTimeout(again) })()", 1),
        ("const again = () => Promise.resolve().then(again);\nagain()", 1),
    ] {
        let outcome = runner.run(&javascript(bomb), within(Duration::from_secs(seconds))).await;
        assert!(matches!(outcome.status, RunStatus::Failure | RunStatus::Timeout), "{bomb}: {outcome:?}");
        other_node_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn no_other_program_takes_the_place_of_node() {
    let runner = node_or_skip!(at_level);
    // Versions that can try end over it.
    let source =
        "if (process.execve) process.execve('/bin/sh', ['sh', '-c', 'echo escaped'], {});\nprocess.exit(1)";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, ""), "{}", outcome.stderr);
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn threads_are_the_process_s_own() {
    let runner = node_or_skip!(at_level);
    // What is closed is closed to them as well, and they end with the call.
    let source = "const { Worker } = require('worker_threads');\nnew Worker(`\n  const { parentPort } = \
                  require('worker_threads');\n  const results = [];\n  for (const attempt of [\n    \
                  () => require('fs').readFileSync('/etc/shadow'),\n    () => require('child_process').execSync('true'),\n    \
                  () => process.kill(process.ppid, 0),\n  ]) try { attempt(); results.push('DONE') } catch (error) { \
                  results.push(error.code) }\n  parentPort.postMessage(results.join(' '));\n  for (;;) {}\n`, { eval: true, resourceLimits: { codeRangeSizeMb: 16 } })\
                  .on('message', message => { console.log(message); process.exit() })";
    let refused = if LEVEL == Isolation::Process { "EACCES" } else { "ENOENT" };
    assert_eq!(logged(&runner, source).await, format!("{refused} EPERM EPERM"));
}

#[tokio::test]
async fn forged_answers_stay_with_their_script() {
    let runner = node_or_skip!(at_level);
    for forged in [
        "Buffer.from('x')",
        "Buffer.alloc(64, 255)",
        "Buffer.alloc(1_000_000)",
        // "I am ready."
        "Buffer.alloc(20)",
        "Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]), Buffer.alloc(8, 255)])",
    ] {
        let source = format!("console.log('printed');\nrequire('fs').writeSync(15, {forged})");
        let outcome = runner.run(&javascript(&source), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "printed"), "{forged}");
        assert!(outcome.stderr.contains("the script's process"), "{forged}: {}", outcome.stderr);
        assert!(outcome.answer.is_none());
        other_node_is_fine(&runner).await;
    }
    // Printing is only printing.
    let source = "process.stdout.write(Buffer.alloc(20, 1));\nprocess.stderr.write('{\"status\":200}')";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Success, None));
    // Without the channel there is no answer.
    let source = "require('fs').closeSync(15);\nsetResponse(new HttpResponse())";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
    // Reading from it takes nothing from anyone.
    let source = "require('fs').readSync(15, Buffer.alloc(100))";
    let outcome = runner.run(&javascript(source), within(Duration::from_millis(500))).await;
    assert_eq!(outcome.status, RunStatus::Timeout);
    let source = "process.stdin.on('data', d => console.log('data')).on('end', () => console.log('end'))";
    assert_eq!(logged(&runner, source).await, "end");
}

#[tokio::test]
async fn nothing_that_a_call_leaves_outlives_it() {
    let runner = node_or_skip!(|builder| at_level(builder).max_workers(1));
    let source = "console.log(process.pid);\nsetInterval(() => {}, 10);\n\
                  if (ARGS.exit) process.exit(0);\nmodule.exports = () => { process.exit(0) }";
    let mut pids = Vec::new();
    for arguments in [r#"{"exit":1}"#, "{}"] {
        let outcome = runner.run(&javascript(source), call(arguments)).await;
        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
        pids.push(outcome.stdout);
    }
    let source = "console.log(process.pid);\nexport default () => { setInterval(() => {}, 10); return 1 }";
    let outcome = runner.run(&javascript(source), call("{}")).await;
    assert_eq!(value(&outcome), serde_json::json!(1));
    pids.push(outcome.stdout);
    other_node_is_fine(&runner).await;
    if LEVEL > Isolation::Process {
        // Each was the first process of a namespace.
        assert_eq!(pids, ["1"; 3]);
        return;
    }
    for pid in &pids {
        assert!(!std::path::Path::new("/proc").join(pid).exists());
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[tokio::test]
async fn both_languages_share_the_seats() {
    let runner = node_or_skip!(|builder| at_level(builder).max_workers(1));
    if runner.interpreter(syncano_core::Language::Python).is_err() {
        return;
    }
    for _ in 0..3 {
        neighbour_is_fine(&runner).await;
        other_node_is_fine(&runner).await;
    }
}
