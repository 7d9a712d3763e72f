//! Scripts that reach for what is not theirs: files, the environment, descriptors.

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Runner, Script};

use super::{LEVEL, at_level};
use crate::support::*;

/// Runs JavaScript that tries something and prints what came of it; returns that line.
async fn attempt(runner: &Runner, setup: &str, expression: &str) -> String {
    let source = format!(
        "const fs = require('fs');\n{setup}\ntry {{\n  console.log('DONE', {expression});\n}} catch (error) {{\n  \
         console.log(error.code);\n}}"
    );
    logged(runner, &source).await
}

#[tokio::test]
async fn the_machine_s_files_are_closed() {
    let runner = node_or_skip!(at_level);
    assert_eq!(runner.isolation(), LEVEL);
    // A file of the server's own, readable by everyone.
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("database");
    std::fs::write(&secret, "secret").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).unwrap();
    let secret = secret.display().to_string();
    let server = std::process::id();
    for expression in [
        "fs.readFileSync('/etc/shadow')",
        "fs.readFileSync('/etc/shadow')",
        "fs.readFileSync('/etc/hostname')",
        &*format!("fs.readFileSync({secret:?})"),
        &*format!("fs.writeFileSync({secret:?}, 'x')"),
        &*format!("fs.truncateSync({secret:?})"),
        &*format!("fs.unlinkSync({secret:?})"),
        &*format!("fs.renameSync({secret:?}, 'mine')"),
        &*format!("fs.linkSync({secret:?}, 'mine')"),
        &*format!("fs.copyFileSync({secret:?}, 'mine')"),
        &*format!("fs.chmodSync({secret:?}, 0o777)"),
        "fs.readdirSync('/')",
        "fs.readdirSync('/var/tmp')",
        "fs.readdirSync('/proc')",
        "fs.readdirSync('/root')",
        "fs.readdirSync('..')",
        &*format!("fs.readFileSync('/proc/{server}/environ')"),
        &*format!("fs.openSync('/proc/{server}/mem')"),
        &*format!("fs.readdirSync('/proc/{server}/fd')"),
        "fs.openSync('/proc/self/mem', 'r+')",
        "fs.readFileSync('/proc/self/environ')",
        "fs.writeFileSync('/usr/mine', '')",
        "fs.writeFileSync('/var/tmp/mine', '')",
        // Where there is one, it is the script's own.
        if LEVEL == Isolation::Process {
            "fs.writeFileSync('/dev/shm/mine', '')"
        } else {
            "fs.writeFileSync('/dev/mine', '')"
        },
        "fs.mkdirSync('/var/tmp/mine')",
        "fs.symlinkSync('/etc/passwd', '/var/tmp/mine')",
        "fs.watch('.')",
        "process.setuid(0)",
        "process.setgid(0)",
        "process.chdir('/root')",
        "fs.chownSync('.', 0, 0)",
        "require('/etc/shadow')",
    ] {
        let result = attempt(&runner, "", expression).await;
        assert!(
            // EINVAL: a namespace that has no such user.
            matches!(
                &*result,
                "EACCES" | "EPERM" | "EINVAL" | "ENOENT" | "EXDEV" | "EROFS" | "MODULE_NOT_FOUND"
            ),
            "{expression}: {result}"
        );
    }
    // Through a link of one's own as well.
    let result = attempt(&runner, "fs.symlinkSync('/etc/shadow', 'link');", "fs.readFileSync('link')").await;
    assert_eq!(result, if LEVEL == Isolation::Process { "EACCES" } else { "ENOENT" });
    assert_eq!(std::fs::read_to_string(folder.path().join("database")).unwrap(), "secret");
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn another_worker_s_folder_is_closed() {
    let runner = node_or_skip!(at_level);
    let (tell, told) = std::sync::mpsc::channel();
    let busy = {
        let runner = runner.clone();
        tokio::spawn(async move {
            let source = "require('fs').writeFileSync('private', 'x');\nsetTimeout(() => {}, 300)";
            let outcome = runner.run(&javascript(source), call("{}")).await;
            tell.send(outcome.status).unwrap();
        })
    };
    let source = "const fs = require('fs');\nlet n = Number(require('path').basename(process.cwd()));\n\
                  for (const other of [n - 1, n + 1, '0', '1', '.']) {\n  if (other === String(n)) continue;\n  try {\n    \
                  console.log('DONE', fs.readdirSync(`../${other}`));\n  } catch (error) {\n    console.log(error.code);\n  }\n}";
    for _ in 0..3 {
        let script = Script::new("other", "test", Runtime::NodeJs, source, "{}");
        let outcome = runner.run(&script, call("{}")).await;
        assert!(!outcome.stdout.contains("DONE"), "{}", outcome.stdout);
    }
    busy.await.unwrap();
    assert_eq!(told.recv().unwrap(), RunStatus::Success);
}

