//! Scripts that look odd and are right.

use syncano_syntax::python::{Version, check};

#[track_caller]
fn assert_valid(version: &str, sources: &[&str]) {
    let version: Version = version.parse().expect("a version");
    for source in sources {
        assert_eq!(check(source, version).map_err(|error| error.to_string()), Ok(()), "{source:?}");
    }
}

#[test]
fn text() {
    assert_valid(
        "3.11",
        &[
            "",
            "\n",
            "# only a comment",
            "\u{feff}",
            "\u{feff}x = 1\n",
            "x = 1",
            "x = 1\r\nif x:\r\n\ty = 2\r\n",
            "x = 1\rif x:\r  y = 2\r",
            "\u{c}x = 1\n\u{c}\nif x:\n  \u{c}  y = 2\n",
            "żółw = 'ąę'\n变量 = żółw\n",
            "x = (1 +\n# why\n\n  2)\n",
            "x = 'a' \\\n    'b'\n",
            "# -*- coding: utf-8 -*-\nx = 1\n",
        ],
    );
}

#[test]
fn scopes() {
    assert_valid(
        "3.11",
        &[
            "def main(text: str) -> str:\n    return text\n",
            "async def f():\n    async with a as b:\n        async for c in d:\n            await c\n",
            "async def f():\n    return [[x async for x in y] for z in w]\n",
            "async def f():\n    yield 1\n    return\n",
            "def f():\n    return (await x for x in y)\n",
            "x = (await y for y in z)\n",
            "def f():\n    return (x async for x in y)\n",
            "lambda: (yield)\n",
            "def f():\n    return [x for x in (yield)]\n",
            "def f():\n    x = 1\n    def g():\n        nonlocal x\n",
            "def f():\n    [x for _ in y]\n    lambda: x\n    global x\n",
            "def f(x):\n    def g():\n        global x\n",
            "for x in y:\n    try:\n        continue\n    finally:\n        break\n",
            "while x:\n    for a in b:\n        pass\n    else:\n        break\n",
            "def f(): return\nclass A:\n    def g(self): return 1\n",
            "class A:\n    def f(self):\n        return [(x := y) for y in z]\n",
            "'''doc'''\nfrom __future__ import annotations\n",
            "match = case = type = lazy = 1\nprint(match, type)\n",
            "match x:\n    case [a] | {'k': a}: pass\n    case _: pass\n",
        ],
    );
}

#[test]
fn versions() {
    assert_valid(
        "3.13",
        &["type X[T = int] = list[T]\n", "f'{x!r:{'a'}}'\n", "def f[T](x: T) -> T: return x\n"],
    );
    assert_valid("3.8", &["if (x := 1): pass\n", "def f(a, /, b): pass\n"]);
}
