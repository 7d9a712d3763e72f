//! What calls cost: in time, and in processor time of the server and of its workers together.
//!
//! `cargo bench -p syncano-runner`. What is to be compared is in one group, and compared within one run only. The kernel
//! also works for namespaces that have ended (it frees their networks), in threads of its own that no process's account has.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Arguments, Call, Isolation, Runner, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Runtime as Tokio;

const ECHO: &str = "SYNCANO_BENCH_ECHO";
/// As large as a small call's frame and its reply.
const REQUEST: usize = 140;
const REPLY: usize = 48;
/// So many at once keep a machine of a few processors busy.
const CALLERS: usize = 8;

fn main() {
    if std::env::var_os(ECHO).is_some() {
        return echo();
    }
    let tokio = Tokio::new().expect("a runtime");
    let runner = |zygotes| {
        let runner = Runner::builder().zygotes(zygotes).build().expect("scripts can run here");
        if zygotes {
            tokio.block_on(runner.is_prepared(Language::Python));
        }
        runner
    };
    let (copying, starting) = (runner(true), runner(false));
    println!("isolation: {}", copying.isolation());
    let all = All { tokio: &tokio, copying: &copying, starting: &starting };
    all.in_unit(&mut Criterion::default().configure_from_args(), "time", time);
    all.in_unit(&mut Criterion::default().with_measurement(Cpu).configure_from_args(), "cpu", |_, before| {
        cpu() - before
    });
    if copying.isolation() >= Isolation::Namespace {
        println!("private memory of idle Python workers: {:?} kB", idle_memory(&tokio));
    }
}

fn time(start: Instant, _: u64) -> Duration {
    start.elapsed()
}

struct All<'a> {
    tokio: &'a Tokio,
    copying: &'a Runner,
    starting: &'a Runner,
}

impl All<'_> {
    fn in_unit<M: Measurement>(
        &self,
        criterion: &mut Criterion<M>,
        unit: &str,
        value: impl Fn(Instant, u64) -> M::Value + Copy,
    ) {
        let mut group = criterion.benchmark_group(format!("warm call, {unit}"));
        group.throughput(Throughput::Elements(1)).sample_size(30).measurement_time(Duration::from_secs(4));
        self.floor(&mut group, value);
        for (name, runtime, source) in [
            (
                "Python function",
                Runtime::Python3,
                "def main(name):\n    return {'message': 'Hello, ' + name}",
            ),
            ("Python program", Runtime::Python3, "print('Hello, ' + ARGS['name'])"),
            (
                "Node function",
                Runtime::NodeJs,
                "export default ({ name }) => ({ message: 'Hello, ' + name })",
            ),
        ] {
            let script = Script::new("demo", name, runtime, source, "{}");
            let again = script.clone();
            self.calls(&mut group, name, self.copying, value, move || again.clone());
            self.crowd(&mut group, &format!("{name}, {CALLERS} callers"), value, &script);
        }
        group.finish();

        let mut group = criterion.benchmark_group(format!("new process, {unit}"));
        group.sampling_mode(SamplingMode::Flat).sample_size(30).measurement_time(Duration::from_secs(6));
        for (name, arguments) in
            [("python3 -S -E", &["-S", "-E", "-c", "pass"][..]), ("python3", &["-c", "pass"])]
        {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|count| {
                    let (start, before) = (Instant::now(), cpu());
                    for _ in 0..count {
                        let status = Command::new("/usr/bin/python3").args(arguments).status();
                        assert!(status.is_ok_and(|status| status.success()));
                    }
                    value(start, before)
                });
            });
        }
        let fresh = Script::new("demo", "fresh", Runtime::Python3, "print(1)", "{}").fresh(true);
        self.calls(&mut group, "fresh Python, copied", self.copying, value, || fresh.clone());
        self.calls(&mut group, "fresh Python, started", self.starting, value, || fresh.clone());
        let new = || Script::new("demo", format!("{:?}", Instant::now()), Runtime::Python3, "print(1)", "{}");
        self.calls(&mut group, "first call, Python, copied", self.copying, value, new);
        self.calls(&mut group, "first call, Python, started", self.starting, value, new);
        self.first_of_node(&mut group, value);
        group.finish();
    }

    /// Calls of one script by several callers, so that no processor is ever idle: what a processor can do.
    fn crowd<M: Measurement>(
        &self,
        group: &mut BenchmarkGroup<'_, M>,
        name: &str,
        value: impl Fn(Instant, u64) -> M::Value,
        script: &Script,
    ) {
        if self.copying.interpreter(script.runtime().language()).is_err() {
            return;
        }
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let left = Arc::new(AtomicU64::new(count));
                let caller = || {
                    let (runner, script, left) = (self.copying.clone(), script.clone(), left.clone());
                    self.tokio.spawn(async move {
                        let next = |left: u64| left.checked_sub(1);
                        while left.fetch_update(Relaxed, Relaxed, next).is_ok() {
                            let outcome = runner.run(&script, call()).await;
                            assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
                        }
                    })
                };
                let (start, before) = (Instant::now(), cpu());
                for caller in (0..CALLERS).map(|_| caller()).collect::<Vec<_>>() {
                    self.tokio.block_on(caller).expect("no panic");
                }
                value(start, before)
            });
        });
    }

    /// Calls of scripts that were never called, for each of which a process is waiting. What that takes is not counted.
    fn first_of_node<M: Measurement>(
        &self,
        group: &mut BenchmarkGroup<'_, M>,
        value: impl Fn(Instant, u64) -> M::Value,
    ) {
        if self.copying.interpreter(Language::JavaScript).is_err() {
            return;
        }
        group.bench_function("first call, Node, started ahead", |bencher| {
            bencher.iter_custom(|count| {
                let runner = self.copying.clone();
                let calls = async move {
                    let (mut time, mut used) = (Duration::ZERO, 0);
                    for _ in 0..count {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                        let name = format!("{:?}", Instant::now());
                        let script = Script::new("demo", name, Runtime::NodeJs, "console.log(1)", "{}");
                        let (before, start) = (cpu(), Instant::now());
                        let outcome = runner.run(&script, call()).await;
                        // What has ended is counted in hundredths of a second: it may be less than before.
                        (time, used) = (time + start.elapsed(), used + cpu().saturating_sub(before));
                        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
                    }
                    (Instant::now() - time, cpu() - used)
                };
                let (start, before) = self.tokio.block_on(self.tokio.spawn(calls)).expect("no panic");
                value(start, before)
            });
        });
    }

    /// One call after the other, each of the script that is next.
    fn calls<M: Measurement>(
        &self,
        group: &mut BenchmarkGroup<'_, M>,
        name: &str,
        runner: &Runner,
        value: impl Fn(Instant, u64) -> M::Value,
        script: impl Fn() -> Script,
    ) {
        if let Err(missing) = runner.interpreter(script().runtime().language()) {
            println!("{name}: {missing}");
            return;
        }
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let scripts: Vec<Script> = (0..count).map(|_| script()).collect();
                let runner = runner.clone();
                // As a server's handlers do, on a thread of the runtime.
                let calls = async move {
                    let (start, before) = (Instant::now(), cpu());
                    for script in &scripts {
                        let outcome = runner.run(script, call()).await;
                        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
                    }
                    (start, before)
                };
                let (start, before) = self.tokio.block_on(self.tokio.spawn(calls)).expect("no panic");
                value(start, before)
            });
        });
    }

    /// What no worker can undercut: another process that answers at once, over the same kind of socket.
    fn floor<M: Measurement>(
        &self,
        group: &mut BenchmarkGroup<'_, M>,
        value: impl Fn(Instant, u64) -> M::Value,
    ) {
        let (ours, theirs) = StdUnixStream::pair().expect("sockets");
        let mut child = Command::new(std::env::current_exe().expect("it runs"))
            .env(ECHO, "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("it can be started");
        ours.set_nonblocking(true).expect("a socket");
        let _guard = self.tokio.enter();
        let channel = UnixStream::from_std(ours).expect("a socket");
        let channel = Arc::new(tokio::sync::Mutex::new(channel));
        group.bench_function("floor: an echo in Rust", |bencher| {
            bencher.iter_custom(|count| {
                let channel = Arc::clone(&channel);
                let calls = async move {
                    let mut channel = channel.lock().await;
                    let mut received = Vec::with_capacity(16 * 1024);
                    let (start, before) = (Instant::now(), cpu());
                    for _ in 0..count {
                        channel.write_all(&[0; REQUEST]).await.expect("it listens");
                        received.clear();
                        while received.len() < REPLY {
                            channel.read_buf(&mut received).await.expect("it answers");
                        }
                    }
                    (start, before)
                };
                let (start, before) = self.tokio.block_on(self.tokio.spawn(calls)).expect("no panic");
                value(start, before)
            });
        });
        drop(channel);
        child.wait().expect("it ends");
    }
}

