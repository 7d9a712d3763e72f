//! Which level a runner runs at, and what only the better ones promise.

use syncano_core::RunStatus;
use syncano_runner::{Isolation, Runner, StartError};

use crate::support::*;

fn at_namespace(builder: syncano_runner::RunnerBuilder) -> syncano_runner::RunnerBuilder {
    builder.isolation(Isolation::Namespace)
}

#[test]
fn the_best_level_is_taken() {
    let Some(runner) = runner_for(syncano_core::Language::Python, |builder| builder) else { return };
    let doctor = Runner::builder().examine();
    assert_eq!(runner.isolation(), doctor.level);
    assert!(doctor.level >= Isolation::Process);
    for control in &doctor.controls {
        assert!(control.present || control.level > doctor.level, "{control:?}");
    }
    // What is missing says what to enable on the usual machines.
    assert_eq!(doctor.missing.is_empty(), doctor.level == Isolation::Namespace);
    for missing in doctor.missing {
        let text = missing.to_string();
        for word in ["Debian", "Ubuntu", "Docker", "Kubernetes"] {
            assert!(text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_level_is_taken_exactly_or_not_at_all() {
    for level in [Isolation::None, Isolation::Process, Isolation::Namespace] {
        match Runner::builder().isolation(level).build() {
            Ok(runner) => assert_eq!(runner.isolation(), level),
            Err(error) => {
                assert!(
                    matches!(error, StartError::Isolation { level: missing, .. } if missing == level),
                    "{error}"
                );
                eprintln!("{error}");
            }
        }
    }
}

#[test]
fn controls_are_data() {
    let doctor = Runner::builder().isolation(Isolation::Process).examine();
    let json = serde_json::to_value(&doctor).unwrap();
    assert_eq!(json["level"], "process");
    let hidden = json["controls"].as_array().unwrap().iter().find(|control| control["level"] == "namespace");
    assert_eq!(hidden.unwrap()["present"], false);
}

#[tokio::test]
async fn nothing_of_the_machine_is_in_sight() {
    let runner = runner_or_skip!(at_namespace);
    let source = "import os\nprint(os.getpid(), os.getppid(), os.uname().nodename, os.getcwd(), os.environ['TMPDIR'])\n\
                  for path in '/root', '/home', '/var', '/proc', '/sys', '/run', '/etc/hostname', \
                  '/dev/tty', '/boot':\n    print(os.path.lexists(path), end=' ')";
    let printed = printed(&runner, source).await;
    let none = "False ".repeat(9);
    assert_eq!(printed, format!("1 0 syncano-script /tmp /tmp\n{}", none));
}

#[tokio::test]
async fn an_interpreter_finds_what_it_needs() {
    let runner = runner_or_skip!(at_namespace);
    let source = "import ssl, ctypes, sqlite3, decimal, zoneinfo, mimetypes, encodings.idna, lzma, hashlib, random, os\n\
                  open(os.devnull, 'w').write('x')\nprint(ssl.create_default_context().cert_store_stats() is not None, \
                  len(os.urandom(8)), len(open('/dev/zero', 'rb').read(4)), random.random() < 1)";
    assert_eq!(printed(&runner, source).await, "True 8 4 True");
}

#[tokio::test]
async fn a_full_folder_is_an_error_and_empty_for_the_next_call() {
    let runner = runner_or_skip!(|builder| at_namespace(builder).folder_size(4 << 20));
    let source = "import os\nn = 0\ntry:\n    while True:\n        with open(str(n), 'wb') as f: f.write(bytes(1 << 20))\n        \
                  n += 1\nexcept OSError as e: print(n, e.errno)";
    let entries = "import errno\nn = 0\ntry:\n    while True:\n        open(f'x{n}', 'x').close(); n += 1\n\
                   except OSError as e: print(1000 < n < 5000, e.errno)";
    for _ in 0..2 {
        assert_eq!(printed(&runner, source).await, format!("4 {}", libc::ENOSPC));
        assert_eq!(printed(&runner, entries).await, format!("True {}", libc::ENOSPC));
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn a_full_folder_is_an_error_and_empty_for_the_next_call_in_javascript() {
    let runner = node_or_skip!(|builder| at_namespace(builder).folder_size(4 << 20));
    let source = "const fs = require('fs');\nlet n = 0;\n\
                  try { for (;;) { fs.writeFileSync(String(n), Buffer.alloc(1 << 20)); n++ } } catch ({ code }) { console.log(n, code) }";
    let entries = "const fs = require('fs');\nlet n = 0;\ntry { for (;;) { fs.writeFileSync('x' + n, ''); n++ } }\n\
                   catch ({ code }) { console.log(1000 < n && n < 5000, code) }";
    for _ in 0..2 {
        assert_eq!(logged(&runner, source).await, "4 ENOSPC");
        assert_eq!(logged(&runner, entries).await, "true ENOSPC");
    }
    other_node_is_fine(&runner).await;
}

#[tokio::test]
async fn its_own_files_get_modes_and_times() {
    let runner = runner_or_skip!(at_namespace);
    let source = "import os, shutil\nopen('a', 'w').close()\nos.chmod('a', 0o640)\nos.utime('a', (1, 2))\nshutil.copy2('a', 'b')\n\
                  print(oct(os.stat('b').st_mode & 0o777), os.stat('b').st_mtime)";
    assert_eq!(printed(&runner, source).await, "0o640 2.0");
}

#[tokio::test]
async fn what_is_bound_can_not_be_changed() {
    let runner = runner_or_skip!(at_namespace);
    let source = "import os, sys\nfor path in sys.prefix, '/etc', '/dev', '/', '/usr/bin':\n    \
                  for attempt in lambda: open(path + '/mine', 'w'), lambda: os.chmod(path, 0o777), lambda: os.rename(path, path + '2'), \
                  lambda: os.utime(path):\n        try: attempt(); print('DONE', path)\n        except OSError: pass";
    assert_eq!(printed(&runner, source).await, "");
}

#[tokio::test]
async fn the_first_process_of_a_namespace_ends_like_any_other() {
    let runner = runner_or_skip!(at_namespace);
    // Its own signals don't reach it, but its own faults do, and the server's.
    let outcome = run(&runner, "import ctypes\nctypes.string_at(0)").await;
    assert!(outcome.stderr.ends_with("by signal SIGSEGV (11)"), "{}", outcome.stderr);
    let outcome = run(&runner, "import os\nos.abort()").await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("the script's process ended by signal"), "{}", outcome.stderr);
    let start = std::time::Instant::now();
    let source = "import signal, time\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except OSError: pass\n\
                  while True: time.sleep(1)";
    let outcome = runner.run(&script(source), within(std::time::Duration::from_millis(300))).await;
    assert_eq!(outcome.status, RunStatus::Timeout);
    assert!(start.elapsed() < LONG);
    neighbour_is_fine(&runner).await;
}
