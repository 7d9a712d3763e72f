//! Scripts that reach for what is not theirs: files, the environment, descriptors.

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use super::{LEVEL, at_level};
use crate::support::*;

/// Runs Python that tries something and prints what came of it; returns that line.
async fn attempt(runner: &syncano_runner::Runner, setup: &str, expression: &str) -> String {
    let source = format!(
        "import os, sys\n{setup}\ntry:\n    print('DONE', {expression})\nexcept Exception as e:\n    print(type(e).__name__)"
    );
    printed(runner, &source).await
}

#[tokio::test]
async fn the_machine_s_files_are_closed() {
    let runner = runner_or_skip!(at_level);
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
        "open('/etc/shadow').read()",
        // Where there is one, it is made up.
        if LEVEL == Isolation::Process { "open('/etc/passwd').read()" } else { "open('/etc/passwd', 'a')" },
        "open('/etc/hostname').read()",
        &*format!("open({secret:?}).read()"),
        &*format!("open({secret:?}, 'w').write('x')"),
        &*format!("os.truncate({secret:?}, 0)"),
        &*format!("os.unlink({secret:?})"),
        &*format!("os.rename({secret:?}, 'mine')"),
        &*format!("os.link({secret:?}, 'mine')"),
        &*format!("os.chmod({secret:?}, 0o777)"),
        "os.listdir('/')",
        "os.listdir('/var/tmp')",
        "os.listdir('/proc')",
        "os.listdir('/root')",
        "os.listdir('..')",
        &*format!("open('/proc/{server}/environ').read()"),
        &*format!("open('/proc/{server}/mem', 'rb').read(1)"),
        &*format!("os.listdir('/proc/{server}/fd')"),
        "open('/proc/self/mem', 'wb')",
        "open('/usr/mine', 'w')",
        "open('/var/tmp/mine', 'w')",
        // Where there is one, it is the script's own.
        if LEVEL == Isolation::Process { "open('/dev/shm/mine', 'w')" } else { "open('/dev/mine', 'w')" },
        "os.mkdir('/var/tmp/mine')",
        "os.symlink('/etc/passwd', '/var/tmp/mine')",
        "os.mkfifo('pipe')",
        "os.mknod('device', 0o600 | 0x2000, 0x101)",
        "os.setuid(0)",
        "os.chown('.', 0, 0)",
        "os.chroot('.')",
    ] {
        let result = attempt(&runner, "", expression).await;
        assert!(
            matches!(&*result, "PermissionError" | "FileNotFoundError" | "OSError"),
            "{expression}: {result}"
        );
    }
    // Through a link of one's own as well.
    let result = attempt(&runner, "os.symlink('/etc/shadow', 'link')", "open('link').read()").await;
    let refused = if LEVEL == Isolation::Process { "PermissionError" } else { "FileNotFoundError" };
    assert_eq!(result, refused);
    assert_eq!(std::fs::read_to_string(folder.path().join("database")).unwrap(), "secret");
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn another_worker_s_folder_is_closed() {
    let runner = runner_or_skip!(at_level);
    let busy = {
        let runner = runner.clone();
        let source = "import time\nopen('private', 'w').write('x')\ntime.sleep(0.3)";
        tokio::spawn(async move { runner.run(&script(source), call("{}")).await.status })
    };
    let source = "import os\nown = os.path.basename(os.getcwd())\nnear = [str(int(own) + by) for by in (-1, 1)] if own.isdigit() else []\n\
                  for other in near + ['0', '1', '.']:\n    if other == own: continue\n    \
                  try: print('DONE', os.listdir('../' + other))\n    except OSError as e: print(e.errno)";
    for _ in 0..3 {
        let other = Script::new("other", "test", Runtime::Python3, source, "{}");
        let outcome = runner.run(&other, call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
        assert!(!outcome.stdout.is_empty() && !outcome.stdout.contains("DONE"), "{}", outcome.stdout);
    }
    assert_eq!(busy.await.unwrap(), RunStatus::Success);
}

#[tokio::test]
async fn the_server_s_environment_and_descriptors_stay_with_it() {
    let runner = runner_or_skip!(at_level);
    // A descriptor that isn't marked to be closed by exec, as a careless library leaves it.
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("open")).unwrap();
    let inherited = rustix::io::fcntl_dupfd_cloexec(&file, 77).unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    // How to reach the network is told apart.
    let names = printed(&runner, "import os\nprint(*sorted(n for n in os.environ if 'PROXY' not in n.upper() and n != 'SYNCANO_NETWORK'))").await;
    assert_eq!(
        names,
        "HOME LANG LOGNAME MALLOC_ARENA_MAX OMP_NUM_THREADS OPENBLAS_NUM_THREADS PATH TMPDIR USER"
    );
    let source = "import os\nopen_ones = []\nfor fd in range(1024):\n    try:\n        os.fstat(fd); open_ones.append(fd)\n    except OSError: pass\nprint(*open_ones)";
    assert_eq!(printed(&runner, source).await, "0 1 2 14 15");
}

