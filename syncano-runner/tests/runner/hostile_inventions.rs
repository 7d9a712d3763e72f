//! Attacks that stand in no list: on what the server shares with a worker (the outputs, the channel, the folder that it
//! removes), on files that both can read, on the machine's time and memory.

use std::time::Duration;

use syncano_core::RunStatus;
use syncano_runner::Isolation;

use super::{LEVEL, at_level};
use crate::support::*;

/// What each of these expressions came to: `DONE`, or the name of an error.
async fn attempts(runner: &syncano_runner::Runner, setup: &str, expressions: &[&str]) -> Vec<String> {
    let source = format!(
        "import ctypes, fcntl, mmap, os, signal, socket, resource, time\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         def call(*arguments):\n    if libc.syscall(*arguments) == -1: raise OSError(ctypes.get_errno(), 'no')\n{setup}\n\
         for attempt in [{}]:\n    try: attempt(); print('DONE')\n    except Exception as e: print(type(e).__name__)",
        expressions.iter().map(|expression| format!("lambda: {expression}")).collect::<Vec<_>>().join(", ")
    );
    printed(runner, &source).await.lines().map(str::to_owned).collect()
}

async fn all_refused(runner: &syncano_runner::Runner, setup: &str, expressions: &[&str]) {
    let came_to = attempts(runner, setup, expressions).await;
    assert_eq!(came_to.len(), expressions.len());
    for (expression, came_to) in expressions.iter().zip(&came_to) {
        assert!(came_to.ends_with("Error"), "{expression}: {came_to}");
    }
}

