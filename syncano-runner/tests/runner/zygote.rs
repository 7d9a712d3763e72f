//! Workers that are copies of a process which has loaded the interpreter.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::{Isolation, Runner, RunnerBuilder, Script};

use crate::support::*;

/// A runner whose Python workers are copies, or `None` where there is no such thing.
async fn copying(settings: impl FnOnce(RunnerBuilder) -> RunnerBuilder) -> Option<Runner> {
    let runner = runner_for(Language::Python, |builder| settings(builder.isolation(Isolation::Namespace)))?;
    assert!(runner.is_prepared(Language::Python).await);
    Some(runner)
}

macro_rules! copying_or_skip {
    () => {
        copying_or_skip!(|builder| builder)
    };
    ($settings:expr) => {
        match copying($settings).await {
            Some(runner) => runner,
            None => return,
        }
    };
}

/// A copy has what its original has loaded; a process that was started has it not.
const IS_COPY: &str = "import sys\nprint('xml.etree.ElementTree' in sys.modules)";

/// Python processes that are this one's children and no workers: nobody has put them into a PID namespace.
fn zygotes() -> HashSet<u32> {
    let parent = format!("PPid:\t{}\n", std::process::id());
    let entries = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_zygote = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
        status.contains(&parent)
            && status.starts_with("Name:\tpython")
            && numbers.split_whitespace().count() == 2
    };
    pids.filter(is_zygote).collect()
}

#[tokio::test]
async fn the_first_call_of_a_script_is_served_by_a_copy() {
    let runner = copying_or_skip!();
    for source in [IS_COPY.to_owned(), format!("def main():\n    {}", IS_COPY.replace('\n', "\n    "))] {
        assert_eq!(printed(&runner, &source).await, "True");
    }
    let outcome = runner.run(&script(IS_COPY).fresh(true), call("{}")).await;
    assert_eq!(outcome.stdout, "True", "{}", outcome.stderr);
    let started = runner_or_skip!(|builder| builder.isolation(Isolation::Namespace).zygotes(false));
    assert!(!started.is_prepared(Language::Python).await);
    assert_eq!(printed(&started, IS_COPY).await, "False");
}

#[tokio::test]
async fn a_copy_has_its_own_descriptors_only() {
    let runner = copying_or_skip!();
    let source = "import os, stat\nfor n in range(1100):\n    try: mode = os.fstat(n).st_mode\n    except OSError: continue\n    \
                  print(n, stat.filemode(mode)[0], os.get_inheritable(n))";
    let there = printed(&runner, source).await;
    assert_eq!(there, "0 c True\n1 - True\n2 - True\n14 s False\n15 s False");
}

