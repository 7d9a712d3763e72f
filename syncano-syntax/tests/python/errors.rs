//! Every kind of error, with its place.

use syncano_syntax::python::{Version, check};

fn error(source: &str, version: &str) -> String {
    let version: Version = version.parse().expect("a version");
    check(source, version).err().map_or_else(|| "none".to_owned(), |error| error.to_string())
}

#[track_caller]
fn assert_errors(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(error(source, "3.11"), *expected, "{source:?}");
    }
}

#[test]
fn grammar() {
    assert_errors(&[
        ("x = = 1", "1:5: expected an expression"),
        ("x = 1 +\n", "1:8: expected an expression"),
        ("x = 1)\n", "1:6: expected a statement"),
        ("def f()\n    pass\n", "1:8: expected `:`, found newline"),
        ("while True print(1)\n", "1:12: expected `:`, found name"),
        ("x = [1 2]\n", "1:8: expected `,`, found number"),
        ("x = {\n  'a': 1\n  'b': 2\n}\n", "3:3: expected `,`, found string"),
        ("x = 5 if y\n", "1:11: expected `else`, found newline"),
        ("import\n", "1:7: expected one or more symbol names after import"),
        ("try:\n    pass\nx = 1\n", "3:1: expected `except` or `finally` after `try` block"),
        ("print 'hello'\n", "1:7: simple statements must be separated by newlines or semicolons"),
        ("async class A: pass\n", "1:7: expected `def`, `with` or `for` to follow `async`, found `class`"),
        ("%time x\n", "1:1: expected a statement"),
        ("!ls\n", "1:1: expected a statement"),
        ("1 = x\n", "1:1: invalid assignment target"),
        ("del f()\n", "1:5: invalid delete target"),
        (
            "def f(a=1, b): pass\n",
            "1:12: parameter without a default cannot follow a parameter with a default",
        ),
        ("f(**a, *b)\n", "1:8: iterable argument unpacking cannot follow keyword argument unpacking"),
        ("f(x for x in y, 1)\n", "1:3: unparenthesized generator expression cannot be used here"),
    ]);
}

#[test]
fn characters_and_literals() {
    assert_errors(&[
        ("x = $\n", "1:5: unexpected character `$`"),
        ("x = \u{1}\n", "1:5: unexpected character U+0001"),
        ("x = \u{a0}1\n", "1:5: unexpected character U+00A0"),
        ("x = 08\n", "1:5: invalid decimal integer literal"),
        ("x = 0b2\n", "1:5: invalid number"),
        ("b'é'\n", "1:3: bytes can only contain ASCII literal characters"),
        ("x = '\\N{nope}'\n", "1:9: invalid Unicode escape in string literal"),
        ("x = \\ 1\n", "1:5: expected a newline after line continuation character"),
        ("x = f'{y!}'\n", "1:10: f-string: invalid conversion character"),
        ("x = 'a'\n\0", "2:1: script contains a null character"),
        ("x = '\0'", "1:6: script contains a null character"),
    ]);
}

#[test]
fn indentation() {
    assert_errors(&[
        ("  x = 1\n", "1:1: unexpected indentation"),
        ("if x:\npass\n", "2:1: expected an indented block after `if` statement"),
        ("if x:\n    a\n  b\n", "3:1: unindent does not match any outer indentation level"),
        ("if x:\n\ta\n        b\n", "3:1: unexpected indentation"),
    ]);
}

