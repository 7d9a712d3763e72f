//! Program style and function style.

use serde_json::json;
use syncano_core::{Language, RunStatus, Runtime};
use syncano_runner::Script;

use crate::support::*;

#[tokio::test]
async fn a_program_prints() {
    let runner = runner_or_skip!();
    let outcome = run(&runner, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint()\n").await;
    assert_eq!(outcome.status, RunStatus::Success);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out", "err"));
    assert_eq!(outcome.answer, None);
}

#[tokio::test]
async fn a_program_has_fresh_globals_each_call() {
    let runner = runner_or_skip!();
    let script = script("seen = globals().get('seen', 0) + 1\nimport os\nprint(seen, os.getpid())");
    let first = runner.run(&script, call("{}")).await;
    let second = runner.run(&script, call("{}")).await;
    assert!(first.stdout.starts_with("1 "), "{first:?}");
    // The same process, and nothing of the first call.
    assert_eq!(first.stdout, second.stdout);
}

#[tokio::test]
async fn a_function_keeps_the_state_of_its_module() {
    let runner = runner_or_skip!();
    let script = script("count = 0\ndef main():\n    global count\n    count += 1\n    return count");
    for expected in 1..=3 {
        assert_eq!(value(&runner.run(&script, call("{}")).await), json!(expected));
    }
}

#[tokio::test]
async fn main_may_be_async() {
    let runner = runner_or_skip!();
    let script = script(
        "import asyncio\nasync def main(n):\n    await asyncio.sleep(0)\n    \
         return sum(await asyncio.gather(*[part(i) for i in range(n)]))\nasync def part(i):\n    return i",
    );
    for _ in 0..2 {
        assert_eq!(value(&runner.run(&script, call(r#"{"n": 5}"#)).await), json!(10));
    }
}

#[tokio::test]
async fn a_main_that_the_top_level_calls_is_a_program() {
    let runner = runner_or_skip!();
    for source in [
        "def main():\n    print('ran')\nmain()",
        "def main():\n    print('ran')\nif __name__ == '__main__':\n    main()",
        "import asyncio\nasync def main():\n    print('ran')\nasyncio.run(main())",
        "def main():\n    print('ran')\nclass A:\n    x = main()",
    ] {
        let outcome = run(&runner, source).await;
        assert_eq!(
            (outcome.status, &*outcome.stdout),
            (RunStatus::Success, "ran"),
            "{source}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.answer, None, "{source}");
    }
}

#[tokio::test]
async fn what_runs_by_hand_only_decides_nothing() {
    let runner = runner_or_skip!();
    for (source, arguments, answer) in [
        (
            "def main(name: str):\n    return 'hello ' + name\n\nif __name__ == '__main__':\n    print(main('test'))",
            r#"{"name":"Ada"}"#,
            json!("hello Ada"),
        ),
        ("def main():\n    return 3\nif '__main__' == __name__:\n    print('no', main())", "{}", json!(3)),
        ("def main(n=1):\n    print('ran')\nif __name__ == '__main__':\n    main()", "{}", json!(null)),
        (
            "way = 'run'\nif __name__ == '__main__' and main: way = 'no'\nelse: way = 'imported'\n\
             def main(): return [way, __name__]",
            "{}",
            json!(["imported", "__main__"]),
        ),
        (
            "async def main(n): return n\nif __name__ == '__main__':\n    import asyncio\n    asyncio.run(main(1))",
            r#"{"n":2}"#,
            json!(2),
        ),
    ] {
        let outcome = runner.run(&script(source), call(arguments)).await;
        assert_eq!(value(&outcome), answer, "{source}");
    }
    // As scripts of 2016 do it: nothing goes in, nothing comes out.
    for source in [
        "def run(entry):\n    entry()\n\ndef main():\n    print('ran')\n\nif __name__ == '__main__':\n    run(main)",
        "def main():\n    if 1:\n        print('ran')\n        return\n    return None\nif __name__ == '__main__': main()",
        "def work():\n    print('ran')\nmain = work\nif __name__ == '__main__': main()",
    ] {
        let outcome = run(&runner, source).await;
        assert_eq!((&*outcome.stdout, outcome.answer), ("ran", None), "{source}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn whatever_main_is_bound_to_is_called() {
    let runner = runner_or_skip!();
    for (source, answer) in [
        ("def work(x): return x\nmain = work", json!(5)),
        ("import functools\ndef work(y, x): return [y, x]\nmain = functools.partial(work, 1)", json!([1, 5])),
        ("main = lambda x: x", json!(5)),
        ("def work(x): return x\nmain, other = work, 1", json!(5)),
        ("def work(x): return x\n[other, (main, third)] = 1, (work, 2)", json!(5)),
        ("def work(x): return x\nother, *rest, main = 1, 2, work", json!(5)),
        ("def work(x): return x\nmain = other = work", json!(5)),
        ("def work(x): return x\nother = main = work", json!(5)),
        ("def work(x): return x\n(main := work)", json!(5)),
        ("def work(x): return x\nif (main := work) is not None: pass", json!(5)),
        ("def work(x): return x\nfor main in (work,): pass", json!(5)),
        ("def work(x): return x\nfor _, main in [(1, work)]: pass", json!(5)),
        (
            "import contextlib\ndef work(x): return x\nwith contextlib.nullcontext(work) as main: pass",
            json!(5),
        ),
        ("def main(x, /): return x", json!(5)),
        ("try:\n    import nothing\nexcept ImportError:\n    def main(x): return x", json!(5)),
        (
            "import sys\nif sys.version_info >= (3, 8):\n    def main(x): return x\nelse:\n    main = None",
            json!(5),
        ),
        ("class Work:\n    async def __call__(self, x): return x\nmain = Work()", json!(5)),
        ("class Work:\n    def go(self, x): return x\nmain = Work().go", json!(5)),
        ("class main:\n    def __new__(cls, x): return x", json!(5)),
        ("def main(x): return x\nimport functools\nmain = functools.lru_cache()(main)", json!(5)),
    ] {
        let script = script(source);
        for _ in 0..2 {
            assert_eq!(value(&runner.run(&script, call(r#"{"x":5}"#)).await), answer, "{source}");
        }
        let outcome = runner.run(&script, call("{}")).await;
        assert!(outcome.stderr.contains("main() needs the argument `x`"), "{source}: {}", outcome.stderr);
    }
    let outcome = runner.run(&script("from operator import neg as main"), call(r#"{"a":5}"#)).await;
    assert_eq!(value(&outcome), json!(-5));
    // And what can't be called is any other variable.
    for source in [
        "main = {'a': 1}\nprint(main['a'])",
        "import json\nmain = json.loads('1')\nprint(1)",
        "main = dict(a=1)\nmain.update(b=1)\nprint(main['b'])",
    ] {
        let script = script(source);
        for _ in 0..2 {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!((&*outcome.stdout, outcome.answer), ("1", None), "{source}: {}", outcome.stderr);
        }
    }
}

#[tokio::test]
async fn an_entry_point_that_nothing_calls_is_told() {
    let runner = runner_or_skip!();
    for (source, said) in [
        (
            "def handler(event, context):\n    return {'x': 1}",
            "nothing calls `handler`: name the function `main`",
        ),
        (
            "def lambda_handler(event, context):\n    return help()\ndef help(): return 1",
            "nothing calls `lambda_handler`",
        ),
        ("import json\nLIMIT = 3\ndef greet(name):\n    return name", "nothing calls `greet`"),
        (
            "try:\n    import json\nexcept ImportError:\n    def main(x): return x",
            "its top level has not defined `main`",
        ),
    ] {
        let script = script(source);
        for _ in 0..2 {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, ""));
            assert!(outcome.stderr.contains(said), "{source}: {}", outcome.stderr);
        }
    }
    for source in [
        "def handler(x):\n    return x\nhandler(1)",
        "def handler(x):\n    return x\nprint(1)",
        "def handler(x):\n    return x\nset_response(HttpResponse(204))",
        "def tidy():\n    return 1\nopen('x', 'w').write('1')",
        "x = 1",
    ] {
        assert_eq!(run(&runner, source).await.stderr, "", "{source}");
    }
}

#[tokio::test]
async fn a_main_that_only_functions_call_is_for_the_runner() {
    let runner = runner_or_skip!();
    let outcome =
        run(&runner, "def main():\n    return 'called'\ndef other():\n    main()\nf = lambda: main()").await;
    assert_eq!(value(&outcome), json!("called"));
}

#[tokio::test]
async fn the_top_level_of_a_function_runs_once() {
    let runner = runner_or_skip!();
    let script = script("print('loaded')\ndef main():\n    print('called')");
    let first = runner.run(&script, call("{}")).await;
    let second = runner.run(&script, call("{}")).await;
    assert_eq!((&*first.stdout, &*second.stdout), ("loaded\ncalled", "called"));
    assert_eq!(value(&second), json!(null));
}

#[tokio::test]
async fn what_stands_for_the_input_is_not_there_for_the_next_call() {
    let runner = runner_or_skip!();
    let script = script(
        "import os, sys\ndef main(text=None):\n    if text:\n        open('in.txt', 'w').write(text)\n        \
         file = os.open('in.txt', os.O_RDONLY)\n        os.dup2(file, 0)\n        os.close(file)\n    return os.read(0, 9).decode()",
    );
    for (arguments, read) in [(r#"{"text":"secret"}"#, "secret"), ("{}", "")] {
        let outcome = runner.run(&script, call(arguments)).await;
        assert_eq!(value(&outcome), json!(read), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn output_of_loggers_is_not_doubled_by_the_next_call() {
    let runner = runner_or_skip!();
    let script = script(
        "import logging\nlogging.basicConfig(level='INFO', format='%(message)s')\n\
         handler = logging.StreamHandler()\nlogging.getLogger('mine').addHandler(handler)\n\
         logging.getLogger('mine').info('hello')",
    );
    let first = runner.run(&script, call("{}")).await;
    let second = runner.run(&script, call("{}")).await;
    assert_eq!((&*first.stderr, &*second.stderr), ("hello\nhello", "hello\nhello"));
}

#[tokio::test]
async fn exit_handlers_run_at_the_end_of_their_own_call() {
    let runner = runner_or_skip!();
    let script = script("import atexit, logging\natexit.register(print, 'bye')\nprint('hello')");
    for _ in 0..2 {
        assert_eq!(runner.run(&script, call("{}")).await.stdout, "hello\nbye");
    }
}

#[tokio::test]
async fn scripts_that_differ_in_anything_share_no_process() {
    let runner = runner_or_skip!();
    let source = "import sys\nsys.seen = getattr(sys, 'seen', 0) + 1\nprint(sys.seen, CONFIG)";
    for (instance, config) in [("a", "{}"), ("b", "{}"), ("a", r#"{"k": 1}"#)] {
        let script = Script::new(instance, "test", Runtime::Python3, source, config);
        assert!(runner.run(&script, call("{}")).await.stdout.starts_with("1 "));
    }
}

#[tokio::test]
async fn languages_without_an_interpreter_say_so() {
    let Ok(runner) = syncano_runner::Runner::builder().build() else { return };
    for (runtime, language, interpreter) in [
        (Runtime::Ruby, "Ruby", "`ruby`"),
        (Runtime::Golang, "Go", "`go`"),
        (Runtime::Swift, "Swift", "`swift`"),
        (Runtime::Php, "PHP", "`php`"),
    ] {
        let script = Script::new("instance", "test", runtime, "1", "{}");
        let outcome = runner.run(&script, call("{}")).await;
        assert_eq!(outcome.status, RunStatus::Failure);
        for part in [language, "scripts can't run", interpreter, "Python and JavaScript only"] {
            assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
        }
    }
}

#[tokio::test]
async fn a_missing_interpreter_says_what_to_install() {
    let builder = syncano_runner::Runner::builder().python("/nowhere/python3");
    let Ok(runner) = builder.build() else { return };
    let outcome = run(&runner, "print(1)").await;
    assert_eq!(outcome.status, RunStatus::Failure);
    for part in ["/nowhere/python3", "apt-get install python3"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn an_interpreter_tells_what_it_is() {
    let runner = runner_or_skip!();
    let python = runner.interpreter(Language::Python).unwrap();
    assert!(python.path().is_absolute());
    assert!(python.version().starts_with("3."), "{}", python.version());
    assert!(python.to_string().starts_with("Python 3."), "{python}");
    assert!(runner.interpreter(Language::Ruby).is_err());
}
