//! What a call of Python has changed in the process: nothing of it is there for the next one.

use serde_json::json;
use syncano_core::RunStatus;

use crate::support::*;

/// What leads there, what changes it, and what shows it.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "import os, time",
        "os.environ['TZ'] = 'America/New_York'; time.tzset()",
        "(time.tzname, os.environ.get('TZ'))",
    ),
    ("import os, time", "os.environ['TZ'] = 'EST5'; time.tzset(); del os.environ['TZ']", "time.tzname"),
    ("import decimal", "decimal.getcontext().prec = 3", "decimal.Decimal(1) / 3"),
    ("import decimal", "decimal.setcontext(decimal.Context(prec=2))", "decimal.getcontext().prec"),
    ("import locale", "locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_ALL)"),
    (
        "import os, tempfile",
        "os.mkdir('mine'); tempfile.tempdir = os.path.abspath('mine')",
        "os.path.basename(tempfile.gettempdir())",
    ),
    (
        "import os, tempfile",
        "os.mkdir('m'); os.environ['TMPDIR'] = os.path.abspath('m'); tempfile.tempdir = None; tempfile.gettempdir()",
        "tempfile.gettempdir()[-2:]",
    ),
    ("import socket", "socket.setdefaulttimeout(0.01)", "socket.getdefaulttimeout()"),
    (
        "import signal",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [])",
    ),
    (
        "import resource",
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))",
        "resource.getrlimit(resource.RLIMIT_FSIZE)",
    ),
    ("import os", "os.nice(5)", "os.nice(0)"),
    ("import warnings", "warnings.simplefilter('error')", "warnings.filters[0][0]"),
    ("import warnings", "warnings.filterwarnings('ignore', 'x')", "len(warnings.filters)"),
    ("import logging", "logging.basicConfig(level=5)", "(logging.root.level, len(logging.root.handlers))"),
    (
        "import logging",
        "logging.getLogger().addHandler(logging.NullHandler())",
        "len(logging.getLogger().handlers)",
    ),
    (
        "import logging",
        "logging.getLogger('a').setLevel(5); logging.getLogger('a').propagate = False",
        "(logging.getLogger('a').level, logging.getLogger('a').propagate)",
    ),
    ("import logging", "logging.disable(50)", "logging.root.manager.disable"),
    ("import sys", "sys.set_int_max_str_digits(0)", "sys.get_int_max_str_digits()"),
    ("import sys", "sys.setrecursionlimit(99)", "sys.getrecursionlimit()"),
    ("import json.encoder, os.path", "os.path.exists = lambda p: 'patched'", "os.path.exists('/nowhere')"),
    ("import os", "setattr(os.path, 'exi' + 'sts', str)", "os.path.exists('/nowhere')"),
    ("import os", "del os.path.exists", "hasattr(os.path, 'exists')"),
    ("import os.path", "exec('os.path.exists = str')", "os.path.exists('/nowhere')"),
    (
        "import importlib, os",
        "importlib.import_module('o' + 's.path').exists = str",
        "os.path.exists('/nowhere')",
    ),
    ("from os import path as p", "p.exists = str", "p.exists('/nowhere')"),
    (
        "from unittest import mock\nimport os",
        "mock.patch('os.path.exists').start()",
        "os.path.exists('/nowhere')",
    ),
    ("import json", "json.dumps = str", "json.dumps([None])"),
    ("import json", "json.JSONEncoder.default = lambda self, value: 1", "json.JSONEncoder.default.__name__"),
    ("import string", "string.count = 1", "getattr(string, 'count', 0)"),
    (
        "import http.client",
        "http.client.HTTPConnection.debuglevel = 5",
        "http.client.HTTPConnection.debuglevel",
    ),
    ("import http.client", "http.client.responses[299] = 'x'", "len(http.client.responses)"),
    (
        "import ssl",
        "ssl._create_default_https_context = ssl._create_unverified_context",
        "ssl._create_default_https_context.__name__",
    ),
    (
        "import urllib.request",
        "urllib.request.install_opener(urllib.request.build_opener())",
        "urllib.request._opener",
    ),
    ("import builtins", "builtins.abs = str", "abs(-1)"),
    ("import sys", "sys.modules['yaml'] = sys", "'yaml' in sys.modules"),
    ("import sys", "sys.path.insert(0, '/x')", "sys.path[0]"),
    ("import sys", "sys.excepthook = print", "sys.excepthook.__name__"),
    (
        "import xml.etree.ElementTree as ET",
        "ET.register_namespace('q', 'urn:q')",
        "'urn:q' in ET._namespace_map",
    ),
    ("import calendar", "calendar.setfirstweekday(6)", "calendar.firstweekday()"),
    ("import csv", "csv.field_size_limit(1)", "csv.field_size_limit()"),
    ("import mimetypes", "mimetypes.add_type('a/b', '.zzz')", "mimetypes.guess_type('a.zzz')"),
    ("import threading", "threading.stack_size(1 << 20)", "threading.stack_size()"),
    ("import warnings", "warnings.simplefilter('error')", "len(warnings.filters)"),
    (
        "import logging",
        "logging.basicConfig(level=10); logging.addLevelName(10, 'x')",
        "(logging.root.level, logging.getLevelName(10))",
    ),
    ("import os", "os.environ['FOO'] = '1'", "'FOO' in os.environ"),
    ("pass", "HttpResponse.extra = 1", "hasattr(HttpResponse, 'extra')"),
    ("pass", "import colorsys; colorsys.rgb_to_hsv = str", "__import__('colorsys').rgb_to_hsv(0, 0, 0)"),
];

