//! A function and its script: what fits is never told, what doesn't is.

use super::{errors, expand, warnings};

/// The first lines of the errors and of the warnings, without those about the names in a script, most of which stand for any.
fn told(script: &str, arguments: &str, items: &str) -> (Vec<String>, Vec<String>) {
    told_of("python3", script, arguments, items)
}

fn told_of(runtime: &str, script: &str, arguments: &str, items: &str) -> (Vec<String>, Vec<String>) {
    let file = expand(
        &format!("runtime = {runtime:?}"),
        &format!(
            "mod m {{ {items} #[endpoint(\"e\", POST, source = {script:?})] async fn f({arguments}) -> u8; }}"
        ),
    );
    let first = |error: &String| error.lines().next().unwrap_or_default().to_owned();
    let mut warnings: Vec<String> = warnings(&file).iter().map(first).collect();
    warnings.retain(|warning| !warning.contains(": nothing defines `"));
    (errors(&file).iter().map(first).collect(), warnings)
}

#[test]
fn what_fits_is_never_told() {
    for (script, arguments) in [
        ("def main(): pass", ""),
        ("def main(a, b=1, /, c=2, *, d=3): pass", "a: u8"),
        ("def main(**kwargs): pass", "a: u8, b: Option<String>"),
        ("def main(*args, a, **kwargs): pass", "a: u8, b: u8"),
        ("def main(type): pass", "r#type: &str"),
        ("def main(a=None): pass", "a: Option<u8>"),
        ("def main(a: int = 5): pass", "a: &Option<u8>"),
        ("def main(a: float): pass", "a: u8"),
        ("def main(a: int): pass", "a: bool"),
        ("def main(a: str | None): pass", "a: &str"),
        (
            "def main(a: list[int], b: dict, c: list, d: list): pass",
            "a: &[u8], b: std::collections::BTreeMap<String, u8>, c: (u8, u8), d: [u8; 3]",
        ),
        ("def main(a: str, b: str, c: str): pass", "a: Cow<'_, str>, b: Box<str>, c: char"),
        // Types and annotations that nobody knows here.
        ("def main(a: Item, b: 'int', c: int): pass", "a: u8, b: String, c: my::String"),
        ("from x import int\ndef main(a: int): pass", "a: String"),
        ("def main(item: dict): pass", "#[body] item: Item"),
        // A `main` that nobody knows here.
        ("@cached\ndef main(x): pass", "a: u8"),
        ("def main(x): pass\nmain = cached(main)", "a: u8"),
        // Programs.
        ("print(ARGS)", "a: u8"),
        ("print(ARGS['POST']['b'], ARGS['GET'])", "a: u8"),
        ("print(ARGS['a'], ARGS.get('other'), ARGS.get('a_'))", "a: u8"),
        ("try:\n    print(ARGS['other'])\nexcept KeyError:\n    print(ARGS['a'])", "a: u8"),
        ("if 'other' in ARGS: print(ARGS['other'])", "a: u8"),
        ("print(ARGS['name'])", "#[body] item: Item"),
        ("def main(x): pass\nmain(ARGS['a'])", "a: u8"),
    ] {
        assert_eq!(told(script, arguments, ""), (Vec::new(), Vec::new()), "{script} with {arguments}");
    }
}

#[test]
fn names_that_the_module_defines_are_its_own() {
    for items in ["struct String;", "use other::String;", "use other::{Text as String};", "type String = u8;"]
    {
        assert_eq!(told("def main(a: int): pass", "a: String", items).0, [""; 0], "{items}");
    }
    for items in ["", "use std::string::String;"] {
        assert_eq!(told("def main(a: int): pass", "a: String", items).0.len(), 1, "{items}");
    }
}