#[tokio::test]
async fn a_script_is_nobody() {
    let runner = runner_or_skip!(at_level);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root, so workers have no users of their own");
        return;
    }
    let source = "import os\nprint(*os.getresuid(), *os.getresgid(), os.getgroups())";
    let mut users = Vec::new();
    for instance in ["a", "b"] {
        let script = Script::new(instance, "test", Runtime::Python3, source, "{}");
        let outcome = runner.run(&script, call("{}")).await;
        let ids: Vec<u32> = outcome.stdout.split(' ').take(6).map(|id| id.parse().unwrap()).collect();
        assert!(ids[..3].iter().all(|&id| id == ids[0] && id >= 10_000), "{}", outcome.stdout);
        assert!(ids[3..].iter().all(|&id| id == ids[3] && id >= 10_000), "{}", outcome.stdout);
        assert!(outcome.stdout.ends_with("[]"), "{}", outcome.stdout);
        users.push(ids[0]);
    }
    // Both are warm, so both are there: not the same user.
    assert_ne!(users[0], users[1]);
    // PR_CAPBSET_READ: no program that it might execute would have a capability, either.
    let source = "import ctypes\nlibc = ctypes.CDLL(None)\nprint([c for c in range(41) if libc.prctl(23, c, 0, 0, 0)])";
    assert_eq!(printed(&runner, source).await, "[]");
}

#[tokio::test]
async fn its_own_folder_works_and_is_empty_for_the_next_call() {
    let runner = runner_or_skip!(at_level);
    let script = script(
        "import os, tempfile\nprint(os.listdir('.'), os.getcwd() == os.environ['HOME'] == tempfile.gettempdir())\n\
         with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('x')\n\
         os.makedirs('a/b/c'); open('a/b/c/file', 'w').write('left'); os.symlink('/usr', 'a/link')\n\
         open('.hidden', 'w').close(); os.rename('.hidden', 'a/b/.hidden'); os.chdir('a/b'); os.umask(0)\n\
         print(os.getpid())",
    );
    let first = runner.run(&script, call("{}")).await;
    let second = runner.run(&script, call("{}")).await;
    assert_eq!(first.status, RunStatus::Success, "{}", first.stderr);
    assert!(first.stdout.starts_with("[] True"), "{}", first.stdout);
    // Wiped, not replaced.
    assert_eq!(first.stdout, second.stdout);
}

#[tokio::test]
async fn a_large_file_is_refused() {
    let runner = runner_or_skip!(|builder| at_level(builder).file_size(1 << 20));
    let source = "f = open('x', 'wb', 0)\nn = 0\ntry:\n    while True: n += f.write(b'x' * 65536)\nexcept OSError: print(n)";
    assert_eq!(printed(&runner, source).await, (1 << 20).to_string());
}

#[tokio::test]
async fn nothing_is_left_on_the_disk() {
    let parent = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(parent.path(), mode).unwrap();
    let path = parent.path().to_owned();
    let runner = runner_or_skip!(|builder| at_level(builder).directory(path));
    let source = "import os\nos.makedirs('d')\nos.chdir('d')\nfor i in range(100):\n    os.mkdir('d'); os.mkdir('e', 0); os.chdir('d')\nos._exit(0)";
    assert_eq!(run(&runner, source).await.status, RunStatus::Success);
    neighbour_is_fine(&runner).await;
    drop(runner);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}
