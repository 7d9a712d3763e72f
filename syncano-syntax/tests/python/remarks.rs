//! What compiles and still isn't what its author means.

use std::process::Command;

use syncano_syntax::python::{Version, read};
use syncano_syntax::{Packages, Severity};

/// The remarks, an `!` before those that are errors.
fn remarks(source: &str, packages: Packages) -> Vec<String> {
    let script =
        read(source, Version::default(), packages).unwrap_or_else(|error| panic!("{source}: {error}"));
    let shown = script.remarks.iter().map(|remark| {
        let mark = if remark.severity == Severity::Error { "!" } else { "" };
        format!("{mark}{}", remark.diagnostic)
    });
    shown.collect()
}

#[track_caller]
fn assert_remarks(cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        assert_eq!(remarks(source, Packages::Standard), *expected, "{source}");
    }
}

#[test]
fn names_that_nothing_defines() {
    assert_remarks(&[
        (
            "import json\ndef main(x):\n    return jsn.load(x)",
            &["!3:12: nothing defines `jsn`: did you mean `json`?"],
        ),
        ("raise AppEror('X')", &["!1:7: nothing defines `AppEror`: did you mean `AppError`?"]),
        ("def main(title):\n    return titel", &["!2:12: nothing defines `titel`: did you mean `title`?"]),
        ("prnt(1); prnt(2)", &["!1:1: nothing defines `prnt`: did you mean `print`?"]),
        ("x = true", &["!1:5: nothing defines `true` in Python 3: write `True`"]),
        ("x = null", &["!1:5: nothing defines `null` in Python 3: write `None`"]),
        ("print(unicode(1))", &["1:7: nothing defines `unicode` in Python 3: write `str`"]),
        ("def main(x): return json.loads(x)", &["1:21: nothing defines `json`: write `import json`"]),
        ("frobnicate()", &["1:1: nothing defines `frobnicate`: define it, or import it"]),
        (
            "def f():\n    total = 1\ndef main():\n    return total",
            &["4:12: nothing defines `total` here: it is local to another function or class"],
        ),
        (
            "class A:\n    size = 1\n    def f(self): return size",
            &["3:25: nothing defines `size` here: it is local to another function or class"],
        ),
        ("[item for item in x if itm]\nx = 1", &["!1:24: nothing defines `itm`: did you mean `item`?"]),
        ("def f(x: lst): pass", &["!1:10: nothing defines `lst`: did you mean `list`?"]),
        ("@cachd\ndef f(): pass", &["1:2: nothing defines `cachd`: define it, or import it"]),
        ("print(f'{nmae}')\nname = 1", &["!1:10: nothing defines `nmae`: did you mean `name`?"]),
        // One of many strange names may be as strange.
        (
            "alpha(beta, gamma, lenn)",
            &[
                "1:1: nothing defines `alpha`: define it, or import it",
                "1:7: nothing defines `beta`: define it, or import it",
                "1:13: nothing defines `gamma`: define it, or import it",
                "1:20: nothing defines `lenn`: did you mean `len`?",
            ],
        ),
    ]);
}

#[test]
fn names_that_something_defines() {
    for source in [
        "print(ARGS, CONFIG, META, HttpResponse, AppError, set_response, __name__, __file__, __builtins__)",
        "def main(): return helper()\ndef helper(): return main",
        "def f():\n    global total\n    total = 1\nprint(total)",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        return [x for _ in y]\n    return g\ny = 1",
        "for i in []: pass\nprint(i)",
        "with open('x') as (a, [b, *c]): print(a, b, c)",
        "try: pass\nexcept (OSError, ValueError) as error: print(error)",
        "import a.b, c as d\nfrom e import f as g\nprint(a, d, g)",
        "match 1:\n    case {'k': a, **b} | [a, *b]: print(a, b)",
        "print([(y := x) for x in []], y)",
        "class A:\n    size = 1\n    other = size\n    def f(self): return __class__",
        "class A:\n    def f(self): return self.__private\n    def g(self): return __module_private",
        "lambda a, *b, c=1, **d: (a, b, c, d)",
        "def f(a, /, b: int = 1, *c, d, **e) -> str: return a, b, c, d, e",
        "{k: v for k, v in {}.items() for w in v if w}",
        "from x import *\nfrobnicate()",
        "exec('frob = 1')\nfrob()",
        "globals()['frob'] = 1\nfrob()",
        "import builtins\nbuiltins.frob = 1\nfrob()",
        "import sys\nsetattr(sys.modules[__name__], 'frob', 1)\nfrob()",
        "try:\n    unicode\nexcept NameError:\n    unicode = str",
        "try:\n    x = unicode\nexcept Exception:\n    x = str",
        "import sys\nif sys.version_info[0] < 3:\n    text = unicode\nelse:\n    text = str",
        "import sys\ntext = unicode if sys.version_info < (3,) else str",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B\ndef f(x: 'B', y: 'C'): pass",
        "from __future__ import annotations\ndef f(x: B) -> C: pass",
        "def f():\n    x: Frob = 1\n    return x",
        "del x\nx = 1",
        "if False: frob()",
        "_('text')",
        "x: int\nprint(x)",
        "def f():\n    print(late)\nlate = 1",
    ] {
        assert_eq!(remarks(source, Packages::Standard), [""; 0], "{source}");
    }
}

