//! Scripts that look odd and are right.

use syncano_syntax::javascript::{Version, check};

#[track_caller]
fn assert_valid(sources: &[&str]) {
    for source in sources {
        assert_eq!(
            check(source, Version::default()).map_err(|error| error.to_string()),
            Ok(()),
            "{source:?}"
        );
    }
}

#[test]
fn text() {
    assert_valid(&[
        "",
        "\n",
        "// only a comment",
        "\u{feff}",
        "\u{feff}var x = 1\n",
        "#!/usr/bin/env node\nvar x = 1",
        "var x = 1\r\nif (x)\r\n\tx = 2\r\n",
        "var x = 1\rvar y = 2\u{2028}var z = 3",
        "var żółw = 'ąę', 变量 = żółw, \\u0061b = 1",
        "x = 1 <!-- an old comment\n--> another\n",
        "'use strict'; /* ( */ '(' + `(` + /[(/]/",
    ]);
}

#[test]
fn programs() {
    assert_valid(&[
        "const { x } = ARGS; console.log(x)",
        "const fs = require('node:fs'); module.exports = fs",
        "var await = 1, yield_ = await; let async = 2; async\n(1)",
        "import('node:fs').then(fs => fs)",
        "function f() {} function f() {}\nvar f, f",
        "with (x) y = 010 + '\\07'",
        "a: for (;;) { continue a }\nif (x) function g() {}",
        "({ args }) => args.x",
        "x = { import: 1, export: 2 }.import",
        "x = async () => { for await (const y of z) await y }",
        "label: { break label }",
        "var let_ = 1; var let = 2; yield = 3",
    ]);
}

#[test]
fn modules() {
    assert_valid(&[
        "import fs from 'node:fs'\nexport default () => fs",
        "import 'node:fs'\nawait 1",
        "export const a = await 1",
        "export default async function ({ name, times = 1 }, { config, meta }) { return name }",
        "export {}",
        "const f = () => 1\nexport { f as default, f as 'any name' }",
        "export * from 'node:fs'",
        "console.log(import.meta.url)",
        "export default class {}",
        "import { readFile } from 'node:fs/promises'\nfor await (const x of y) await readFile(x)",
        "import x from 'node:fs' with { type: 'json' }",
    ]);
}

/// Each was a false alarm once.
#[test]
fn what_node_lets_pass() {
    assert_valid(&[
        "f() = 1; f()++; f() += 1",
        "const f = let => 1",
        "const f = (x, let) => 1",
        "if (x) { let }",
    ]);
}

#[test]
fn slashes() {
    assert_valid(&[
        "x = a / b / c; y = (a) / 2; z = [1] / 3; w = {}\n/ 2",
        "if (x) /'/.test(y)\nwhile (x) /\"/g\nfor (;;) /`/",
        "function f() {}\n/'/.test(x)\nx = function () {} / 2",
        "x = () => {}\n/'/.test(y)",
        "return_ = { return: 1, if: 2 }.return / 2; x = a.if / 3",
        "x = `${a / b}` / 2; y = `${/'/.test(a)}${{}}` / `'`",
        "x++ / 2; y = x-- / 3; z = +/'/; w = typeof /'/",
        "class A { static { /'/.test(x) } 'x'() { return /'/ } y = 1 / 2\n z = /'/ }",
        "switch (x) { case /'/: default: /'/.test(x) }",
        "x = a ? { b: /'/ } : { c: 1 / 2 }; a: { /'/ }",
        "x = y => ({}) / 2; export_ = { a() { return 1 / 2 }, get b() { return /'/ } }",
        "export default { run() { return /'/ } }",
        "do /'/.test(x); while (x) /'/.test(x)",
    ]);
}