#[tokio::test]
async fn the_server_s_environment_and_descriptors_stay_with_it() {
    let runner = node_or_skip!(at_level);
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("open")).unwrap();
    let inherited = rustix::io::fcntl_dupfd_cloexec(&file, 77).unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    // How to reach the network is told apart.
    let names = logged(&runner, "console.log(Object.keys(process.env).filter(n => !/PROXY|SYNCANO_NETWORK/i.test(n)).sort().join(' '))").await;
    assert_eq!(names, "HOME LANG LOGNAME MALLOC_ARENA_MAX PATH TMPDIR USER");
    // Its own event loop, what it speaks with the server over, the outputs: no files but those.
    let source = "const fs = require('fs');\nlet files = 0, sockets = 0;\nfor (let fd = 3; fd < 1024; fd++) {\n  try {\n    \
                  const stat = fs.fstatSync(fd);\n    if (stat.isFile()) files++;\n    if (stat.isSocket()) sockets++;\n  \
                  } catch {}\n}\nconsole.log(files, sockets)";
    assert_eq!(logged(&runner, source).await, "0 2");
}

#[tokio::test]
async fn a_script_is_nobody() {
    let runner = node_or_skip!(at_level);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root, so workers have no users of their own");
        return;
    }
    let source =
        "console.log(process.getuid(), process.geteuid(), process.getgid(), process.getgroups().join())";
    let printed = logged(&runner, source).await;
    let ids: Vec<&str> = printed.split(' ').collect();
    assert!(ids[0] == ids[1] && ids[0].parse::<u32>().unwrap() >= 10_000, "{printed}");
    assert!(ids[2].parse::<u32>().unwrap() >= 10_000 && (ids[3].is_empty() || ids[3] == ids[2]), "{printed}");
}

#[tokio::test]
async fn its_own_folder_works_and_is_gone_afterwards() {
    let parent = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(parent.path(), mode).unwrap();
    let path = parent.path().to_owned();
    let runner = node_or_skip!(|builder| at_level(builder).directory(path));
    let source = "const fs = require('fs'), os = require('os');\nconsole.log(fs.readdirSync('.').length, \
                  process.cwd() === os.tmpdir(), process.cwd() === os.homedir());\nfs.mkdirSync('a/b/c', { recursive: true });\n\
                  fs.writeFileSync('a/b/file', 'left');\nfs.symlinkSync('/usr', 'a/link');\n\
                  fs.mkdtempSync(os.tmpdir() + '/x');\nfs.renameSync('a/b/file', 'moved');\n\
                  try { fs.chmodSync('a', 0) } catch {}\nconsole.log(fs.readFileSync('moved', 'utf8'))";
    let script = javascript(source);
    for _ in 0..2 {
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(outcome.stdout, "0 true true\nleft", "{}", outcome.stderr);
    }
    drop(runner);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_large_file_is_refused() {
    let runner = node_or_skip!(|builder| at_level(builder).file_size(1 << 20));
    let source = "const fs = require('fs'), fd = fs.openSync('x', 'w');\nlet n = 0;\n\
                  try { for (;;) n += fs.writeSync(fd, 'x'.repeat(65536)) } catch { console.log(n) }";
    assert_eq!(logged(&runner, source).await, (1 << 20).to_string());
}
