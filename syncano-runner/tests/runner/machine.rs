//! What scripts find of an ordinary machine, and what they are told where there is none.

use std::time::Duration;

use serde_json::json;
use syncano_core::RunStatus;
use syncano_runner::{Isolation, RunnerBuilder};

use crate::support::*;

fn at_namespace(builder: RunnerBuilder) -> RunnerBuilder {
    builder.isolation(Isolation::Namespace)
}

fn started(builder: RunnerBuilder) -> RunnerBuilder {
    at_namespace(builder).zygotes(false)
}

/// The settings that workers come to be with at `namespace`, copied and started.
const WAYS: [fn(RunnerBuilder) -> RunnerBuilder; 2] = [at_namespace, started];

#[tokio::test]
async fn users_and_hosts_have_names() {
    for way in WAYS {
        let runner = runner_or_skip!(way);
        let source = "import getpass, grp, os, pathlib, pwd, socket\ndef main():\n    \
            path = pathlib.Path('x'); path.write_text('1')\n    \
            return [getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name, path.owner(), \
            path.group(), pwd.getpwuid(os.getuid()).pw_dir, socket.gethostname(), socket.gethostbyname('localhost'), \
            socket.gethostbyname(socket.gethostname()), socket.getservbyname('https'), len(pwd.getpwall()) > 1]";
        let outcome = run(&runner, source).await;
        let name = "script";
        let expected = json!([
            name,
            name,
            name,
            name,
            name,
            "/tmp",
            "syncano-script",
            "127.0.0.1",
            "127.0.0.1",
            443,
            true
        ]);
        assert_eq!(value(&outcome), expected);
        if runner.interpreter(syncano_core::Language::JavaScript).is_ok() {
            let source =
                "const os = require('os');\nconsole.log(os.userInfo().username, os.userInfo().homedir)";
            assert_eq!(logged(&runner, source).await, "script /tmp");
        }
    }
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    assert_eq!(printed(&runner, "import getpass\nprint(getpass.getuser())").await, "script");
    assert_eq!(printed(&runner, "import os\nprint(os.getlogin())").await, "script");
}