#[test]
fn unclosed_brackets_are_told_where_they_open() {
    assert_errors(&[
        ("x = (", "1:5: `(` was never closed"),
        ("x = {'a': 1\n\n\n", "1:5: `{` was never closed"),
        ("x = foo(1, 2\ny = 3\n", "1:8: `(` was never closed"),
        ("print(foo(1, 2)\nprint(3)\n", "1:6: `(` was never closed"),
        ("x = foo(bar([1, 2\ny = 3\n\ndef f():\n    pass\n", "1:13: `[` was never closed"),
        ("x = [1, 2\n# why\n\nclass A:\n    pass\n", "1:5: `[` was never closed"),
        ("def f(:\n    pass\n", "1:6: `(` was never closed"),
        ("def main(limit=10:\n    items = [1, 2]\n    return items\n", "1:9: `(` was never closed"),
        // A later bracket closes it.
        ("x = foo(1, 2\ndef main():\n    return bar(3))\n", "1:8: `(` was never closed"),
        (
            "def f():\n    return {\n        'a': [1, 2,\n        'b': 3,\n    }\n",
            "3:14: `[` was never closed",
        ),
        ("x = foo([1, 2)\nbar()\n", "1:14: `)` does not close `[`"),
        // The first error counts.
        ("a = 1\nb = 5 'x'\nfoo(\n", "2:7: simple statements must be separated by newlines or semicolons"),
    ]);
    // So much after the bracket that all of it together would be too deep for one expression.
    let long = format!("x = foo(1,\n{}", "y = a + b\n".repeat(5_000));
    assert_eq!(error(&long, "3.11"), "1:8: `(` was never closed");
}

#[test]
fn unclosed_strings_are_told_where_they_open() {
    assert_errors(&[
        ("x = 'abc\ny = 1\n", "1:5: missing closing quote in string literal"),
        ("x = 1\ny = '''abc\n\n\nz = 1\n", "2:5: missing closing quote in string literal"),
        ("foo('abc\nx = 1\n", "1:5: missing closing quote in string literal"),
        ("x = f'abc\ny = 1\n", "1:5: f-string: unterminated string"),
        ("x = f'abc {y\nz = 1\n", "1:5: f-string: unterminated string"),
        ("x = f'''abc\n\n\nz = 1\n", "1:5: f-string: unterminated triple-quoted string"),
        ("x = f'a {b'\n", "1:9: `{` was never closed"),
        ("x = f'{(a}'\n", "1:10: `}` does not close `(`"),
    ]);
}

#[test]
fn out_of_place() {
    assert_errors(&[
        ("return 1\n", "1:1: `return` statement outside of a function"),
        ("class A:\n    return\n", "2:5: `return` statement outside of a function"),
        ("break\n", "1:1: `break` outside loop"),
        ("for x in y:\n    pass\nelse:\n    continue\n", "4:5: `continue` outside loop"),
        ("while x:\n    def f():\n        break\n", "3:9: `break` outside loop"),
        ("while x:\n    class A:\n        continue\n", "3:9: `continue` outside loop"),
        ("await x\n", "1:1: `await` statement outside of a function"),
        ("def f():\n    await x\n", "2:5: `await` outside of an asynchronous function"),
        ("def f():\n    [await x for x in y]\n", "2:6: `await` outside of an asynchronous function"),
        ("async def f():\n    lambda: await x\n", "2:13: `await` outside of an asynchronous function"),
        ("async with x: pass\n", "1:1: `async with` outside of an asynchronous function"),
        ("def f():\n    async for x in y: pass\n", "2:5: `async for` outside of an asynchronous function"),
        ("[x async for x in y]\n", "1:4: asynchronous comprehension outside of an asynchronous function"),
        ("class A:\n    yield 1\n", "2:5: `yield` statement outside of a function"),
        ("def f():\n    [(yield x) for x in y]\n", "2:7: `yield` statement outside of a function"),
        (
            "async def f():\n    yield from x\n",
            "2:5: `yield from` statement in async function; use `async for` instead",
        ),
        ("async def f():\n    yield\n    return 1\n", "3:5: `return` with value in async generator"),
        ("def f():\n    from x import *\n", "2:5: `from x import *` only allowed at module level"),
        (
            "x = 1\nfrom __future__ import annotations\n",
            "2:1: __future__ imports must be at the top of the file",
        ),
        ("from __future__ import nope\n", "1:24: future feature `nope` is not defined"),
    ]);
}