#[tokio::test]
async fn the_next_call_of_a_program_finds_what_the_first_one_found() {
    let runner = runner_or_skip!();
    for (leads, change, look) in CHANGES {
        let script = script(&format!("{leads}\nif 'x' in ARGS:\n    {change}\nelse:\n    print({look})"));
        let first = runner.run(&script, call("{}")).await;
        assert_eq!(first.status, RunStatus::Success, "{look}: {}", first.stderr);
        for _ in 0..2 {
            let outcome = runner.run(&script, call(r#"{"x":1}"#)).await;
            assert_eq!(outcome.status, RunStatus::Success, "{change}: {}", outcome.stderr);
            assert_eq!(runner.run(&script, call("{}")).await.stdout, first.stdout, "{change}");
        }
    }
}

#[tokio::test]
async fn the_next_call_of_a_function_finds_what_its_top_level_left() {
    let runner = runner_or_skip!();
    // What is said of logging and warnings is the function's own.
    let own = ["logging", "warnings"];
    for (leads, change, look) in CHANGES.iter().filter(|change| !own.iter().any(|own| change.0.contains(own)))
    {
        let source = format!(
            "{leads}\nfiles = __import__('os').listdir\ndef main(x=None):\n    if x:\n        {change}\n    else:\n        return str({look})"
        );
        let script = script(&source);
        let first = value(&runner.run(&script, call("{}")).await);
        let outcome = runner.run(&script, call(r#"{"x":1}"#)).await;
        assert_eq!(outcome.status, RunStatus::Success, "{change}: {}", outcome.stderr);
        assert_eq!(value(&runner.run(&script, call("{}")).await), first, "{change}");
    }
    // What the top level sets is there for every call, and costs no process.
    let script = script(
        "import decimal, os, time\ndecimal.getcontext().prec = 4\nos.environ['TZ'] = 'EST5'\ntime.tzset()\nos.path.own = 1\n\
         calls = 0\ndef main():\n    global calls\n    calls += 1\n    \
         return [calls, str(decimal.Decimal(1) / 3), time.tzname[0], os.path.own]",
    );
    for calls in 1..4 {
        assert_eq!(value(&runner.run(&script, call("{}")).await), json!([calls, "0.3333", "EST", 1]));
    }
}

#[tokio::test]
async fn no_call_foresees_what_another_draws() {
    let runner = runner_or_skip!();
    for source in [
        "import random\nif 'x' in ARGS: random.seed(42)\nelse: print(random.random())",
        "import random\nkept = random.getstate()\nif 'x' in ARGS: random.setstate(random.Random(42).getstate())\nelse: print(random.random())",
        "from random import seed, random\nif 'x' in ARGS: seed(42)\nelse: print(random())",
        "import random\nif 'x' in ARGS: getattr(random, 'seed')(42)\nelse: print(random.random())",
    ] {
        let script = script(source);
        let mut drawn = Vec::new();
        for _ in 0..3 {
            runner.run(&script, call(r#"{"x":1}"#)).await;
            let outcome = runner.run(&script, call("{}")).await;
            assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
            drawn.push(outcome.stdout);
        }
        assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2], "{source}: {drawn:?}");
    }
    // A function whose top level seeds wants the same numbers in the same order; one whose calls do, in those calls.
    let seeded = script("import random\nrandom.seed(42)\ndef main():\n    return random.random()");
    for drawn in [0.6394267984578837, 0.025010755222666936] {
        assert_eq!(value(&runner.run(&seeded, call("{}")).await), json!(drawn));
    }
    let seeds =
        script("import random\ndef main(s=None):\n    if s: random.seed(s)\n    return random.random()");
    let mut drawn = Vec::new();
    for arguments in [r#"{"s":42}"#, "{}", r#"{"s":42}"#, "{}"] {
        drawn.push(value(&runner.run(&seeds, call(arguments)).await));
    }
    assert_eq!((&drawn[0], &drawn[2]), (&json!(0.6394267984578837), &json!(0.6394267984578837)));
    assert!(drawn[1] != drawn[3] && drawn[1] != json!(0.025010755222666936), "{drawn:?}");
}

#[tokio::test]
async fn scripts_that_leave_nothing_keep_their_process() {
    let runner = runner_or_skip!();
    for source in [
        "import os\nclass A:\n    def __init__(self): self.x = 1\nseen = {}\nseen['a'] = A().x\nprint(os.getpid())",
        "import os, json, random\nrandom.seed(1)\njson.dumps = str\nos.path.exists = str\nprint(os.getpid())",
        "import os, tempfile, uuid, urllib.request, logging, decimal\nlogging.basicConfig(level=20)\nsetattr(A := type('A', (), {}), 'x', 1)\n\
         tempfile.NamedTemporaryFile().close(); uuid.uuid1(); decimal.getcontext().prec = 3; decimal.Decimal(1) / 3\nprint(os.getpid())",
        "import os\nprint(eval('os.getpid()'))",
        "import os, locale, socket, calendar\nlocale.setlocale(locale.LC_ALL, 'C'); socket.setdefaulttimeout(3); calendar.setfirstweekday(6)\nprint(os.getpid())",
        "import os, tempfile, uuid\nclass A: pass\ndef main():\n    a = A(); setattr(a, 'x', 1); a.y = {}; a.y['z'] = vars(a)\n    \
         tempfile.gettempdir(); uuid.uuid1()\n    print(os.getpid())",
        "import os, logging, warnings\ndef main():\n    logging.basicConfig(level=20); warnings.simplefilter('ignore')\n    print(os.getpid())",
    ] {
        let script = script(source);
        let first = runner.run(&script, call("{}")).await;
        assert_eq!(first.status, RunStatus::Success, "{source}: {}", first.stderr);
        for _ in 0..3 {
            assert_eq!(runner.run(&script, call("{}")).await.stdout, first.stdout, "{source}");
        }
    }
}