#[tokio::test]
async fn memory_is_shared_within_the_folder_and_its_limit() {
    for way in WAYS {
        let runner = runner_or_skip!(|builder| way(builder).folder_size(4 << 20));
        let script = script(
            "import multiprocessing, multiprocessing.pool, os\nfrom multiprocessing import shared_memory\ndef main(fill=False):\n    \
             files = os.listdir('/dev/shm')\n    \
             if fill:\n        return len(shared_memory.SharedMemory(create=True, size=8 << 20).buf)\n    \
             lock = multiprocessing.Lock()\n    queue = multiprocessing.Queue(); queue.put(1)\n    \
             with lock, multiprocessing.pool.ThreadPool(2) as pool: absolute = pool.map(abs, [-1, -2])\n    \
             memory = shared_memory.SharedMemory(create=True, size=10)\n    memory.buf[0] = 7\n    \
             return [absolute, queue.get(timeout=5), multiprocessing.Value('i', 3).value, memory.buf[0], files]",
        );
        for _ in 0..2 {
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(value(&outcome), json!([[1, 2], 1, 3, 7, []]));
        }
        let fill = "import os\nopen('/dev/shm/x', 'wb').write(bytes(8 << 20))";
        let outcome = run(&runner, fill).await;
        assert!(outcome.stderr.contains("No space left"), "{}", outcome.stderr);
    }
    let runner = runner_or_skip!(|builder| builder.isolation(Isolation::Process));
    for source in [
        "import multiprocessing\nmultiprocessing.Lock()",
        "from multiprocessing import shared_memory as s\ns.SharedMemory(create=True, size=9)",
    ] {
        let outcome = run(&runner, source).await;
        assert!(outcome.stderr.contains("it takes the level `namespace`"), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn scripts_that_start_processes_are_told_at_once_that_they_can_t() {
    for way in [at_namespace, started, |builder: RunnerBuilder| builder.isolation(Isolation::Process)] {
        let is_process =
            way(syncano_runner::Runner::builder()).build().is_ok_and(|r| r.isolation() == Isolation::Process);
        let runner = runner_or_skip!(way);
        for source in [
            "import subprocess\nsubprocess.run(['echo', 'hi'])",
            "import subprocess\nsubprocess.check_output('echo hi', shell=True)",
            "import os\nos.system('echo hi')",
            "import os\nos.popen('echo hi')",
            "import os\nos.fork()",
            "import os\nos.execvp('echo', ['echo'])",
            "import os\nos.spawnlp(os.P_WAIT, 'echo', 'echo')",
            "import os\nos.posix_spawn('/bin/echo', ['echo'], {})",
            "import asyncio\nasync def start():\n    await asyncio.create_subprocess_exec('echo')\nasyncio.run(start())",
            "import multiprocessing\nmultiprocessing.Process(target=print).start()",
            "import multiprocessing\nwith multiprocessing.Pool(2) as pool: pool.map(abs, [-1])",
            "import concurrent.futures as c\nwith c.ProcessPoolExecutor(2) as pool: list(pool.map(abs, [-1]))",
        ] {
            let outcome = runner.run(&script(source), within(Duration::from_secs(20))).await;
            assert_eq!(outcome.status, RunStatus::Failure, "{source}: {}", outcome.stderr);
            // Where there is no shared memory that is in the way first.
            let told = outcome.stderr.contains("scripts can start no processes")
                || (is_process && outcome.stderr.contains("it takes the level `namespace`"));
            assert!(told, "{source}: {}", outcome.stderr);
        }
        neighbour_is_fine(&runner).await;
    }
}

#[tokio::test]
async fn a_script_finds_itself() {
    let runner = runner_or_skip!();
    let source = "import inspect, os, sys\nclass K:\n    x = 1\ndef f():\n    return 1\ndef main():\n    \
        return [os.path.basename(__file__), open(__file__).read() == SOURCE, os.path.dirname(__file__) == os.getcwd(), \
        sys.argv == [__file__], inspect.getsource(f), inspect.getsource(K), sys.modules['__main__'].__file__ == __file__]\n";
    let with_source = format!("SOURCE = None\n{source}");
    let source = format!("{with_source}SOURCE = inspect.getsource(sys.modules['__main__'])\n");
    let script = script(&source);
    for _ in 0..2 {
        let expected =
            json!(["test.py", true, true, true, "def f():\n    return 1\n", "class K:\n    x = 1\n", true]);
        assert_eq!(value(&runner.run(&script, call("{}")).await), expected);
    }
    // Whatever a call does to the file, the next one finds it whole; and nobody finds one who doesn't ask.
    let spoils =
        crate::support::script("import os\nprint(len(open(__file__).read()))\nopen(__file__, 'w').close()");
    let first = runner.run(&spoils, call("{}")).await;
    assert_eq!(first.status, RunStatus::Success, "{}", first.stderr);
    assert_eq!(runner.run(&spoils, call("{}")).await.stdout, first.stdout);
    assert_eq!(printed(&runner, "import os\nprint(os.listdir('.'))").await, "[]");
}

#[tokio::test]
async fn what_looks_at_the_script_s_module_works() {
    let runner = runner_or_skip!();
    for (source, expected) in [
        (
            "import pickle\nclass K:\n    def __init__(self): self.x = 1\ndef main(): return pickle.loads(pickle.dumps(K())).x",
            json!(1),
        ),
        ("import copy\nclass K: pass\ndef main(): return type(copy.deepcopy(K())).__name__", json!("K")),
        (
            "from __future__ import annotations\nimport dataclasses, typing\n@dataclasses.dataclass\nclass P:\n    x: typing.Optional[int] = None\n    \
             c: typing.ClassVar[int] = 3\ndef main(): return [P(1), sorted(typing.get_type_hints(P))]",
            json!([{"x": 1}, ["c", "x"]]),
        ),
        (
            "import doctest\ndef f():\n    \"\"\"\n    >>> f()\n    1\n    \"\"\"\n    return 1\ndef main(): return doctest.testmod()",
            json!([0, 1]),
        ),
        (
            "import io, unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\ndef main():\n    \
             return unittest.main(exit=False, testRunner=unittest.TextTestRunner(stream=io.StringIO())).result.testsRun",
            json!(1),
        ),
        (
            "def main(): return [__name__, __doc__, __spec__, __package__]",
            json!(["__main__", null, null, null]),
        ),
    ] {
        assert_eq!(value(&run(&runner, source).await), expected, "{source}");
    }
}

#[tokio::test]
async fn memory_that_nobody_shares_has_a_hint() {
    let runner = runner_or_skip!();
    let outcome = run(&runner, "import mmap\ndef main():\n    return len(mmap.mmap(-1, 4096))").await;
    assert!(outcome.stderr.contains("ask for it with `flags=mmap.MAP_PRIVATE`"), "{}", outcome.stderr);
    let source = "import mmap\ndef main():\n    return len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE))";
    assert_eq!(value(&run(&runner, source).await), json!(4096));
}