#[test]
fn what_does_not_fit_is_told_once() {
    for (script, arguments, expected) in [
        ("def main(): pass", "a: u8", "has no parameter `a`: add it"),
        ("def main(limit): pass", "limt: u8", "has no parameter `limt`: did you mean `limit`?"),
        ("def main(limit=1): pass", "limt: u8", "has no parameter `limt`: did you mean `limit`?"),
        ("def main(a, b): pass", "a: u8", "needs `b`, which `f` doesn't send"),
        ("def main(a): pass", "a: std::option::Option<u8>", "needs `a`, but `None` is left out"),
        ("def main(*, a): pass", "a: Option<u8>", "needs `a`, but `None` is left out"),
        ("def main(a: int): pass", "a: f32", "takes `a` as `int`, but `f32` arrives as `float`"),
        ("def main(a: None): pass", "a: u8", "takes `a` as `None`, but `u8` arrives as `int`"),
        ("print(ARGS['x'])", "", "reads `x` out of `ARGS`, which `f` doesn't send: add an argument `x`"),
        (
            "print(ARGS['nam'])",
            "name: u8",
            "reads `nam` out of `ARGS`, which `f` doesn't send: did you mean `name`?",
        ),
        ("print(ARGS.get('nam'))", "name: u8", "did you mean `name`?"),
    ] {
        let (errors, unread) = told(script, arguments, "");
        assert_eq!(errors.len(), 1, "{script}: {errors:?}");
        assert!(errors[0].contains(expected), "{script}: {errors:?}");
        assert_eq!(unread, [""; 0], "{script}");
    }
}

fn never(argument: &str) -> String {
    format!("the script of the endpoint `e` never reads `{argument}`: remove it here, or read it there")
}

#[test]
fn arguments_that_are_never_read_are_warned_of() {
    assert_eq!(told("print(ARGS['a'])", "a: u8, b: u8, r#type: u8", "").1, [never("b"), never("type")]);
    assert_eq!(told("print(3)", "a: u8", "").1, [never("a")]);
}

fn told_of_javascript(script: &str, arguments: &str) -> (Vec<String>, Vec<String>) {
    told_of("nodejs", script, arguments, "")
}

#[test]
fn results() {
    let told = |script: &str, result: &str| {
        let module =
            format!("mod m {{ #[endpoint(\"e\", POST, source = {script:?})] async fn f() -> {result}; }}");
        errors(&expand("runtime = \"python3\"", &module))
    };
    for (script, result) in [
        ("def main() -> str: pass", "String"),
        ("def main() -> int: pass", "f64"),
        ("def main() -> int: pass", "Option<u8>"),
        ("def main() -> float: pass", "u8"),
        ("def main() -> None: pass", "Option<u8>"),
        ("def main() -> int | None: pass", "u8"),
        ("def main() -> str | int: pass", "u8"),
        ("def main() -> dict: pass", "Item"),
        ("def main() -> list[int]: pass", "Vec<u8>"),
        ("def main() -> HttpResponse: pass", "u8"),
        ("def main() -> str: pass", "my::Answer<u8>"),
        ("def main() -> 'str': pass", "u8"),
        ("def main() -> set: pass", "u8"),
        ("def main() -> tuple[int, str]: pass", "u8"),
        ("from x import *\ndef main() -> str: pass", "u8"),
        ("str = int\ndef main() -> str: pass", "u8"),
        ("@cached\ndef main() -> str: pass", "u8"),
        ("def main() -> str: pass\nmain()", "u8"),
        // Something else is the answer then.
        ("def main() -> str:\n    set_response(HttpResponse(200, '1'))\n    return ''", "u8"),
        ("def main() -> str:\n    return HttpResponse(200, '1')", "u8"),
        ("def main() -> str: pass", "Trace"),
        ("def main() -> str: pass", "()"),
    ] {
        assert_eq!(told(script, result), [""; 0], "{script} with {result}");
    }
    for (script, result, expected) in [
        ("def main() -> str: pass", "u32", "returns `str`, but `u32` is read from `int`: change one of them"),
        ("def main() -> None: pass", "u8", "returns `None`, but `u8` is read from `int`: change one of them"),
        ("async def main() -> list[str]: pass", "String", "returns `list`, but `String` is read from `str`"),
        (
            "def main() -> dict | list: pass",
            "Option<bool>",
            "returns `dict | list`, but `Option<bool>` is read from `bool`",
        ),
    ] {
        let errors = told(script, result);
        assert_eq!(errors.len(), 1, "{script}: {errors:?}");
        assert!(errors[0].contains(expected), "{script}: {errors:?}");
    }
}