#[tokio::test]
async fn a_copy_is_what_a_started_worker_is() {
    let copied = copying_or_skip!();
    let started = runner_or_skip!(|builder| builder.isolation(Isolation::Namespace).zygotes(false));
    let source = "import os, sys, signal, resource, threading, builtins, platform\n\
        print(os.getpid(), os.getppid(), os.getsid(0), os.getcwd(), os.listdir('/tmp'), sorted(os.environ.items()))\n\
        print(sys.argv, sys.path, sys.flags, sys.executable, sys.getrecursionlimit(), os.umask(0), os.cpu_count())\n\
        print([signal.getsignal(n) for n in range(1, 32) if n != 2], signal.pthread_sigmask(0, []))\n\
        print([resource.getrlimit(n) for n in range(16)], os.statvfs('/tmp').f_blocks)\n\
        print(threading.enumerate(), threading.get_native_id(), sorted(vars(builtins)), platform.node())\n\
        print(sorted(globals()), __name__)";
    let as_text = |text: String| text.replace("0x", "");
    let (copied, started) = (printed(&copied, source).await, printed(&started, source).await);
    // Threads are named with an address.
    let cut = |text: String| {
        as_text(text)
            .lines()
            .map(|line| line.split("started ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(cut(copied), cut(started));
}

#[tokio::test]
async fn two_copies_share_no_folder_and_no_chance() {
    let runner = copying_or_skip!();
    let write =
        "import os\nopen('mine', 'w').write('x')\nprint(os.listdir('.'))\nimport time; time.sleep(0.3)";
    let look = "import os, random, uuid, secrets, tempfile\nprint(os.listdir('/tmp'))\n\
                print(random.random(), uuid.uuid4(), secrets.token_hex(), next(tempfile._get_candidate_names()), os.urandom(8))";
    let writing = {
        let runner = runner.clone();
        tokio::spawn(async move { printed(&runner, write).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut seen = HashSet::new();
    for n in 0..6 {
        let script = Script::new("instance", format!("s{n}"), Runtime::Python3, look, "{}").fresh(n % 2 == 0);
        let outcome = runner.run(&script, call("{}")).await;
        let (files, drawn) = outcome.stdout.split_once('\n').expect(&outcome.stderr);
        assert_eq!(files, "[]");
        for word in drawn.splitn(5, ' ') {
            assert!(seen.insert(word.to_owned()), "{word} was drawn twice");
        }
    }
    assert_eq!(writing.await.unwrap(), "['mine']");
}

#[tokio::test]
async fn a_fresh_script_gets_a_copy_of_its_own_each_time() {
    let runner = copying_or_skip!();
    let source = "import json, sys\nprint(getattr(json, 'left', None), getattr(sys, 'left', None))\njson.left = sys.left = 1";
    for _ in 0..5 {
        let outcome = runner.run(&script(source).fresh(true), call("{}")).await;
        assert_eq!(outcome.stdout, "None None", "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_copy_executes_nothing_and_stops_in_time() {
    let runner = copying_or_skip!();
    let source = "import os\ntry: os.execv('/usr/bin/python3', ['python3', '-c', 'print(1)'])\nexcept PermissionError: print('refused')";
    assert_eq!(printed(&runner, source).await, "refused");
    let source = "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()\nspin()";
    let outcome = runner.run(&script(source), within(Duration::from_millis(300))).await;
    assert_eq!(outcome.status, RunStatus::Timeout);
    assert!(outcome.stderr.contains("in spin") && outcome.stderr.contains("TimedOut"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("syncano worker"), "{}", outcome.stderr);
    let source = "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *_: print('heard'))\nos.kill(os.getpid(), signal.SIGUSR1)";
    assert_eq!(printed(&runner, source).await, "heard");
    let source = "import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    print(await asyncio.to_thread(lambda: 'thread'))";
    assert_eq!(printed(&runner, source).await, "thread");
}

// In a process of its own, so that no other test's zygotes are counted.
#[test]
fn zygotes_are_replaced_and_end() {
    const INNER: &str = "SYNCANO_TEST_ZYGOTES";
    if std::env::var_os(INNER).is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "zygote::zygotes_are_replaced_and_end", "--nocapture"])
            .env(INNER, "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let runner = copying_or_skip!(|builder| builder.idle_timeout(Duration::from_millis(300)));
        let mut last = HashSet::new();
        for n in 0..3 {
            let now = zygotes();
            assert_eq!(now.len(), 1, "{now:?}");
            assert!(now != last);
            let zygote = *now.iter().next().unwrap();
            let process = rustix::process::Pid::from_raw(zygote as i32).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
            // Calls that come meanwhile are served: at first by a copy that was made ahead, if there is one, then by a process
            // that is started.
            let first = printed(&runner, &format!("{IS_COPY} # first {n}")).await;
            assert!(first == "False" || n > 0);
            printed(&runner, &format!("{IS_COPY} # second {n}")).await;
            let start = Instant::now();
            while !runner.is_prepared(Language::Python).await {
                assert!(start.elapsed() < LONG);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            // After the one that was started ahead meanwhile.
            while printed(&runner, &format!("{IS_COPY} # {:?}", Instant::now())).await != "True" {
                assert!(start.elapsed() < LONG);
            }
            last = now;
        }
        // Once the last worker has gone.
        let start = Instant::now();
        while !zygotes().is_empty() {
            assert!(start.elapsed() < LONG);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(runner.is_prepared(Language::Python).await);
        runner.shutdown().await;
        drop(runner);
        assert!(zygotes().is_empty());
    });
}
