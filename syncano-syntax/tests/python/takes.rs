//! What a script takes from its callers.

use syncano_syntax::python::{Takes, Version, takes};

/// Parameters as `name`, `name=` with a default, `name: kinds`, and `**`; keys as `[name]`; `?` for what can't be told.
#[track_caller]
fn described(source: &str) -> String {
    match takes(source, Version::default()) {
        Ok(Takes::Parameters(parameters)) => {
            assert_eq!(&source[parameters.main.clone()], "main");
            let mut words: Vec<String> = Vec::new();
            for parameter in &parameters.named {
                assert!(source[parameter.span.clone()].starts_with(&parameter.name));
                let default = if parameter.has_default { "=" } else { "" };
                let kinds = parameter.kinds.as_ref().map(|kinds| format!(": {kinds}")).unwrap_or_default();
                words.push(format!("{}{default}{kinds}", parameter.name));
            }
            words.extend(parameters.takes_any.then(|| "**".to_owned()));
            format!("main({})", words.join(", "))
        }
        Ok(Takes::Keys(keys)) => {
            let keys = keys.iter().map(|key| {
                assert!(source[key.span.clone()].contains(&key.name));
                format!("[{}]{}", key.name, if key.optional { "?" } else { "" })
            });
            keys.collect()
        }
        Ok(Takes::Unknown) => "?".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn assert_takes(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(described(source), *expected, "{source}");
    }
}

#[test]
fn parameters_of_every_sort() {
    assert_takes(&[
        ("def main(): pass", "main()"),
        ("async def main(a, b=1): pass", "main(a, b=)"),
        ("def main(a, /, b, *, c, d=2): pass", "main(a, b, c, d=)"),
        ("def main(*args, **kwargs): pass", "main(**)"),
        ("def main(a, *args): pass", "main(a)"),
        ("import json\ndef helper(x): return main\ndef main(a): return helper(a)", "main(a)"),
        ("def main(a): pass\ndef other(): main(1)", "main(a)"),
        ("def main(a): pass\nf = lambda: main(1)", "main(a)"),
    ]);
}

#[test]
fn simple_annotations() {
    assert_takes(&[
        (
            "def main(a: int, b: str, c: float, d: bool, e: list, f: dict, g: None): pass",
            "main(a: int, b: str, c: float, d: bool, e: list, f: dict, g: None)",
        ),
        (
            "def main(a: int | None = None, b: list[str] = [], c: dict[str, int] = {}): pass",
            "main(a=: int | None, b=: list, c=: dict)",
        ),
        (
            "from typing import Optional, Union, List\ndef main(a: Optional[int], b: Union[int, str], c: List[int]): pass",
            "main(a: int | None, b: int | str, c: list)",
        ),
        (
            "import typing\ndef main(a: typing.Optional[str], b: typing.Dict): pass",
            "main(a: str | None, b: dict)",
        ),
        // Whatever isn't known for certain.
        (
            "def main(a: Item, b: int | Item, c: 'int', d: list | set, e: Optional[int], f: int[3]): pass",
            "main(a, b, c, d, e, f)",
        ),
        ("from typing import Any, Literal\ndef main(a: Any, b: Literal[1]): pass", "main(a, b)"),
        ("int = str\ndef main(a: int): pass", "main(a)"),
        ("from mine import str\ndef main(a: str): pass", "main(a)"),
        ("class Optional: pass\nfrom typing import Optional\ndef main(a: Optional[int]): pass", "main(a)"),
        ("def main(str: str): pass", "main(str)"),
    ]);
}

#[test]
fn a_main_that_may_be_another_one() {
    assert_takes(&[
        ("@wrapped\ndef main(a): pass", "?"),
        ("def main(a): pass\ndef main(a, b): pass", "?"),
        ("def main(a): pass\nmain = wrapped(main)", "?"),
        ("def main(a): pass\nif x:\n    def main(b): pass", "?"),
        ("def main(a): pass\nfrom other import main", "?"),
        ("def main(a): pass\nfrom other import *", "?"),
        ("def main(a): pass\nimport main.x", "?"),
        ("def main(a): pass\nglobals()['main'] = 1", "?"),
        ("def main(a): pass\ntry: pass\nexcept E as main: pass", "?"),
        ("def main(a): pass\nmatch x:\n    case [*main]: pass", "?"),
        ("def main(a): pass\ndel main", "?"),
    ]);
}

#[test]
fn every_way_to_bind_main() {
    assert_takes(&[
        ("def main(a, /, b=1): pass", "main(a, b=)"),
        ("def work(a): pass\nmain = work", "main(a)"),
        ("def work(a): pass\nmain, other = work, 1", "main(a)"),
        ("def work(a): pass\n[other, (main, third)] = 1, (work, 2)", "main(a)"),
        ("def work(a): pass\nmain = other = work", "main(a)"),
        ("def work(a): pass\n(main := work)", "main(a)"),
        ("main: object = work\nasync def work(a, *, b): pass", "main(a, b)"),
        ("main = lambda a, b=1: a", "main(a, b=)"),
        ("main = lambda: 1", "main()"),
        ("try:\n    import x\nexcept ImportError:\n    def main(a): pass", "main(a)"),
        ("if x:\n    def main(a): pass", "main(a)"),
        ("with x:\n    def main(a): pass", "main(a)"),
        // The block at the end is for others.
        ("def main(a): pass\nif __name__ == '__main__':\n    main(ARGS['b'])", "main(a)"),
        ("def main(): return 1\nif __name__ == '__main__':\n    print(main())", "main()"),
        ("def main(): pass\nif __name__ == '__main__':\n    test()", "main()"),
        ("def main(a): pass\nif __name__ == '__main__' and x:\n    a = main(1)\nelse:\n    b = 1", "main(a)"),
        // Something that can be called.
        ("import functools\ndef f(y, x): pass\nmain = functools.partial(f, 1)", "?"),
        ("from a import main", "?"),
        ("from a import run as main", "?"),
        ("class main:\n    def __new__(cls, a): return a", "?"),
        ("main = K().go", "?"),
        ("def work(a): pass\nfor main in (work,): pass", "?"),
        ("with found() as main: pass", "?"),
        ("other, *rest, main = 1, 2, work", "?"),
        ("if x:\n    def main(a): pass\nelse:\n    main = None", "?"),
        ("import work as main", "?"),
        ("main = wrapped(work) if x else work", "?"),
        ("@wrapped\ndef work(a): pass\nmain = work", "?"),
        ("def work(a): pass\ndef work(b): pass\nmain = work", "?"),
    ]);
}

#[test]
fn programs() {
    assert_takes(&[
        ("print(3)", ""),
        ("print(ARGS['a'], ARGS.get('b'), ARGS.get('c', 1), f\"{ARGS['d']}\")", "[a][b]?[c]?[d]"),
        ("def f():\n    return ARGS['a']\nprint(f())", "[a]"),
        ("def main(a): pass\nmain(ARGS['b'])", "[b]"),
        ("def main(): print(ARGS['b'])\nif __name__ == '__main__':\n    main()", "[b]"),
        ("def main(): return\nif '__main__' == __name__ and ARGS['b']:\n    sys.exit(main())", "[b]"),
        ("def main():\n    yield 1\n    return None\ndef f(): main()\nmain = f\nmain()", ""),
        ("class main: pass\nif __name__ == '__main__':\n    main()", ""),
        ("main = 3", ""),
        ("main, other = 1, work", ""),
        ("for main in items: print(main)", ""),
        ("import a as main\nmain.run()", ""),
        ("from a import main\nmain.run(ARGS['b'])", "[b]"),
        ("from a import main\nmain()", ""),
        ("def main(a): pass\nclass A:\n    x = main(1)", ""),
        ("def main(a): pass\ndef other(x=main(1)): pass", ""),
        ("try:\n    x = ARGS['a']\nexcept KeyError:\n    x = 1\nARGS['b']", "[a]?[b]"),
        ("ARGS['POST']['a']", "[POST]"),
        ("class A:\n    def main(self): pass", ""),
    ]);
}

#[test]
fn programs_that_do_more_with_their_arguments() {
    for source in [
        "print(ARGS)",
        "for key in ARGS: pass",
        "ARGS[key]",
        "ARGS[0]",
        "ARGS.items()",
        "ARGS.get(key)",
        "ARGS.get()",
        "ARGS.get",
        "ARGS['a'] = 1",
        "ARGS['a'] += 1",
        "del ARGS['a']",
        "ARGS = {}",
        "'a' in ARGS and ARGS['a']",
        "f(**ARGS)",
        "f(ARGS)['a']",
        "x = ARGS\nARGS['a']",
        "def f(ARGS): return ARGS['a']",
        "from x import ARGS\nARGS['a']",
        "eval(\"ARGS['a']\")",
        "print(ARGS['a'], vars())",
        "def main(): pass\nmain(**ARGS)",
    ] {
        assert_eq!(described(source), "?", "{source}");
    }
}
