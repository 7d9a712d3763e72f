//! What compiles and still isn't what its author means.

use syncano_syntax::javascript::{Version, read};
use syncano_syntax::{Packages, Severity};

use crate::node::{answer, major, skipped};

/// The remarks, an `!` before those that are errors.
fn remarks(source: &str, version: Version, packages: Packages) -> Vec<String> {
    let script = read(source, version, packages).unwrap_or_else(|error| panic!("{source}: {error}"));
    let shown = script.remarks.iter().map(|remark| {
        let mark = if remark.severity == Severity::Error { "!" } else { "" };
        format!("{mark}{}", remark.diagnostic)
    });
    shown.collect()
}

#[track_caller]
fn assert_remarks(cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        assert_eq!(remarks(source, Version::default(), Packages::Standard), *expected, "{source}");
    }
}

#[test]
fn names_that_nothing_defines() {
    assert_remarks(&[
        ("console.log(Bufer.from('x'))", &["!1:13: nothing defines `Bufer`: did you mean `Buffer`?"]),
        ("throw new AppEror('X')", &["!1:11: nothing defines `AppEror`: did you mean `AppError`?"]),
        ("export default ({ title }) => titel", &["!1:31: nothing defines `titel`: did you mean `title`?"]),
        ("consle.log(1); consle.log(2)", &["!1:1: nothing defines `consle`: did you mean `console`?"]),
        ("frobnicate()", &["1:1: nothing defines `frobnicate`: define it, or import it"]),
        ("path.join('a')", &["1:1: nothing defines `path`: write `const path = require('node:path')`"]),
        (
            "function f() { const total = 1 }\nconsole.log(total)",
            &["2:13: nothing defines `total` here: it is local to another function or block"],
        ),
        (
            "Deno.serve(() => new Response('hi'))",
            &["1:1: `Deno` is another platform's, and not there on Node"],
        ),
        ("new WebSocket('ws://x')", &["1:5: `WebSocket` is only there from Node 22 on"]),
        (
            "await (x)\nvar x",
            &[
                "!1:1: `await` is no keyword in a program: put it into an `async` function, or export something",
            ],
        ),
    ]);
    assert_eq!(remarks("new WebSocket('ws://x')", "22".parse().unwrap(), Packages::Standard), [""; 0]);
}

#[test]
fn names_that_something_defines() {
    for source in [
        "console.log(ARGS, CONFIG, META, HttpResponse, AppError, setResponse, require, module, exports, __filename)",
        "total = 1; console.log(total)",
        "for (key in ARGS) console.log(key)",
        "if (typeof window !== 'undefined') window.x = 1",
        "const g = typeof frob === 'undefined' ? 1 : frob",
        "try { frob() } catch { }",
        "globalThis.frob = 1; frob()",
        "Object.assign(globalThis, { frob: 1 }); frob()",
        "eval('var frob = 1'); frob()",
        "with (ARGS) console.log(frob)",
        "console.log(late()); function late() {} var other",
        "label: for (const x of []) continue label",
        "export const a = 1; export { a as default }",
        "const { a, b: [c, ...d], ...e } = ARGS; console.log(a, c, d, e)",
        "class A { static #x = 1; static f() { return A.#x } } console.log(A, arguments, undefined, NaN)",
        "import x, { y as z } from 'node:fs'; console.log(x, z, import.meta.url)",
    ] {
        assert_eq!(remarks(source, Version::default(), Packages::Standard), [""; 0], "{source}");
    }
}

