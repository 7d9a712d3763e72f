//! What a script takes from its callers.

use syncano_syntax::javascript::{Origin, Takes, Version, takes};

/// Keys as `name` of the default function's parameter and `[name]` of `ARGS`; `?` after those that the script can do without, `!`
/// after those that it takes apart, `...` for others, and `?` alone for what can't be told.
#[track_caller]
fn described(source: &str) -> String {
    match takes(source, Version::default()) {
        Ok(Takes::Keys(keys)) => {
            let words = keys.read.iter().map(|key| {
                assert!(source[key.span.clone()].contains(&key.name));
                let sign = if key.taken_apart {
                    "!"
                } else if key.optional {
                    "?"
                } else {
                    ""
                };
                match key.origin {
                    Origin::Parameter => format!("{}{sign}", key.name),
                    Origin::Args => format!("[{}]{sign}", key.name),
                }
            });
            let words: Vec<String> = words.chain(keys.takes_any.then(|| "...".to_owned())).collect();
            format!("{}{}", if keys.is_function { "=> " } else { "" }, words.join(" ")).trim().to_owned()
        }
        Ok(Takes::Unknown) => "?".to_owned(),
        Err(error) => panic!("{source}: {error}"),
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
        ("export default () => 1", "=>"),
        ("export default function () {}", "=>"),
        (
            "export default async function main({ a, b = 1, 'c-d': c, e: f }, { config, meta }) {}",
            "=> a b? c-d e",
        ),
        ("export default ({ a, ...others }) => a", "=> a ..."),
        ("export default ({ a: { b }, c: [d], e: { f } = {} } = {}) => b", "=> a! c! e?"),
        ("export default args => args.a + args['b']", "=> a b"),
        ("export default args => { const { a, b = 1 } = args; return a }", "=> a b?"),
        ("export default args => { const other = args; return other.a }", "=> a"),
        ("export default (args = {}) => args.a", "=> a"),
        ("export default ({ [key()]: a }) => a", "=> ..."),
        ("export default function (_, { config }) { return ARGS.a }", "=> [a]"),
        ("const main = ({ a }) => a\nexport default main", "=> a"),
        ("const main = ({ a }) => a\nexport { main as default }", "=> a"),
        ("function main({ a }) {}\nexport { main as default }", "=> a"),
        // Whoever else calls it may give it more.
        ("export default function main({ a, b }) { return a ? main({ b: 1 }) : b }", "=> a? b?"),
    ]);
}

#[test]
fn what_is_asked_for_is_optional() {
    assert_takes(&[
        ("console.log(ARGS.a ?? 1, ARGS.b || 2, !ARGS.c, ARGS.d && ARGS.e)", "[a]? [b]? [c]? [d]? [e]"),
        ("if (ARGS.a) f(); while (ARGS.b) f(); x = ARGS.c ? 1 : 2", "[a]? [b]? [c]?"),
        (
            "x = ARGS.a === undefined; y = typeof ARGS.b; z = ARGS.c?.d; w = 'e' in ARGS",
            "[a]? [b]? [c]? [e]?",
        ),
        ("const a = ARGS.a; if (a) f(a)", "[a]?"),
        ("const { a, b } = ARGS; if (a) f(b)", "[a]? [b]"),
        ("export default ({ a }) => a ?? 1", "=> a?"),
        ("let { a } = ARGS; a = a + 1", "[a]?"),
    ]);
}

#[test]
fn programs() {
    assert_takes(&[
        ("console.log(3)", ""),
        ("console.log(ARGS.a, ARGS['b'], ARGS[`c`], ARGS?.d)", "[a] [b] [c] [d]"),
        ("const { a, 'b': c = 1, ...others } = ARGS", "[a] [b]? ..."),
        ("const args = ARGS\nconsole.log(args.a)", "[a]"),
        ("import 'node:fs'\nconsole.log(ARGS.a)", "[a]"),
        ("export default 5\nconsole.log(ARGS.a)", "[a]"),
        // The last statement is a function.
        ("({ args }) => args.a", "[a]"),
        ("({ args: { a, b = 1 } }) => a", "[a] [b]?"),
        ("module.exports = async function (ctx) { return ctx.args.a + ctx.meta.x }", "[a]"),
        ("module.exports = ctx => { const { args, setResponse } = ctx; return args.a }", "[a]"),
        ("const main = ({ args }) => args.a\nmodule.exports = main", "[a]"),
        ("() => ARGS.a", "[a]"),
        ("run().then(x => console.log(x, ARGS.a))", "[a]"),
    ]);
}

#[test]
fn what_cannot_be_told() {
    for source in [
        "console.log(ARGS)",
        "f(ARGS.a, Object.keys(ARGS))",
        "ARGS[key]",
        "ARGS.a = 1",
        "ARGS.a++",
        "delete ARGS.a",
        "[ARGS.a] = [1]",
        "({ x: ARGS.a } = {})",
        "for (ARGS.a in x) {}",
        "ARGS.hasOwnProperty('a')",
        "x = { ...ARGS }",
        "var ARGS = ARGS || {}",
        "eval('ARGS.a')",
        "globalThis['AR' + 'GS'].a",
        "this.ARGS.a",
        "with (x) ARGS.a",
        "export default args => f(args)",
        "export default (...args) => args[0]",
        "export default function () { return arguments[0] }",
        "export default ([a]) => a",
        "export default wrap(({ a }) => a)",
        "export default class {}",
        "export { default } from 'node:fs'",
        "let main = ({ a }) => a\nmain = wrap(main)\nexport default main",
        "module.exports = wrap(({ args }) => args.a)",
        "module.exports = (...all) => all[0].args.a",
    ] {
        assert_eq!(described(source), "?", "{source}");
    }
}