#[test]
fn names_of_newer_versions() {
    let source = "def f[T: frob](x: T) -> T:\n    return x\nclass A[*Ts, **P]:\n    x: tuple[*Ts]\ntype X[Y] = list[Y] | Z\n";
    let script = read(source, "3.13".parse().expect("a version"), Packages::Standard).expect("valid");
    assert_eq!(script.remarks, []);
}

#[test]
fn modules_that_nobody_has() {
    assert_remarks(&[
        ("import jsn", &["!1:8: there is no module `jsn`: did you mean `json`?"]),
        (
            "from colections import Counter",
            &["!1:6: there is no module `colections`: did you mean `collections`?"],
        ),
        ("import os, randm as r", &["!1:12: there is no module `randm`: did you mean `random`?"]),
        ("import os.pth", &["!1:8: there is no module `os.pth`: did you mean `os.path`?"]),
        (
            "from concurrent.future import ThreadPoolExecutor",
            &["!1:6: there is no module `concurrent.future`: did you mean `concurrent.futures`?"],
        ),
        ("def f():\n    import htp.client", &["!2:12: there is no module `htp`: did you mean `http`?"]),
        // Packages.
        ("import httpx, requests, yaml, ujson, lxml, urllib3, polib, pandas as pd", &[]),
        ("from . import jsn\nfrom .colections import x", &[]),
        ("try:\n    import jsn\nexcept ImportError:\n    import simplejsn", &[]),
        ("import sys\nif sys.version_info < (3,):\n    import quee", &[]),
        ("import xml.etree.ElementTree, os.path, concurrent.futures, importlib.metadata", &[]),
    ]);
    // The server may have a package of that name.
    let source = "import jsn";
    assert_eq!(remarks(source, Packages::Others), ["1:8: there is no module `jsn`: did you mean `json`?"]);
}

#[test]
fn entry_points_of_other_platforms() {
    assert_remarks(&[
        (
            "def handler(event, context): return {'x': 1}",
            &["1:5: nothing calls `handler`: the server calls a function named `main`"],
        ),
        (
            "def lambda_handler(event, context):\n    return 1",
            &["1:5: nothing calls `lambda_handler`: the server calls a function named `main`"],
        ),
        ("def mian(x): return x", &["1:5: nothing calls `mian`: the server calls a function named `main`"]),
        ("def Main(x): return x", &["1:5: nothing calls `Main`: the server calls a function named `main`"]),
        ("def handler(event): return 1\nprint(handler(ARGS))", &[]),
        ("def handler(event): return 1\nmain = handler", &[]),
        ("def handler(event): return 1\ndef main(x): return x", &[]),
        ("def helper(x): return x", &[]),
        ("def add(f): return f\n@add\ndef handler(event): return 1", &[]),
    ]);
}

#[test]
fn errors_and_results_that_are_written_out() {
    let source = "def main(x):\n    if x:\n        raise AppError('TooMany', {'left': 3})\n    if not x: raise AppError(name=\"None\")\n    \
                  raise AppError(x)\n    def f():\n        return {'inner': 1}\n    return {'name': x, \"size\": 1}\n    \
                  return {**x, 'name': 1}\n    return dict(a=1)\n";
    let script = read(source, Version::default(), Packages::Standard).expect("valid");
    let raised: Vec<&str> = script.raised.iter().map(|name| name.text.as_str()).collect();
    assert_eq!(raised, ["TooMany", "None"]);
    assert_eq!(&source[script.raised[0].span.clone()], "'TooMany'");
    let results: Vec<(Vec<&str>, bool)> = script
        .results
        .iter()
        .map(|result| (result.keys.iter().map(|key| key.text.as_str()).collect(), result.has_others))
        .collect();
    assert_eq!(results, [(vec!["name", "size"], false), (vec!["name"], true)]);
    let own = "class AppError(Exception): pass\ndef main(): raise AppError('x')";
    assert_eq!(read(own, Version::default(), Packages::Standard).expect("valid").raised, []);
}

/// What the interpreter itself gives to a script is known.
#[test]
fn the_lists_are_those_of_python() {
    let list = "import builtins, sys\nprint(*[n for n in dir(builtins) if not n.startswith('_')])\n\
                print(*[n for n in sys.stdlib_module_names if not n.startswith('_') and n != 'builtins'])";
    let output = match Command::new("/usr/bin/python3").args(["-I", "-c", list]).output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).expect("text"),
        other => {
            assert!(std::env::var_os("CI").is_none(), "{other:?}");
            return println!("skipped: /usr/bin/python3 doesn't answer: {other:?}");
        }
    };
    let (names, modules) = output.split_once('\n').expect("two lines");
    for name in names.split_whitespace() {
        assert_eq!(remarks(&format!("print({name})"), Packages::Standard), [""; 0]);
    }
    for module in modules.split_whitespace() {
        assert_eq!(remarks(&format!("import {module}\nprint({module})"), Packages::Standard), [""; 0]);
        let forgotten = remarks(&format!("print({module})"), Packages::Standard);
        let is_builtin = names.split_whitespace().any(|name| name == module);
        assert_eq!(forgotten.is_empty(), is_builtin, "{module}: {forgotten:?}");
    }
}