#[test]
fn modules_that_nobody_has() {
    assert_remarks(&[
        ("require('fss')", &["!1:9: there is no module `fss`: did you mean `fs`?"]),
        (
            "import x from 'node:pth'; x()",
            &["!1:15: there is no module `node:pth`: did you mean `node:path`?"],
        ),
        ("import { a } from 'crpyto'; a()", &["!1:19: there is no module `crpyto`: did you mean `crypto`?"]),
        ("import('fs/promise')", &["!1:8: there is no module `fs/promise`: did you mean `fs/promises`?"]),
        (
            "export * from 'node:strem'",
            &["!1:15: there is no module `node:strem`: did you mean `node:stream`?"],
        ),
        ("require('node:frobnicate')", &["1:9: there is no module `node:frobnicate` in Node 20"]),
        ("require('node:sqlite')", &["1:9: the module `node:sqlite` is only there from Node 22 on"]),
        (
            "require('lodash')",
            &[
                "1:9: there is no package `lodash` for a script without an environment: name one with `environment`",
            ],
        ),
        ("require('fs'); require('node:fs'); require('path/posix'); require('node:test')", &[]),
        ("try { require('fss') } catch { }", &[]),
        ("const require = x => x; require('fss')", &[]),
        ("require('./fss'); require(ARGS.x)", &[]),
    ]);
    let others = |source| remarks(source, Version::default(), Packages::Others);
    assert_eq!(others("require('lodash'); require('query-string'); require('crypt')"), [""; 0]);
    assert_eq!(others("require('fss')"), ["1:9: there is no module `fss`: did you mean `fs`?"]);
}

#[test]
fn entry_points_of_other_platforms() {
    let way_out = "the server calls the default export: write `export default`";
    let call = "call it, or export it with `export default`";
    assert_remarks(&[
        (
            "export async function main({ x }) { return { x } }",
            &[&format!("1:23: nothing calls `main`: {way_out}")],
        ),
        ("export const handler = async event => 1", &[&format!("1:14: nothing calls `handler`: {way_out}")]),
        ("function main({ x }) { return { x } }", &[&format!("1:10: nothing calls `main`: {call}")]),
        ("const handler = async () => 1", &[&format!("1:7: nothing calls `handler`: {call}")]),
        (
            "exports.handler = async () => 1\nconsole.log(1)",
            &[&format!("1:9: nothing calls `handler`: {call}")],
        ),
        (
            "export default { async fetch(request) { return 1 } }",
            &[
                "1:24: nothing calls `fetch`: the default export is an object, and the server calls a function",
            ],
        ),
        // These are called.
        ("exports.handler = async event => 1", &[]),
        ("module.exports = async args => 1", &[]),
        ("(args) => 1", &[]),
        ("exports.default = main;\nfunction main(ctx) { console.log(ctx.args.n) }", &[]),
        ("function main() { return 1 }\nconsole.log(main())", &[]),
        ("export function main() { return 1 }\nexport default main", &[]),
        ("export default () => 1; export const handler = () => 2", &[]),
        ("export default { title: 'x' }", &[]),
    ]);
}

#[test]
fn errors_and_results_that_are_written_out() {
    let source = "export default ({ x }) => {\n  if (x) throw new AppError('TooMany', { left: 3 })\n  const f = () => ({ inner: 1 })\n  \
                  if (f) return { ...x, name: 1 }\n  return { name: x, 'size': 1 }\n}";
    let script = read(source, Version::default(), Packages::Standard).expect("valid");
    assert_eq!(script.raised.len(), 1);
    assert_eq!(&source[script.raised[0].span.clone()], "'TooMany'");
    let results: Vec<(Vec<&str>, bool)> = script
        .results
        .iter()
        .map(|result| (result.keys.iter().map(|key| key.text.as_str()).collect(), result.has_others))
        .collect();
    assert_eq!(results, [(vec!["name"], true), (vec!["name", "size"], false)]);
    let arrow =
        read("export default () => ({ a: 1 })", Version::default(), Packages::Standard).expect("valid");
    assert_eq!(arrow.results[0].keys[0].text, "a");
}

/// What Node itself gives to a script is known, and nothing else.
#[test]
fn the_lists_are_those_of_node() {
    let names = answer("Object.getOwnPropertyNames(globalThis).join(' ')");
    let modules = answer("require('module').builtinModules.filter(name => !name.startsWith('_')).join(' ')");
    let (Some(names), Some(modules), Some(major)) = (names, modules, major()) else { return skipped() };
    let version: Version = major.parse().expect("a version");
    let modules: Vec<&str> = modules.split(' ').collect();
    for name in names.split(' ').filter(|name| !modules.contains(name)) {
        assert_eq!(remarks(&format!("console.log({name})"), version, Packages::Standard), [""; 0]);
    }
    for module in modules {
        assert_eq!(remarks(&format!("require('{module}')"), version, Packages::Standard), [""; 0]);
    }
}