fn echo() {
    let mut channel = StdUnixStream::from(
        std::io::stdin().as_fd().try_clone_to_owned().expect("standard input is a socket here"),
    );
    let mut request = [0; REQUEST];
    while channel.read_exact(&mut request).is_ok() {
        if channel.write_all(&[0; REPLY]).is_err() {
            return;
        }
    }
}

fn call() -> Call {
    Call {
        arguments: Arguments::direct(r#"{"name": "Ada"}"#),
        meta: r#"{"executed_by": "codebox", "executor": 1, "instance": "demo"}"#.to_owned(),
        timeout: Duration::from_secs(30),
    }
}

/// Processor time.
struct Cpu;

impl Measurement for Cpu {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        cpu()
    }

    fn end(&self, before: u64) -> u64 {
        cpu() - before
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        *value as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        // In nanoseconds, too.
        WallTime.formatter()
    }
}

/// Nanoseconds that this process, its children and those that it has reaped have been running.
fn cpu() -> u64 {
    let own = std::process::id();
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let mut total = reaped();
    let mut pids = vec![own.to_string()];
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let children = read(format!("{}/children", entry.path().display()));
        pids.extend(children.split_whitespace().map(str::to_owned));
    }
    for pid in pids {
        for entry in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let text = read(format!("{}/schedstat", entry.path().display()));
            total += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    total
}

/// The kernel counts them in hundredths of a second here, and no wrapper of `getrusage` without `unsafe` has more.
fn reaped() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        after_name.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks * 10_000_000
}

/// Private memory of workers that have served one call each, in kilobytes.
fn idle_memory(tokio: &Tokio) -> Vec<u64> {
    let runner = Runner::builder().build().expect("scripts can run here");
    tokio.block_on(async {
        runner.is_prepared(Language::Python).await;
        for n in 0..5 {
            let script =
                Script::new("memory", format!("{n}"), Runtime::Python3, "def main():\n    return 1", "{}");
            assert_eq!(runner.run(&script, call_without_arguments()).await.status, RunStatus::Success);
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(entry.path().join("children")).unwrap_or_default();
            for pid in children.split_whitespace() {
                let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                let numbers = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
                if !status.starts_with("Name:\tpython") || numbers.split_whitespace().count() != 3 {
                    continue;
                }
                let map = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
                let private = map.lines().filter(|line| line.starts_with("Private_"));
                found.push(
                    private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum(),
                );
            }
        }
        found
    })
}

fn call_without_arguments() -> Call {
    Call { arguments: Arguments::direct("{}"), ..call() }
}
