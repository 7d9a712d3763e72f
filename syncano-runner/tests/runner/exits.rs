//! How runs end.

use std::time::Duration;

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Isolation, Script};

use crate::support::*;

#[tokio::test]
async fn an_exception_shows_the_script_and_not_the_runner() {
    let runner = runner_or_skip!();
    let source = "def inner(x):\n    return 1 / x\n\ndef main(x):\n    try:\n        inner(x)\n    except ZeroDivisionError as e:\n        raise ValueError('no') from e\n";
    let script = script(source);
    let outcome = runner.run(&script, call(r#"{"x":0}"#)).await;
    assert_eq!(outcome.status, RunStatus::Failure);
    for part in [
        "Traceback (most recent call last):",
        "File \"<test>\", line 2, in inner",
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
        "direct cause",
        "File \"<test>\", line 8, in main",
        "ValueError: no",
    ] {
        assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("<syncano worker>"), "{}", outcome.stderr);
    // It is a run that failed, not a worker: the process goes on.
    assert_eq!(runner.run(&script, call(r#"{"x":0}"#)).await.stderr, outcome.stderr);
}

#[tokio::test]
async fn the_stack_of_a_script_is_its_own_whatever_its_name() {
    let runner = runner_or_skip!();
    for name in ["worker", "string"] {
        let script = Script::new("instance", name, Runtime::Python3, "def f():\n    1 / 0\nf()", "{}");
        let outcome = runner.run(&script, call("{}")).await;
        let frame = format!("File \"<{name}>\", line 2, in f");
        assert!(outcome.stderr.contains(&frame), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_syntax_error_shows_its_line_every_time() {
    let runner = runner_or_skip!();
    let script = script("x = 1\nx = = 2\n");
    for _ in 0..2 {
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure);
        for part in ["File \"<test>\", line 2", "x = = 2", "SyntaxError: invalid syntax"] {
            assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
        }
        assert!(!outcome.stderr.contains("<syncano worker>"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn exit_codes() {
    // In a namespace of its own a script is the first process, which its own signals don't end.
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    for (exit, status, stderr) in [
        ("import sys; sys.exit()", RunStatus::Success, ""),
        ("import sys; sys.exit(0)", RunStatus::Success, ""),
        ("import sys; sys.exit(3)", RunStatus::Failure, "the script ended with exit code 3"),
        ("import sys; sys.exit(124)", RunStatus::Timeout, ""),
        ("import sys; sys.exit('wrong')", RunStatus::Failure, "wrong"),
        ("raise SystemExit", RunStatus::Success, ""),
        ("import os; os._exit(0)", RunStatus::Success, ""),
        ("import os; os._exit(124)", RunStatus::Timeout, ""),
        (
            "import os; os._exit(7)",
            RunStatus::Failure,
            "the script's process ended with exit code 7 before it answered",
        ),
        ("import os; os.abort()", RunStatus::Failure, "the script's process ended by signal SIGABRT (6)"),
    ] {
        let outcome = run(&runner, &format!("print('before')\n{exit}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (status, "before"), "{exit}");
        assert_eq!(outcome.stderr, stderr, "{exit}");
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn a_crash_keeps_what_was_printed() {
    let runner = runner_or_skip!();
    let script = script("print('so far')\nimport ctypes\nctypes.string_at(0)");
    for _ in 0..2 {
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "so far"));
        assert_eq!(outcome.stderr, "the script's process ended by signal SIGSEGV (11)");
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn a_script_that_takes_too_long_shows_where_it_was() {
    let runner = runner_or_skip!();
    for source in [
        "print('start')\ndef spin():\n    while True: pass\nspin()",
        "print('start')\nimport time\ndef spin():\n    time.sleep(1000)\nspin()",
        "print('start')\ndef spin():\n    try:\n        while True: pass\n    except Exception: pass\nspin()",
        "print('start')\nimport asyncio\ndef spin():\n    asyncio.run(asyncio.sleep(1000))\nspin()",
    ] {
        let outcome = runner.run(&script(source), within(Duration::from_millis(700))).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Timeout, "start"),
            "{source}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("in spin"), "{source}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("<syncano worker>"), "{source}: {}", outcome.stderr);
        assert!(outcome.stderr.ends_with("ended after its timeout of 0.7 s"), "{}", outcome.stderr);
        assert!(outcome.duration >= Duration::from_millis(700));
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn a_script_that_ignores_its_timeout_is_killed() {
    let runner = runner_or_skip!();
    for source in [
        "print('start')\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "print('start')\nimport signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "print('start')\nimport signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "print('start')\nimport threading\nthreading.Thread(target=lambda: threading.Event().wait()).start()",
        "print('start')\nimport os\nos.closerange(3, 1024)\nwhile True: pass",
    ] {
        let outcome = runner.run(&script(source), within(Duration::from_millis(500))).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Timeout, "start"),
            "{source}: {}",
            outcome.stderr
        );
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn endless_output_is_cut_and_memory_is_not() {
    let runner = runner_or_skip!();
    let limit = 512 * 1024;
    let said = "the script printed more than the 512 KiB";
    let outcome = run(
        &runner,
        "import sys\nfor _ in range(100):\n    print('x' * 100_000)\nprint('end', file=sys.stderr)",
    )
    .await;
    // What is cut is no answer.
    assert_eq!((outcome.status, outcome.stdout.len()), (RunStatus::Failure, limit - "end\n".len()));
    assert!(outcome.stderr.starts_with(&format!("end\n{said}")), "{}", outcome.stderr);
    // A function's answer isn't what it prints, and an error is seen behind it.
    let endless = "def main(bad=False):\n    print('x' * 600_000)\n    return 1 // (not bad)";
    let outcome = run(&runner, endless).await;
    assert_eq!((outcome.status, outcome.stdout.len()), (RunStatus::Success, limit));
    let outcome = runner.run(&script(endless), call(r#"{"bad":true}"#)).await;
    assert!(outcome.stderr.contains("ZeroDivisionError"), "{}", outcome.stderr);
    // Past Python's own layers.
    let outcome =
        run(&runner, "import os\ntry:\n    while True: os.write(1, b'y' * 70_000)\nexcept OSError: pass")
            .await;
    assert_eq!((outcome.status, outcome.stdout.len()), (RunStatus::Failure, limit));
    // And the next call starts with none.
    let script = script("print('x' * ARGS['n'], end='')");
    assert_eq!(runner.run(&script, call(r#"{"n":600000}"#)).await.stdout.len(), limit);
    assert_eq!(runner.run(&script, call(r#"{"n":3}"#)).await.stdout, "xxx");
}

#[tokio::test]
async fn output_that_is_no_text_is_replaced() {
    let runner = runner_or_skip!();
    let source = "import sys\nsys.stdout.buffer.write(b'a\\xffb\\n')\nprint('\\ud800', file=sys.stderr)";
    assert_eq!(printed(&runner, source).await, "a\u{fffd}b");
    // As everywhere else: another text would be a wrong answer.
    let outcome = runner.run(&script("print('a')\nprint('b\\ud800')"), call("{}")).await;
    assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Failure, "a"));
    assert!(
        outcome.stderr.contains("line 2") && outcome.stderr.contains("surrogates not allowed"),
        "{}",
        outcome.stderr
    );
}

#[tokio::test]
async fn outputs_that_a_script_closed_or_replaced_are_back_for_the_next_call() {
    let runner = runner_or_skip!();
    for bad in [
        "sys.stdout.close()",
        "sys.stdout = io.StringIO()",
        "sys.stdout.detach()",
        "os.close(1)",
        "os.dup2(0, 1)",
        "sys.stderr = None",
        "del sys.stdout",
    ] {
        let script =
            script(&format!("import sys, io, os\nif ARGS.get('bad'):\n    {bad}\nelse:\n    print('fine')"));
        runner.run(&script, call(r#"{"bad":1}"#)).await;
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Success, "fine"),
            "{bad}: {}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn too_much_memory_is_an_error_of_the_script() {
    let runner = runner_or_skip!(|builder| builder.memory(100 << 20));
    for source in [
        "x = []\nwhile True: x.append('x' * 1_000_000)",
        "x = bytearray(1 << 30)",
        "import mmap\nx = mmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    ] {
        let outcome = run(&runner, source).await;
        assert_eq!(outcome.status, RunStatus::Failure, "{source}");
        assert!(
            outcome.stderr.contains("MemoryError") || outcome.stderr.contains("Cannot allocate memory"),
            "{source}: {}",
            outcome.stderr
        );
    }
    neighbour_is_fine(&runner).await;
}

#[tokio::test]
async fn deep_recursion_fails_alone() {
    let runner = runner_or_skip!();
    let outcome = run(&runner, "def f(): return f()\nf()").await;
    assert_eq!(outcome.status, RunStatus::Failure);
    assert!(outcome.stderr.contains("RecursionError"), "{}", outcome.stderr);
    let outcome = run(
        &runner,
        "import sys\nsys.setrecursionlimit(10**8)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
    )
    .await;
    assert_eq!(outcome.status, RunStatus::Failure, "{}", outcome.stderr);
    let outcome = run(&runner, &format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000))).await;
    assert_eq!(outcome.status, RunStatus::Failure, "{}", outcome.stderr);
    neighbour_is_fine(&runner).await;
}