#[test]
fn names() {
    assert_errors(&[
        ("def f(a, a): pass\n", "1:10: duplicate parameter `a`"),
        ("lambda a, *, a: 1\n", "1:14: duplicate parameter `a`"),
        ("f(a=1, a=2)\n", "1:8: duplicate keyword argument `a`"),
        ("nonlocal x\n", "1:1: nonlocal declaration not allowed at module level"),
        ("def f(x):\n    global x\n", "2:12: name `x` cannot refer to a parameter and a global variable"),
        ("def f():\n    print(x)\n    global x\n", "2:11: name `x` is used prior to global declaration"),
        ("x = 1\nglobal x\n", "1:1: name `x` is used prior to global declaration"),
        ("__debug__ = 1\n", "1:1: cannot assign to `__debug__`"),
        ("*a = 1\n", "1:1: starred assignment target must be in a list or tuple"),
        ("*a, *b = c\n", "1:1: two starred expressions in assignment"),
        ("[(x := 1) for x in y]\n", "1:3: assignment expression cannot rebind comprehension variable"),
        (
            "class A:\n    [(z := 1) for x in y]\n",
            "2:7: assignment expression within a comprehension cannot be used in a class body",
        ),
        (
            "match x:\n    case _: pass\n    case 1: pass\n",
            "2:10: wildcard makes remaining patterns unreachable",
        ),
        ("match x:\n    case [a, a]: pass\n", "2:14: multiple assignments to name `a` in pattern"),
    ]);
}

#[test]
fn syntax_of_other_versions() {
    for (source, last_without, first_with) in [
        ("match x:\n    case 1: pass\n", "3.9", "3.10"),
        ("with (open(x) as y, open(z) as w): pass\n", "3.8", "3.9"),
        ("try: pass\nexcept* A: pass\n", "3.10", "3.11"),
        ("type X = int\n", "3.11", "3.12"),
        ("def f[T](x: T): pass\n", "3.11", "3.12"),
        ("f'{x['a']}' f'{'b'}'\n", "3.11", "3.12"),
        ("class A[T = int]: pass\n", "3.12", "3.13"),
        ("t'{x}'\n", "3.13", "3.14"),
        ("if (x := 1): pass\n", "3.7", "3.8"),
    ] {
        assert_eq!(error(source, first_with), "none", "{source:?}");
        let refused = error(source, last_without);
        assert!(refused.contains(&format!("Python {last_without}")), "{source:?}: {refused}");
    }
    // The error is told at its place, and first.
    assert_eq!(
        error("x = 1\ntype X = int\nreturn\n", "3.11"),
        "2:1: cannot use `type` alias statement on Python 3.11 (syntax was added in Python 3.12)"
    );
    assert_eq!(error("return\ntype X = int\n", "3.11"), "1:1: `return` statement outside of a function");
}

#[test]
fn too_deep() {
    let nested = |levels: usize| (0..=levels).map(|level| " ".repeat(level) + "if x:\n").collect::<String>();
    assert_errors(&[
        (&"[".repeat(201), "1:201: brackets nest too deep: 200 levels are allowed"),
        (
            &("x".to_owned() + &"+x".repeat(4_000)),
            "1:6002: expression nests too deep: 3000 levels are allowed",
        ),
        // An error before the place comes first.
        (&format!("x = = 1\n{}", "(".repeat(300)), "1:5: expected an expression"),
    ]);
    assert!(error(&(nested(100)), "3.11").starts_with("101:"));
    assert!(error(&(nested(100)), "3.11").ends_with(": blocks nest too deep: 99 levels are allowed"));
}

#[test]
fn places() {
    assert_errors(&[
        ("\u{feff}x = = 1\n", "1:5: expected an expression"),
        ("żółw = 'ąę' + ]\n", "1:15: expected an expression"),
        ("x = 1\r\n\r\ny = = 1\r\n", "3:5: expected an expression"),
        ("x = 1\r\ry = = 1\r", "3:5: expected an expression"),
        ("\tx = 1\n", "1:1: unexpected indentation"),
        ("if x:\n\ty = = 1\n", "2:6: expected an expression"),
        ("x = 1\n\u{c}\ny = = 1\n", "3:5: expected an expression"),
        ("x = '\u{2028}'; y = = 1\n", "1:14: expected an expression"),
    ]);
    let error = check("ż = (x\n", Version::default()).expect_err("it isn't closed");
    assert_eq!((error.span, error.end.line, error.end.column), (5..6, 1, 6));
}