#[tokio::test]
async fn the_outputs_can_not_be_made_useless_for_the_server() {
    let runner = runner_or_skip!(at_level);
    all_refused(
        &runner,
        "",
        &[
            // F_ADD_SEALS: no writing; no hole where the server makes one.
            "fcntl.fcntl(1, 1033, 8)",
            "fcntl.fcntl(1, 1033, 16)",
            "os.ftruncate(1, 0)",
            "os.ftruncate(1, 1 << 40)",
            "os.posix_fallocate(1, 0, 1 << 40)",
            "os.pwrite(1, b'x', 1 << 40)",
        ],
    )
    .await;
    for abuse in [
        "os.lseek(1, (1 << 63) - 1, 0)",
        "os.lseek(1, 1 << 40, 0)",
        "fcntl.fcntl(1, fcntl.F_SETFL, os.O_APPEND)",
        "fcntl.flock(1, fcntl.LOCK_EX)",
        "state = mmap.mmap(1, 4096); state[:4] = b'mine'; state.close()",
        "os.dup2(1, 2)",
        "os.close(1); os.close(2)",
    ] {
        let script =
            script(&format!("import fcntl, mmap, os\nif ARGS.get('abuse'):\n    {abuse}\nprint('fine')"));
        let outcome = runner.run(&script, call(r#"{"abuse": 1}"#)).await;
        // Where it stands at the end of its file, that counts as full.
        let ended = if abuse.contains("lseek") { RunStatus::Failure } else { RunStatus::Success };
        assert_eq!(outcome.status, ended, "{abuse}: {}", outcome.stderr);
        neighbour_is_fine(&runner).await;
        // Where it has spoilt its own file, that is lost for its own script, and not for long.
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Success, "{abuse}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn descriptors_sent_over_the_channel_go_nowhere() {
    let runner = runner_or_skip!(at_level);
    let before = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let source = "import array, os, socket, time\nchannel = socket.socket(fileno=os.dup(15))\nsent = 0\ntry:\n    \
                  while sent < 3000:\n        channel.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 15, channel.fileno()]))], socket.MSG_DONTWAIT); sent += 1\n\
                  except OSError: pass\ntime.sleep(1000)";
    let outcome = runner.run(&script(source), within(Duration::from_secs(2))).await;
    // The kernel bounds how many are on their way; if fewer bytes arrive than make an answer, none does.
    assert!(matches!(outcome.status, RunStatus::Failure | RunStatus::Timeout), "{outcome:?}");
    neighbour_is_fine(&runner).await;
    drop(runner);
    // Other tests of this program have descriptors as well, none of them thousands.
    assert!(std::fs::read_dir("/proc/self/fd").unwrap().count() < before + 1000);
}

#[tokio::test]
async fn an_answer_that_never_ends_ends_with_the_timeout() {
    let runner = runner_or_skip!(at_level);
    let source = "import os, struct, sys, time\nframe = sys._getframe()\nwhile 'number' not in frame.f_locals: frame = frame.f_back\n\
                  os.write(15, struct.pack('<QBBHII', frame.f_locals['number'], 2, 0, 0, 0, 6 << 20))\n\
                  while True:\n    try: os.write(15, b'1'); time.sleep(0.01)\n    except BaseException: pass";
    let outcome = runner.run(&script(source), within(Duration::from_millis(700))).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Timeout, None), "{}", outcome.stderr);
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn numbers_of_answers_can_not_be_guessed() {
    let runner = runner_or_skip!(at_level);
    // As many as fit before the server reads: none is the right one.
    let source = "import os, struct, sys\nfor number in range(10_000):\n    \
                  os.write(15, struct.pack('<QBBHII', number, 1, 0, 0, 0, 0))";
    for _ in 0..3 {
        let outcome = run(&runner, source).await;
        assert_eq!((outcome.status, outcome.answer), (RunStatus::Failure, None));
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn a_channel_that_is_closed_spoilt_or_doubled_costs_its_own_calls_only() {
    let runner = runner_or_skip!(at_level);
    for abuse in [
        "os.close(15)",
        "os.dup2(0, 15)",
        "os.dup2(1, 15)",
        "os.dup2(15, 100)",
        "fcntl.fcntl(15, fcntl.F_SETFL, os.O_NONBLOCK)",
        "os.close(14)",
        "os.dup2(0, 14)",
        "os.dup2(15, 14)",
        "fcntl.fcntl(14, fcntl.F_SETFL, os.O_NONBLOCK)",
        "socket.socket(fileno=os.dup(14)).shutdown(socket.SHUT_RD)",
        "socket.socket(fileno=os.dup(14)).sendmsg([b'x'] * 100, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, (15).to_bytes(4, 'little'))])",
        "socket.socket(fileno=os.dup(15)).shutdown(socket.SHUT_RD)",
        "socket.socket(fileno=os.dup(15)).setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes([0] * 8 + [1] + [0] * 7))",
    ] {
        let script =
            script(&format!("import fcntl, os, socket\nif ARGS.get('abuse'):\n    {abuse}\nprint('fine')"));
        let _ = runner.run(&script, call(r#"{"abuse": 1}"#)).await;
        // One that has ended meanwhile may be noticed too late: then that call fails. What never ran is no success.
        let mut failed = 0;
        for _ in 0..5 {
            let next = runner.run(&script, call("{}")).await;
            assert_eq!(next.status == RunStatus::Success, next.stdout == "fine", "{abuse}: {next:?}");
            failed += u32::from(next.status != RunStatus::Success);
        }
        assert!(failed <= 1, "{abuse}: {failed}");
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn the_folder_that_the_server_removes_leads_nowhere_else() {
    let parent = tempfile::tempdir().unwrap();
    let victim = tempfile::tempdir().unwrap();
    std::fs::create_dir(victim.path().join("inner")).unwrap();
    std::fs::write(victim.path().join("inner/file"), "mine").unwrap();
    for folder in [parent.path(), victim.path()] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder, mode).unwrap();
    }
    let path = parent.path().to_owned();
    let runner = runner_or_skip!(|builder| at_level(builder).directory(path));
    let source = format!(
        "import os\nvictim = {:?}\nfor name in ['a', b'\\xff\\xfe', '-rf', ' ', 'x' * 255, '\\n']:\n    \
         os.symlink(victim, name)\nos.makedirs('d/e/f')\nos.symlink(victim, 'd/e/f/g')\nos.symlink('../../..', 'd/e/up')\n\
         os.symlink('d', 'loop'); os.symlink('loop', 'd/loop')\nos.open('.', os.O_TMPFILE | os.O_RDWR)\n\
         for i in range(200): os.symlink(victim + '/inner', 'd/%d' % i)\nos.rename('d/e', 'moved')\nos._exit(0)",
        victim.path().display().to_string()
    );
    for _ in 0..3 {
        assert_eq!(run(&runner, &source).await.status, RunStatus::Success);
    }
    neighbour_is_fine(&runner).await;
    drop(runner);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(victim.path().join("inner/file")).unwrap(), "mine");
}

#[tokio::test]
async fn files_that_others_read_too_can_not_be_changed_held_or_watched() {
    // As an interpreter or an environment in its user's home is: the server's user owns it, and without root the script is
    // that user.
    let folder = tempfile::Builder::new().prefix("syncano-test").tempdir_in("/var/tmp").unwrap();
    let modules = folder.path().join("node_modules");
    std::fs::create_dir(&modules).unwrap();
    let file = modules.join("package.js");
    std::fs::write(&file, "1").unwrap();
    for path in [folder.path(), &modules, &file] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).unwrap();
    }
    let shown = modules.clone();
    let Some(runner) =
        runner_for(syncano_core::Language::JavaScript, |builder| at_level(builder).environment("own", shown))
    else {
        return;
    };
    let source = format!(
        "const fs = require('fs'), fd = fs.openSync({file:?}, 'r');\nfor (const attempt of [\n  \
         () => fs.fchmodSync(fd, 0o700),\n  () => fs.fchownSync(fd, process.getuid(), process.getgid()),\n  \
         () => fs.futimesSync(fd, 1, 1),\n  () => fs.chmodSync({file:?}, 0o700),\n  () => fs.ftruncateSync(fd),\n]) \
         try {{ attempt(); console.log('DONE') }} catch (error) {{ console.log(error.code) }}"
    );
    let script = javascript(&source).environment("own");
    let outcome = runner.run(&script, call("{}")).await;
    assert_eq!(outcome.stdout.lines().count(), 5, "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("DONE"), "{}", outcome.stdout);
    let metadata = std::fs::metadata(&file).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o755);

    let runner = runner_or_skip!(at_level);
    let setup = "shared = os.open(os.__file__, os.O_RDONLY)\nown = os.open('.', os.O_RDONLY)\n\
                 mine = os.open('mine', os.O_CREAT | os.O_RDWR)\nlong = ctypes.c_long()";
    all_refused(
        &runner,
        setup,
        &[
            "os.fchmod(shared, 0)",
            "os.fchown(shared, os.getuid(), -1)",
            "os.setxattr(shared, 'user.x', b'x')",
            // FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR
            "fcntl.ioctl(shared, 0x40086602, b'\\0' * 8)",
            "fcntl.ioctl(shared, 0x401c5820, b'\\0' * 28)",
            // F_SETLEASE keeps others from writing, for as long as it takes the kernel to lose patience.
            "fcntl.fcntl(shared, 1024, fcntl.F_WRLCK)",
            "fcntl.fcntl(mine, 1024, fcntl.F_RDLCK)",
            // F_NOTIFY watches a folder.
            "fcntl.fcntl(own, 1026, 0x80000007)",
            "fcntl.lockf(shared, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        ],
    )
    .await;
    // A lock that nobody asks for does no harm.
    let hold = "import fcntl, json, os, time\nfor module in os, json, time:\n    path = getattr(module, '__file__', None)\n    \
                if path: fcntl.flock(open(path), fcntl.LOCK_EX)\nprint('held', flush=True)\ntime.sleep(1000)";
    let holder = {
        let (runner, script) = (runner.clone(), crate::support::script(hold));
        tokio::spawn(async move { runner.run(&script, call("{}")).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    neighbour_is_fine(&runner).await;
    holder.abort();
}

#[tokio::test]
async fn storms_of_signals_stay_in_the_process() {
    let runner = runner_or_skip!(at_level);
    let storms = [
        "signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)",
        "signal.signal(signal.SIGPROF, lambda *_: None); signal.setitimer(signal.ITIMER_PROF, 1e-6, 1e-6)",
        "signal.signal(signal.SIGUSR1, lambda *_: None); [os.kill(os.getpid(), signal.SIGUSR1) for _ in range(100_000)]",
        // Queued, and never delivered.
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 64)); [libc.sigqueue(os.getpid(), 40, None) for _ in range(200_000)]",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    ];
    for storm in storms {
        let source = format!(
            "import ctypes, os, signal\nlibc = ctypes.CDLL(None)\n{storm}\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass"
        );
        let outcome = runner.run(&script(&source), within(Duration::from_millis(300))).await;
        assert!(matches!(outcome.status, RunStatus::Timeout | RunStatus::Failure), "{storm}: {outcome:?}");
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn a_script_takes_no_more_of_the_processor_than_it_is_given() {
    let runner = runner_or_skip!(at_level);
    all_refused(
        &runner,
        "param = (ctypes.c_int * 1)(1)",
        &[
            "os.nice(-5)",
            "os.setpriority(os.PRIO_PROCESS, 0, -5)",
            "os.setpriority(os.PRIO_PGRP, 0, 19)",
            "os.setpriority(os.PRIO_USER, 0, 19)",
            "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
            "os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))",
            "resource.setrlimit(resource.RLIMIT_RTPRIO, (99, 99))",
            "resource.setrlimit(resource.RLIMIT_NICE, (40, 40))",
            "resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))",
            "resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))",
            "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))",
            // ioprio_set(IOPRIO_WHO_PROCESS, 0, real time)
            &format!("call({}, 1, 0, 1 << 13)", libc::SYS_ioprio_set),
        ],
    )
    .await;
}

#[tokio::test]
async fn objects_and_memory_of_the_kernel_are_out_of_reach() {
    let runner = runner_or_skip!(at_level);
    let calls = |names: &[(i64, &str)]| {
        names.iter().map(|(number, arguments)| format!("call({number}, {arguments})")).collect::<Vec<_>>()
    };
    let refused = calls(&[
        (libc::SYS_shmget, "0, 4096, 0o1600"),
        (libc::SYS_semget, "0, 1, 0o1600"),
        (libc::SYS_msgget, "0, 0o1600"),
        (libc::SYS_mq_open, "b'/mine', 0o102, 0o600, 0"),
        (libc::SYS_memfd_create, "b'x', 0"),
        (libc::SYS_memfd_secret, "0"),
        (libc::SYS_userfaultfd, "1"),
        (libc::SYS_perf_event_open, "b'\\0' * 128, 0, -1, -1, 0"),
        (libc::SYS_bpf, "0, 0, 0"),
        (libc::SYS_add_key, "b'user', b'mine', b'x', 1, -3"),
        (libc::SYS_keyctl, "0, -3, 1"),
        (libc::SYS_request_key, "b'user', b'mine', 0, 0"),
        (libc::SYS_quotactl, "0x80000100, 0, 0, 0"),
        (libc::SYS_vmsplice, "1, 0, 0, 0"),
        (libc::SYS_mlock, "id(refused), 4096"),
        (libc::SYS_mlockall, "3"),
        (libc::SYS_timer_create, "0, 0, ctypes.byref(ctypes.c_long())"),
        // A filter of its own that asks somebody else: SECCOMP_SET_MODE_FILTER with a listener.
        (libc::SYS_seccomp, "1, 8, 0"),
        (libc::SYS_syslog, "3, ctypes.create_string_buffer(100), 100"),
        (libc::SYS_pidfd_open, "1, 0"),
        // PR_SET_MM, PR_SET_MEMORY_MERGE; MADV_MERGEABLE: who shares pages with whom can be measured.
        (libc::SYS_prctl, "35, 8, 0, 0, 0"),
        (libc::SYS_prctl, "67, 1, 0, 0, 0"),
        (libc::SYS_madvise, "page, 4096, 12"),
        (libc::SYS_personality, "0x0400000"),
    ]);
    let setup = "refused = None\narea = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
                 page = ctypes.c_long((ctypes.addressof(ctypes.c_char.from_buffer(area)) + 4095) & ~4095)";
    all_refused(&runner, setup, &refused.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Its own memory by a descriptor: there is none to be had.
    all_refused(
        &runner,
        "",
        &[
            "open('/proc/self/mem', 'r+b')",
            "open('/proc/self/fd/1', 'w')",
            // Where there is one, it is the script's own.
            if LEVEL == Isolation::Process { "open('/dev/shm/x', 'w')" } else { "open('/dev/x', 'w')" },
            "open('/dev/userfaultfd')",
            "open('/dev/kmsg')",
            "open('/dev/mem')",
            "os.open('/usr', os.O_TMPFILE | os.O_RDWR)",
            "fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)",
        ],
    )
    .await;
}

#[tokio::test]
async fn what_ends_a_process_in_a_hurry_is_told_and_costs_one_call() {
    let runner = runner_or_skip!(at_level);
    for (end, statuses) in [
        ("import ctypes; ctypes.string_at(0)", &[RunStatus::Failure][..]),
        ("import os; os.abort()", &[RunStatus::Failure]),
        ("import os; os._exit(7)", &[RunStatus::Failure]),
        ("import sys; sys.exit('text')", &[RunStatus::Failure]),
        ("def", &[RunStatus::Failure]),
        ("raise ValueError", &[RunStatus::Failure]),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", &[RunStatus::Failure]),
        ("def f(): f()\nf()", &[RunStatus::Failure]),
        ("import os\nos.closerange(0, 1024)", &[RunStatus::Failure]),
        (
            "import resource, signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
            &[RunStatus::Timeout],
        ),
        ("import time\ntime.sleep(1000)", &[RunStatus::Timeout]),
        // Nothing that counts is what is left out.
        ("while True: print('x' * 1000)", &[RunStatus::Timeout]),
    ] {
        let outcome = runner.run(&script(end), within(Duration::from_secs(2))).await;
        assert!(statuses.contains(&outcome.status), "{end}: {outcome:?}");
        assert!(outcome.stdout.len() + outcome.stderr.len() <= 512 * 1024 + 200);
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn an_input_that_nobody_reads_ends_with_the_timeout() {
    let runner = runner_or_skip!(at_level);
    // It answers in its worker's place, and never comes back for the next call.
    let script = script(
        "import os, struct, sys, time\nframe = sys._getframe()\nwhile 'number' not in frame.f_locals: frame = frame.f_back\n\
         os.write(15, struct.pack('<QBBHII', frame.f_locals['number'], 1, 0, 0, 0, 0))\nwhile True:\n    \
         try: time.sleep(1000)\n    except BaseException: pass",
    );
    let outcome = runner.run(&script, call("{}")).await;
    assert_eq!((outcome.status, &outcome.answer), (RunStatus::Success, &None));
    let mut large = call(&format!(r#"{{"x": "{}"}}"#, "x".repeat(8 << 20)));
    large.timeout = Duration::from_millis(500);
    let outcome = runner.run(&script, large).await;
    assert_eq!((outcome.status, outcome.answer), (RunStatus::Timeout, None));
    neighbour_is_fine(&runner).await;
}
