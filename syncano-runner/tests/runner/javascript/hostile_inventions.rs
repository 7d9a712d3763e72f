//! Attacks that stand in no list, as far as they can be said in JavaScript.

use std::time::Duration;

use syncano_core::RunStatus;

use super::at_level;
use crate::support::*;

#[tokio::test]
async fn outputs_and_channel_that_are_spoilt_cost_its_own_calls_only() {
    let runner = node_or_skip!(at_level);
    for abuse in [
        "fs.closeSync(15)",
        "fs.closeSync(14)",
        "new (require('net').Socket)({ fd: 14 }).on('data', () => {})",
        "fs.closeSync(1), fs.closeSync(2)",
        "for (let fd = 0; fd < 1024; fd++) try { fs.closeSync(fd) } catch {}",
        "fs.writeSync(1, 'x', 0xffffffffff)",
        "fs.ftruncateSync(1, 2 ** 40)",
        "fs.ftruncateSync(1, 0)",
        "fs.writeSync(15, Buffer.alloc(1 << 16))",
        "new (require('net').Socket)({ fd: 15 }).on('error', () => {}).end()",
        "new (require('net').Socket)({ fd: 15 }).on('data', () => {})",
    ] {
        let source = format!(
            "const fs = require('fs');\nif (ARGS.abuse) {{ try {{ {abuse} }} catch {{}} }}\nconsole.log('fine')"
        );
        let script = javascript(&source);
        let outcome = runner
            .run(&script, syncano_runner::Call { timeout: Duration::from_secs(3), ..call(r#"{"abuse":1}"#) })
            .await;
        assert_eq!(outcome.answer, None, "{abuse}");
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Success, "fine"),
            "{abuse}: {}",
            outcome.stderr
        );
        other_node_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn the_folder_that_the_server_removes_leads_nowhere_else() {
    let (parent, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(victim.path().join("file"), "mine").unwrap();
    for folder in [parent.path(), victim.path()] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder, mode).unwrap();
    }
    let path = parent.path().to_owned();
    let runner = node_or_skip!(|builder| at_level(builder).directory(path));
    let source = format!(
        "const fs = require('fs'), victim = {:?};\nfs.mkdirSync('d/e', {{ recursive: true }});\n\
         for (const name of ['a', '-rf', ' ', 'd/b', 'd/e/c', 'x'.repeat(255)]) fs.symlinkSync(victim, name);\n\
         fs.symlinkSync('..', 'd/e/up');\nif (ARGS.end) process.reallyExit(0)",
        victim.path().display().to_string()
    );
    for arguments in ["{}", r#"{"end":1}"#, "{}"] {
        runner.run(&javascript(&source), call(arguments)).await;
        assert_eq!(std::fs::read_to_string(victim.path().join("file")).unwrap(), "mine");
    }
    other_node_is_fine(&runner).await;
    drop(runner);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(victim.path().join("file")).unwrap(), "mine");
}

#[tokio::test]
async fn a_script_takes_no_more_of_the_processor_than_it_is_given() {
    let runner = node_or_skip!(at_level);
    for attempt in [
        "os.setPriority(0, -5)",
        "os.setPriority(process.pid, -5)",
        "os.setPriority(1234567, 5)",
        "process.kill(1234567, 0)",
        "process.initgroups('root', 0)",
    ] {
        let source = format!(
            "const os = require('os');\ntry {{ {attempt}; console.log('DONE') }} catch {{ console.log('refused') }}"
        );
        assert_eq!(logged(&runner, &source).await, "refused", "{attempt}");
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn what_never_ends_is_ended() {
    let runner = node_or_skip!(at_level);
    for endless in [
        "for (;;);",
        "while (true) try { while (true); } catch {}",
        "(function f() { Promise.resolve().then(f) })()",
        "(function f() { process.nextTick(f) })()",
        "setInterval(() => {}, 0)",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
        "process.on('SIGINT', () => {}); setInterval(() => {}, 1)",
        "process.on('SIGXCPU', () => {}); for (;;);",
        "for (;;) console.log('x'.repeat(1000))",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    ] {
        let outcome = runner.run(&javascript(endless), within(Duration::from_millis(400))).await;
        assert_eq!(outcome.status, RunStatus::Timeout, "{endless}: {}", outcome.stderr);
        other_node_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn what_ends_a_process_in_a_hurry_is_told_and_costs_one_call() {
    let runner = node_or_skip!(at_level);
    for end in [
        "process.abort()",
        "process.reallyExit(7)",
        "process.exit(3)",
        "throw new Error('no')",
        "function (",
        "const x = []; for (;;) x.push(Buffer.alloc(1 << 20, 1))",
        "(function f() { f() })()",
        "Promise.reject(new Error('no'))",
        "setTimeout(() => { throw new Error('no') }, 1)",
    ] {
        let outcome = runner.run(&javascript(end), within(Duration::from_secs(20))).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{end}: {outcome:?}");
        other_node_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn an_input_that_nobody_reads_ends_with_the_timeout() {
    let runner = node_or_skip!(at_level);
    // Its work outlives its answer: it would keep the next call from being read.
    let script = javascript(
        "export default ({ x }) => { if (x === 'stay') setTimeout(() => { for (;;); }, 1000); return x.length }",
    );
    let outcome = runner.run(&script, call(r#"{"x": "stay"}"#)).await;
    assert_eq!(value(&outcome), serde_json::json!(4));
    let large = format!(r#"{{"x": "{}"}}"#, "x".repeat(4 << 20));
    let outcome = runner.run(&script, call(&large)).await;
    assert_eq!(value(&outcome), serde_json::json!(4 << 20));
    // It takes its input for itself, again and again.
    let script = javascript("const fs = require('fs');\nfor (;;) fs.readSync(15, Buffer.alloc(1 << 20))");
    let large = syncano_runner::Call { timeout: Duration::from_millis(500), ..call(&large) };
    let outcome = runner.run(&script, large).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Timeout, None));
    other_node_is_fine(&runner).await;
}