#[test]
fn in_javascript_what_fits_is_never_told() {
    for (script, arguments) in [
        ("export default () => 1", ""),
        ("export default ({ a, b = 1 }, { config }) => a", "a: u8"),
        ("export default ({ a, b = 1 }) => a", "a: u8, b: Option<u8>"),
        ("export default ({ a, ...others }) => others", "a: u8, b: u8, c: u8"),
        ("export default ({ type }) => type", "r#type: &str"),
        ("export default ({ a: { b } = {} }) => b", "a: Option<Item>"),
        ("export default ({ a: { b } }) => b", "a: Item"),
        ("export default ({ item: { name } }) => name", "#[body] item: Item"),
        ("export default ({ item, page }) => [item, page]", "#[body] item: Item, #[query] page: u8"),
        ("export default ({ item }) => ARGS.name + item", "#[body] item: Item"),
        ("export default args => use(args)", "a: u8"),
        ("export default ({ a, other }) => other ? a : 2", "a: u8"),
        ("console.log(ARGS)", "a: u8"),
        ("console.log(ARGS.POST.b, ARGS.GET)", "a: u8"),
        ("console.log(ARGS.a, ARGS.other ?? 1)", "a: u8"),
        ("if (ARGS.other) console.log(ARGS.other, ARGS.a)", "a: u8"),
        ("console.log(ARGS.name)", "#[body] item: Item"),
        ("const { a } = ARGS\nsetResponse(new HttpResponse(200, a))", "a: u8"),
        ("module.exports = async ({ args }) => args.a", "a: u8"),
    ] {
        assert_eq!(
            told_of_javascript(script, arguments),
            (Vec::new(), Vec::new()),
            "{script} with {arguments}"
        );
    }
}

#[test]
fn in_javascript_what_does_not_fit_is_told_once() {
    for (script, arguments, expected) in [
        (
            "export default ({ b: { c } }) => f(c)",
            "",
            "reads `b`, which `f` doesn't send: add an argument `b`, or give it a default in the script",
        ),
        (
            "export default ({ limit }) => f(limit)",
            "limt: u8",
            "reads `limit`, which `f` doesn't send: did you mean `limt`?",
        ),
        ("export default ({ limit = 1 }) => f(limit)", "limt: u8", "did you mean `limt`?"),
        ("export default ({ a: { b } }) => b", "a: Option<Item>", "takes `a` apart, but `None` is left out"),
        ("console.log(ARGS['nam'])", "name: u8", "did you mean `name`?"),
        ("const { nam } = ARGS\nconsole.log(nam)", "name: u8", "did you mean `name`?"),
        ("if (ARGS.nam) console.log(1)", "name: u8", "did you mean `name`?"),
        ("({ args }) => f(args.nam)", "name: u8", "did you mean `name`?"),
        ("export default ({ a ) => a", "a: u8", "has a syntax error: `{` was never closed"),
    ] {
        let (errors, unread) = told_of_javascript(script, arguments);
        assert_eq!(errors.len(), 1, "{script}: {errors:?}");
        assert!(errors[0].contains(expected), "{script}: {errors:?}");
        assert_eq!(unread, [""; 0], "{script}");
    }
}

#[test]
fn in_javascript_arguments_that_are_never_read_are_warned_of() {
    let warnings = |script, arguments| told_of_javascript(script, arguments).1;
    assert_eq!(
        warnings("export default ({ a }) => a", "a: u8, b: u8, r#type: u8"),
        [never("b"), never("type")]
    );
    assert_eq!(warnings("export default () => 1", "#[body] item: Item"), [never("item")]);
    assert_eq!(warnings("console.log(ARGS.a)", "a: u8, b: u8"), [never("b")]);
    assert_eq!(warnings("console.log(3)", "a: u8"), [never("a")]);
}

#[test]
fn in_javascript_keys_that_are_not_sent_are_warned_of() {
    let add =
        "which `f` doesn't send: it is `undefined`; add an argument `b`, or give it a default in the script";
    for (script, arguments, reads) in [
        ("export default ({ b }) => f(b)", "", "the default function of endpoint `e` reads `b`"),
        ("export default args => f(args.b, args.b)", "", "the default function of endpoint `e` reads `b`"),
        (
            "export default ({ a, b }) => f(a, { b })",
            "a: u8",
            "the default function of endpoint `e` reads `b`",
        ),
        ("console.log(ARGS.b)", "", "the script of endpoint `e` reads `b` out of `ARGS`"),
        // What it looks like is read, so both may be meant.
        ("console.log(ARGS.b, ARGS.bb)", "bb: u8", "the script of endpoint `e` reads `b` out of `ARGS`"),
    ] {
        let (errors, warnings) = told_of_javascript(script, arguments);
        assert_eq!((errors, warnings), (Vec::new(), vec![format!("{reads}, {add}")]), "{script}");
    }
}
