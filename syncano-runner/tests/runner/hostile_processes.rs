//! Scripts that reach for other processes, the network and the protocol, and scripts that leave something running.

use std::time::Duration;

use syncano_core::RunStatus;
use syncano_runner::Isolation;

use super::{LEVEL, at_level};
use crate::support::*;

#[tokio::test]
async fn processes_sockets_and_the_kernel_are_closed() {
    let runner = runner_or_skip!(at_level);
    let server = std::process::id();
    let system_call = |number: i64, arguments: &str| {
        format!(
            "ctypes.CDLL(None, use_errno=True).syscall({number}, {arguments}) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), 'no'))"
        )
    };
    let own_number = |name: &str| match name {
        "io_uring_setup" => libc::SYS_io_uring_setup,
        "bpf" => libc::SYS_bpf,
        "unshare" => libc::SYS_unshare,
        "mount" => libc::SYS_mount,
        "keyctl" => libc::SYS_keyctl,
        "userfaultfd" => libc::SYS_userfaultfd,
        "ptrace" => libc::SYS_ptrace,
        "process_vm_readv" => libc::SYS_process_vm_readv,
        "prctl" => libc::SYS_prctl,
        other => panic!("{other}"),
    };
    let kernel: Vec<String> =
        ["io_uring_setup", "bpf", "unshare", "mount", "keyctl", "userfaultfd", "ptrace"]
            .map(|name| system_call(own_number(name), "16, 0, 0, 0, 0, 0"))
            .into();
    let read_memory = system_call(own_number("process_vm_readv"), &format!("{server}, 0, 0, 0, 0, 0"));
    let outlive = system_call(own_number("prctl"), "1, 0, 0, 0, 0");
    let x32 = system_call(0x4000_0000 + 57, "0, 0");
    let attempts = [
        "os.fork()",
        "subprocess.run(['/bin/true'])",
        "subprocess.run('true', shell=True)",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.kill(0, 9)",
        &*format!("os.kill({server}, 0)"),
        &*format!("signal.pidfd_send_signal(os.pidfd_open({server}), 9)"),
        &*format!("os.sched_setaffinity({server}, [0])"),
        &*format!("os.setpriority(os.PRIO_PROCESS, {server}, 19)"),
        &*format!("resource.prlimit({server}, resource.RLIMIT_NOFILE, (1, 1))"),
        "fcntl.fcntl(socket.socketpair()[0], fcntl.F_SETOWN, os.getppid())",
        // Where there is a network there is TCP, which leads to the proxy only (see `network.rs`).
        if LEVEL == Isolation::Process {
            "socket.socket()"
        } else {
            "socket.socket().bind(('127.0.0.1', 0))"
        },
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.create_connection(('127.0.0.1', 80), 1)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "urllib.request.urlopen('http://127.0.0.1:1/')",
        "os.memfd_create('x')",
        "multiprocessing.Process(target=print).start()",
        &*read_memory,
        &*outlive,
        &*x32,
    ];
    for expression in attempts.into_iter().chain(kernel.iter().map(String::as_str)) {
        let source = format!(
            "import os, subprocess, signal, socket, resource, fcntl, ctypes, urllib.request, multiprocessing\n\
             try:\n    print('DONE', {expression})\nexcept (OSError, RuntimeError) as e:\n    print(type(e).__name__)"
        );
        let outcome = run(&runner, &source).await;
        assert_eq!(outcome.status, RunStatus::Success, "{expression}: {}", outcome.stderr);
        assert!(
            matches!(
                &*outcome.stdout,
                "PermissionError"
                    | "ProcessLookupError"
                    | "ConnectionRefusedError"
                    | "OSError"
                    | "URLError"
                    | "HTTPError"
                    | "gaierror"
            ),
            "{expression}: {}",
            outcome.stdout
        );
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn threads_work_and_are_limited() {
    let runner = runner_or_skip!(at_level);
    let source = "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(8) as pool:\n    print(sum(pool.map(lambda x: x * x, range(10))))";
    assert_eq!(printed(&runner, source).await, "285");
    let bomb = "import threading\nstop = threading.Event()\nn = 0\ntry:\n    while n < 500:\n        threading.Thread(target=stop.wait).start(); n += 1\nexcept RuntimeError: pass\nstop.set()\nprint(n < 500)";
    assert_eq!(printed(&runner, bomb).await, "True");
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn a_program_waits_for_its_threads() {
    let runner = runner_or_skip!(at_level);
    let source = "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.05), print('from the thread'))).start()";
    assert_eq!(printed(&runner, source).await, "from the thread");
}

#[tokio::test]
async fn what_is_left_running_never_reaches_the_next_call() {
    let runner = runner_or_skip!(at_level);
    for left in [
        "import threading, time\ndef late():\n    while True: time.sleep(0.001); print('late')\nthreading.Thread(target=late, daemon=True).start()",
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: print('late'))\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)",
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05)",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)",
        "import builtins\nbuiltins.print = lambda *a: None",
        "import sys\nsys.settrace(lambda *a: print('late'))",
        "import sys\nsys.excepthook = None; sys.path.clear(); sys.setrecursionlimit(60)",
        "import os\nos.environ.clear(); os.environ['X'] = 'late'",
        "import os\nkept = os.open('/dev/null', os.O_RDONLY)",
        "import atexit, logging\natexit.register(lambda: 1/0)",
        "import gc\ngc.disable()",
        "class A:\n    def __del__(self): print('late')\na = A(); a.a = a",
    ] {
        let source = format!(
            "if ARGS.get('left'):\n    exec({left:?}, globals())\nelse:\n    import os, sys, signal, time, fractions\n    \
             time.sleep(0.1)\n    print(*sorted({{'HOME', 'X'}} & set(os.environ)), signal.getsignal(signal.SIGALRM) is signal.SIG_DFL, \
             len(sys.path) > 1, os.open('/dev/null', os.O_RDONLY), sys.getrecursionlimit())"
        );
        let script = script(&source);
        runner.run(&script, call(r#"{"left": true}"#)).await;
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stderr), (RunStatus::Success, ""), "{left}");
        assert_eq!(outcome.stdout, "HOME True True 3 1000", "{left}");
    }
}

