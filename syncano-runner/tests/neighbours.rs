//! Every row of the list of hostile scripts, in both languages, at each level that the machine offers: it is contained, it ends
//! with the right status, calls of another instance go on as fast as without it, and no process is left.
//!
//! What each control refuses in detail is tested in `runner`; this has a program of its own, so that nothing else runs beside what
//! is timed. `cargo test -p syncano-runner --test neighbours -- --nocapture` prints the ratios.

use std::time::{Duration, Instant};

use syncano_core::RunStatus::{self, Blocked, Failure, QueueTimeout, Success, Timeout};
use syncano_core::{Language, Runtime};
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};

/// By how much a neighbour's calls may be slower, at the median. A script that computes has one of the processors, so on a machine
/// with two the calls share the other one with the server.
const SLOWER: f64 = 5.0;
/// Rounds until it isn't. Other programs of the machine take their share, too.
const ROUNDS: usize = 6;
const TIMEOUT: Duration = Duration::from_millis(300);

/// One at a time: they are timed.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What it is, the script, and how it may end. A script that prints `DONE` got what it must not get. `FILE` is a file that
/// everyone may read, `PORT` one where somebody listens.
type Row = (&'static str, &'static str, &'static [RunStatus]);

const PYTHON: &[Row] = &[
    ("a fork bomb", "import os\nwhile True: os.fork()", &[Failure]),
    (
        "a daemon by a double fork",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\n    while True: pass\nprint('DONE')",
        &[Failure],
    ),
    (
        "threads that outlive main",
        "import threading, time\nfor _ in range(8): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        &[Success],
    ),
    (
        "a bomb of threads",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
        &[Failure, Timeout],
    ),
    ("sleeping past the timeout", "import time\ntime.sleep(60)", &[Timeout]),
    ("spinning past the timeout", "while True: pass", &[Timeout]),
    ("taking all memory", "x = []\nwhile True: x.append(bytearray(1 << 20))", &[Failure, Timeout]),
    ("printing without end", "while True: print('x' * 4096)", &[Failure, Timeout]),
    ("closing all descriptors", "import os\nos.closerange(0, 1024)", &[Failure]),
    ("os._exit", "import os\nos._exit(3)", &[Failure]),
    ("sys.exit with a text", "import sys\nsys.exit('text')", &[Failure]),
    ("no Python", "def", &[Failure]),
    ("an exception", "1 / 0", &[Failure]),
    ("a segmentation fault", "import ctypes\nctypes.string_at(0)", &[Failure]),
    ("kill(-1)", "import os\nos.kill(-1, 9)\nprint('DONE')", &[Failure]),
    ("kill(0)", "import os\nos.kill(0, 9)\nprint('DONE')", &[Failure]),
    ("kill(parent)", "import os\nos.kill(os.getppid(), 9)\nprint('DONE')", &[Failure]),
    (
        "tracing and reading other processes",
        "import ctypes, os\nlibc = ctypes.CDLL(None)\npid = os.getppid() or 1\n\
         if libc.ptrace(0x4206, pid, 0, 0) >= 0 or libc.process_vm_readv(pid, None, 0, None, 0, 0) >= 0: print('DONE')",
        &[Success],
    ),
    (
        "/proc",
        "import os\nfor path in 'SERVER/mem', 'SERVER/environ', 'SERVER/maps', 'self/mem', '':\n    \
         try: (open if path else os.listdir)('/proc/' + path); print('DONE')\n    except OSError: pass",
        &[Success],
    ),
    (
        "doors into the kernel",
        "import ctypes\nlibc = ctypes.CDLL(None)\nfor name, arguments in {\n    'unshare': (0x10000000,), 'mount': (b'x', b'.', b'tmpfs', 0, None), \
         'setuid': (0,), 'umount2': (b'/tmp', 2)}.items():\n    if getattr(libc, name)(*arguments) >= 0: print('DONE', name)\n\
         for number in NUMBERS:\n    if libc.syscall(number, 16, 0, 0, 0, 0, 0) >= 0: print('DONE', number)",
        &[Success],
    ),
    (
        "sockets",
        "import socket\nfor kind in (2, 3), (2, 2), (1, 1), (16, 3), (17, 3), (40, 1):\n    \
         try: socket.socket(*kind); print('DONE', kind)\n    except OSError: pass\n\
         try: socket.create_connection(('127.0.0.1', PORT), 1); print('DONE')\nexcept OSError: pass",
        &[Success],
    ),
    (
        "files of others",
        "import os\nfor path in '/etc/shadow', '/etc/hostname', FILE, '/root', '..':\n    \
         try: (os.listdir if path in ('/root', '..') else open)(path); print('DONE', path)\n    except OSError: pass",
        &[Success],
    ),
    ("writing to /usr", "open('/usr/mine', 'w')\nprint('DONE')", &[Failure]),
    ("a file of 20 MB", "open('file', 'wb').write(bytes(20_000_000))", &[Success, Timeout]),
    ("a file of 60 MB", "open('file', 'wb').write(bytes(60_000_000))\nprint('DONE')", &[Failure, Timeout]),
    // Only `namespace` promises that there is an end.
    (
        "filling /tmp",
        "for n in range(80): open(str(n), 'wb').write(bytes(1 << 20))",
        &[Success, Failure, Timeout],
    ),
    ("6,000 files", "for n in range(6000): open(str(n), 'wb')", &[Success, Failure, Timeout]),
    (
        "files for the next call",
        "import os\nif os.listdir('.'): print('DONE')\nopen('.left', 'w')\nos.makedirs('a/b')",
        &[Success],
    ),
    ("a bomb of descriptors", "import os\nwhile True: os.open('/dev/null', 0)", &[Failure]),
    ("memfd", "import os\nos.memfd_create('x')\nprint('DONE')", &[Failure]),
    ("deep recursion", "def f(): f()\nf()", &[Failure]),
    (
        "ignoring every signal",
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile True: pass",
        &[Timeout],
    ),
    (
        "a forged answer",
        "import os, struct\nos.write(15, struct.pack('<QBBHII', 1, 2, 0, 0, 0, 0))",
        &[Failure],
    ),
    (
        "a flood of answers",
        "import os\nwhile True:\n    try: os.write(15, bytes(65536))\n    except BaseException: pass",
        &[Failure, Timeout],
    ),
    ("taking what the server sends", "import os\nwhile True: os.read(15, 1 << 20)", &[Timeout]),
];

const JAVASCRIPT: &[Row] = &[
    (
        "a fork bomb",
        "const { spawn } = require('child_process');\nfor (;;) try { spawn(process.execPath) } catch {}",
        &[Failure, Timeout],
    ),
    (
        "a daemon",
        "const child = require('child_process').spawn('/bin/sleep', ['60'], { detached: true });\n\
         child.on('spawn', () => console.log('DONE')).on('error', () => {})",
        &[Success, Failure],
    ),
    (
        "a bomb of threads",
        "const { Worker } = require('worker_threads');\n\
         for (let n = 0; n < 100; n++) new Worker('for (;;);', { eval: true }).on('error', () => {})",
        &[Failure, Timeout],
    ),
    ("sleeping past the timeout", "setTimeout(() => {}, 1e6)", &[Timeout]),
    ("spinning past the timeout", "for (;;);", &[Timeout]),
    ("taking all memory", "const x = [];\nfor (;;) x.push(Buffer.alloc(1 << 20, 1))", &[Failure, Timeout]),
    ("filling the heap", "const x = [];\nfor (;;) x.push({ a: [1, 2, 3] })", &[Failure, Timeout]),
    ("printing without end", "for (;;) console.log('x'.repeat(4096))", &[Failure, Timeout]),
    (
        "closing all descriptors",
        "for (let n = 0; n < 1024; n++) try { require('fs').closeSync(n) } catch {}",
        &[Failure],
    ),
    ("process.exit", "process.exit(3)", &[Failure]),
    ("no JavaScript", "function (", &[Failure]),
    ("an exception", "throw new Error('no')", &[Failure]),
    ("a crash", "process.abort()", &[Failure]),
    ("kill(-1)", "process.kill(-1, 'SIGKILL');\nconsole.log('DONE')", &[Failure]),
    ("kill(0)", "process.kill(0, 0);\nconsole.log('DONE')", &[Failure]),
    ("kill(parent)", "process.kill(process.ppid, 'SIGKILL');\nconsole.log('DONE')", &[Failure]),
    ("debugging the server", "process._debugProcess(SERVER);\nconsole.log('DONE')", &[Failure]),
    (
        "/proc",
        "const fs = require('fs');\nfor (const path of ['SERVER/mem', 'SERVER/environ', 'self/mem', ''])\n  \
         try { path ? fs.openSync('/proc/' + path) : fs.readdirSync('/proc'); console.log('DONE') } catch {}",
        &[Success],
    ),
    ("setuid(0)", "process.setuid(0);\nconsole.log('DONE')", &[Failure]),
    (
        "sockets",
        "const net = require('net'), done = () => { console.log('DONE'); process.exit() };\n\
         require('dgram').createSocket('udp4').on('error', () => {}).bind(0, done);\n\
         for (const to of [{ port: PORT, host: '127.0.0.1' }, { path: '\\0abstract' }]) net.connect(to, done).on('error', () => {});\n\
         net.createServer().on('error', () => {}).listen(0, done)",
        &[Success],
    ),
    (
        "files of others",
        "const fs = require('fs');\nfor (const path of ['/etc/shadow', '/etc/hostname', FILE])\n  \
         try { fs.openSync(path); console.log('DONE', path) } catch {}\n\
         for (const path of ['/root', '..']) try { fs.readdirSync(path); console.log('DONE', path) } catch {}",
        &[Success],
    ),
    ("writing to /usr", "require('fs').writeFileSync('/usr/mine', '');\nconsole.log('DONE')", &[Failure]),
    ("a file of 20 MB", "require('fs').writeFileSync('file', Buffer.alloc(20e6))", &[Success, Timeout]),
    (
        "a file of 60 MB",
        "require('fs').writeFileSync('file', Buffer.alloc(60e6));\nconsole.log('DONE')",
        &[Failure, Timeout],
    ),
    (
        "filling /tmp",
        "for (let n = 0; n < 80; n++) require('fs').writeFileSync(String(n), Buffer.alloc(1 << 20))",
        &[Success, Failure, Timeout],
    ),
    (
        "6,000 files",
        "for (let n = 0; n < 6000; n++) require('fs').writeFileSync(String(n), '')",
        &[Success, Failure, Timeout],
    ),
    (
        "files for the next call",
        "const fs = require('fs');\nif (fs.readdirSync('.').length) console.log('DONE');\n\
         fs.writeFileSync('.left', '');\nfs.mkdirSync('a/b', { recursive: true })",
        &[Success],
    ),
    ("a bomb of descriptors", "for (;;) require('fs').openSync('/dev/null')", &[Failure, Timeout]),
    ("deep recursion", "(function f() { f() })()", &[Failure]),
    (
        "ignoring signals",
        "for (const name of ['SIGINT', 'SIGTERM', 'SIGXCPU']) process.on(name, () => {});\nsetInterval(() => {}, 1)",
        &[Timeout],
    ),
    ("a forged answer", "require('fs').writeSync(15, Buffer.alloc(64, 255))", &[Failure]),
    (
        "a flood of answers",
        "for (;;) try { require('fs').writeSync(15, Buffer.alloc(65536)) } catch {}",
        &[Failure, Timeout],
    ),
    (
        "taking what the server sends",
        "for (;;) require('fs').readSync(15, Buffer.alloc(1 << 20))",
        &[Timeout],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_python_at_process() {
    at(Isolation::Process, Language::Python, PYTHON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_python_at_namespace() {
    at(Isolation::Namespace, Language::Python, PYTHON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_javascript_at_process() {
    at(Isolation::Process, Language::JavaScript, JAVASCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_javascript_at_namespace() {
    at(Isolation::Namespace, Language::JavaScript, JAVASCRIPT).await;
}

async fn at(level: Isolation, language: Language, rows: &[Row]) {
    let _alone = ALONE.lock().await;
    // A daemon, if there is one, becomes this process's child, and is found.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("Linux can do that");
    let runner = match Runner::builder().isolation(level).build() {
        Ok(runner) if runner.interpreter(language).is_ok() => runner,
        Ok(_) => return skip(language.to_string()),
        // What a machine can do isn't something to install.
        Err(error) if level == Isolation::Namespace => {
            eprintln!("skipped: {error}");
            return;
        }
        Err(error) => return skip(error.to_string()),
    };
    let folder = tempfile::Builder::new().prefix("syncano-test").tempdir_in("/var/tmp").expect("a folder");
    let file = folder.path().join("database");
    std::fs::write(&file, "secret").expect("a file");
    for path in [folder.path(), &file] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("it is ours");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it has one").port().to_string();
    let numbers = [
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_io_uring_setup,
        libc::SYS_userfaultfd,
        libc::SYS_perf_event_open,
    ];
    let (numbers, file) = (format!("{numbers:?}"), format!("{:?}", file.display().to_string()));
    let server = std::process::id().to_string();
    for &(name, source, statuses) in rows {
        let source = source.replace("FILE", &file).replace("PORT", &port);
        let source = source.replace("NUMBERS", &numbers).replace("SERVER", &server);
        let script = Script::new("hostile", name, runtime(language), source, "{}");
        compare(&runner, name, &[&script], statuses).await;
    }
    let sleeping = match language {
        Language::Python => "import time\ntime.sleep(60)",
        _ => "setTimeout(() => {}, 1e6)",
    };
    let sleeping = Script::new("hostile", "sleeping", runtime(language), sleeping, "{}");
    compare(&runner, "100 calls that sleep", &[&sleeping; 100], &[Timeout, QueueTimeout, Blocked]).await;

    runner.shutdown().await;
    drop(runner);
    let start = Instant::now();
    while !children().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "left: {:?}", children());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn skip(problem: String) {
    assert!(std::env::var_os("CI").is_none(), "{problem}");
    eprintln!("skipped: {problem}");
}

fn runtime(language: Language) -> Runtime {
    if language == Language::Python { Runtime::Python3 } else { Runtime::NodeJs }
}

/// Makes sure that these scripts run as before, and that a neighbour's calls take about as long while they do.
async fn compare(runner: &Runner, name: &str, scripts: &[&Script], statuses: &[RunStatus]) {
    let language = scripts[0].runtime().language();
    // What ends by itself may take its time on a busy machine.
    let timeout = if statuses.contains(&Timeout) { TIMEOUT } else { Duration::from_secs(60) };
    let (mut alone, mut beside, mut rounds) = (f64::INFINITY, f64::INFINITY, 0);
    // Twice at least: a second call meets what the first one has left.
    while rounds < 2 || (beside > SLOWER * alone && rounds < ROUNDS) {
        rounds += 1;
        alone = alone.min(median(runner, language, || false).await);
        let hostile: Vec<_> = scripts
            .iter()
            .map(|&script| {
                let (runner, script) = (runner.clone(), script.clone());
                tokio::spawn(async move { runner.run(&script, call("{}", timeout)).await })
            })
            .collect();
        let goes_on = || hostile.iter().any(|task| !task.is_finished());
        beside = beside.min(median(runner, language, goes_on).await);
        for task in hostile {
            let outcome = task.await.expect("running doesn't panic");
            assert!(statuses.contains(&outcome.status), "{name}: {outcome:?}");
            assert!(!outcome.stdout.contains("DONE"), "{name}: {}", outcome.stdout);
        }
    }
    let (level, ratio) = (runner.isolation(), beside / alone);
    println!("{level:9} {language:10} {name:36} {alone:7.0} µs {beside:7.0} µs {ratio:6.2}");
    assert!(ratio <= SLOWER, "{name}: a neighbour's calls take {ratio:.1} times as long");
}

/// What a neighbour's call takes in microseconds, for some calls at least and as long as `goes_on`.
async fn median(runner: &Runner, language: Language, goes_on: impl Fn() -> bool) -> f64 {
    let source = match language {
        Language::Python => "def main(x): return x",
        _ => "export default ({ x }) => x",
    };
    let script = Script::new("neighbour", "echo", runtime(language), source, "{}");
    let mut times = Vec::new();
    while times.len() < 100 || goes_on() {
        let start = Instant::now();
        let outcome = runner.run(&script, call(r#"{"x":7}"#, Duration::from_secs(60))).await;
        times.push(start.elapsed());
        assert_eq!(outcome.status, Success, "{}", outcome.stderr);
    }
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn call(arguments: &str, timeout: Duration) -> Call {
    Call { arguments: Arguments::direct(arguments), meta: "{}".to_owned(), timeout }
}

/// The processes that are this one's children.
fn children() -> Vec<String> {
    let parent = format!("PPid:\t{}", std::process::id());
    let processes = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let status = processes.filter_map(|process| std::fs::read_to_string(process.path().join("status")).ok());
    status.filter(|status| status.lines().any(|line| line == parent)).collect()
}