#[tokio::test]
async fn forged_answers_stay_with_their_script() {
    let runner = runner_or_skip!(at_level);
    let ready = "os.write(15, struct.pack('<QBBHII', 0, 0, 0, 0, 0, 0))";
    for forged in [
        "os.write(15, b'x')",
        "os.write(15, b'\\xff' * 64)",
        "os.write(15, b'\\0' * 1_000_000)",
        ready,
        "os.write(15, struct.pack('<QBBHII', 1, 2, 0, 0, 0, 0xffffffff))",
        "os.close(15)",
    ] {
        let outcome = run(&runner, &format!("import os, struct\nprint('printed')\n{forged}\n")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "printed"), "{forged}");
        assert!(outcome.stderr.contains("the script's process"), "{forged}: {}", outcome.stderr);
        assert!(outcome.answer.is_none());
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn an_answer_for_the_next_call_is_not_taken() {
    let runner = runner_or_skip!(at_level);
    // It finds its own number, answers early, and leaves an answer for a number of the future.
    let script = script(
        "import os, struct, sys\nif ARGS.get('forge'):\n    frame = sys._getframe()\n    \
         while 'number' not in frame.f_locals: frame = frame.f_back\n    n = frame.f_locals['number']\n    \
         answer = lambda n: struct.pack('<QBBHII', n, 2, 0, 0, 0, 0)\n    \
         os.write(15, answer(n))\n    import time; time.sleep(0.05)\n    os.write(15, answer(n + 1))\nprint('mine')",
    );
    for _ in 0..3 {
        runner.run(&script, call(r#"{"forge": 1}"#)).await;
        // It may spoil its own next call, which then says so; it can't answer it, nor keep its worker.
        let next = runner.run(&script, call("{}")).await;
        assert_eq!(next.answer, None);
        if next.status == RunStatus::Failure {
            assert!(next.stderr.contains("it answered another call"), "{}", next.stderr);
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(
                (outcome.status, &*outcome.stdout),
                (RunStatus::Success, "mine"),
                "{}",
                outcome.stderr
            );
        }
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn a_flood_of_output_does_not_stop_the_timer() {
    let runner = runner_or_skip!(at_level);
    let source =
        "import os\nwhile True:\n    try: os.write(15, b'\\0' * 65536)\n    except BaseException: pass";
    let outcome = runner.run(&script(source), within(Duration::from_millis(500))).await;
    assert!(matches!(outcome.status, RunStatus::Failure | RunStatus::Timeout), "{outcome:?}");
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn too_many_descriptors_fail_alone() {
    let runner = runner_or_skip!(at_level);
    let script = script(
        "import os\nif ARGS.get('bomb'):\n    while True: os.open('/dev/null', os.O_RDONLY)\nprint('fine')",
    );
    let outcome = runner.run(&script, call(r#"{"bomb": 1}"#)).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("Too many open files"), "{}", outcome.stderr);
    assert_eq!(runner.run(&script, call("{}")).await.stdout, "fine");
}

#[tokio::test]
async fn no_other_program_takes_the_place_of_the_interpreter() {
    let runner = runner_or_skip!(at_level);
    for attempt in [
        "os.execv('/bin/sh', ['sh', '-c', 'echo escaped'])",
        "os.execv(sys.executable, [sys.executable, '-c', 'print(\"escaped\")'])",
        "threading.Thread(target=lambda: refused(os.execv, '/bin/sh', ['sh', '-c', 'echo escaped'])).start()",
        "os.execve(os.open('/bin/sh', os.O_RDONLY), ['sh', '-c', 'echo escaped'], {})",
    ] {
        let source = format!(
            "import os, sys, threading\ndef refused(f, *a):\n    try: f(*a)\n    except PermissionError: print('refused')\n\
             try: {attempt}\nexcept PermissionError: print('refused')"
        );
        assert_eq!(printed(&runner, &source).await, "refused", "{attempt}");
    }
}

#[tokio::test]
async fn memory_that_no_limit_counts_and_watching_files_are_refused() {
    let runner = runner_or_skip!(at_level);
    let shared = "import mmap\ntry: mmap.mmap(-1, 1 << 20)\nexcept PermissionError: print('refused')";
    assert_eq!(printed(&runner, shared).await, "refused");
    let private = "import mmap\nm = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\nm[0] = 7\nprint(m[0])";
    assert_eq!(printed(&runner, private).await, "7");
    let watch = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.inotify_init1(0), ctypes.get_errno())";
    assert_eq!(printed(&runner, watch).await, "-1 1");
}
