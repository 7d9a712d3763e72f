//! What the macro says of a script alone, and of what it raises and returns.

use super::{errors, expand, warnings};

/// The first lines of the errors and of the warnings.
fn told(socket: &str, items: &str, options: &str, script: &str, result: &str) -> (Vec<String>, Vec<String>) {
    let endpoint = format!("#[endpoint(\"e\", POST, source = {script:?} {options})] async fn f() {result};");
    let file = expand(socket, &format!("mod m {{ {items} {endpoint} }}"));
    let first = |text: &String| text.lines().next().unwrap_or_default().to_owned();
    (errors(&file).iter().map(first).collect(), warnings(&file).iter().map(first).collect())
}

const PYTHON: &str = "runtime = \"python3\"";
const NODE: &str = "runtime = \"nodejs\"";

#[track_caller]
fn assert_error(told: (Vec<String>, Vec<String>), expected: &str) {
    assert_eq!(told, (vec![expected.to_owned()], Vec::new()));
}

#[track_caller]
fn assert_nothing(told: (Vec<String>, Vec<String>)) {
    assert_eq!(told, (Vec::new(), Vec::new()));
}

#[test]
fn slips_in_names_and_imports_are_errors() {
    for (socket, script, expected) in [
        (
            PYTHON,
            "import json\ndef main(): return jsn.loads('1')",
            "nothing defines `jsn`: did you mean `json`?",
        ),
        (PYTHON, "def main(): raise AppEror('X')", "nothing defines `AppEror`: did you mean `AppError`?"),
        (PYTHON, "from colections import x", "there is no module `colections`: did you mean `collections`?"),
        (NODE, "export default () => Bufer.from('x')", "nothing defines `Bufer`: did you mean `Buffer`?"),
        (NODE, "const fs = require('fss')", "there is no module `fss`: did you mean `fs`?"),
        (NODE, "import x from 'node:pth'", "there is no module `node:pth`: did you mean `node:path`?"),
    ] {
        assert_error(told(socket, "", "", script, ""), &format!("in the script of endpoint `e`: {expected}"));
    }
}

#[test]
fn the_place_is_shown() {
    let module = "mod m { #[endpoint(\"e\", POST, source = r#\"\n    def main():\n        return prnt(1)\n    \"#)] async fn f(); }";
    let errors = errors(&expand(PYTHON, module));
    assert!(
        errors[0].contains("return prnt(1)\n  |            ^^^^ nothing defines `prnt`"),
        "{}",
        errors[0]
    );
}

#[test]
fn what_may_be_right_is_a_warning() {
    for (socket, script, expected) in [
        (PYTHON, "def main(): return json.loads('1')", "nothing defines `json`: write `import json`"),
        (
            PYTHON,
            "def handler(event, context): return 1",
            "nothing calls `handler`: the server calls a function named `main`",
        ),
        (
            NODE,
            "export async function main() { return 1 }",
            "nothing calls `main`: the server calls the default export: write `export default`",
        ),
        (NODE, "new WebSocket('x')", "`WebSocket` is only there from Node 22 on"),
    ] {
        let expected = format!("in the script of endpoint `e`: {expected}");
        assert_eq!(told(socket, "", "", script, ""), (Vec::new(), vec![expected]), "{script}");
    }
    // Only the server knows the packages of an environment.
    let (errors, warnings) = told(PYTHON, "", ", environment = \"science\"", "import jsn", "");
    assert_eq!((errors.len(), warnings.len()), (0, 1));
    assert_nothing(told(NODE, "", ", environment = \"science\"", "require('lodash')", ""));
}

#[test]
fn the_version_of_node() {
    let script = "export default () => /a/v.test('a')";
    assert_nothing(told(NODE, "", "", script, "-> bool"));
    let old = told("runtime = \"nodejs\", node = \"18\"", "", "", script, "-> bool").0;
    assert!(old[0].contains("the flag `v` need Node 20, and the script is for Node 18"), "{old:?}");
    assert_nothing(told("runtime = \"nodejs\", node = \"22\"", "", "", "new WebSocket('x')", ""));
    let unknown = told("runtime = \"nodejs\", node = \"16\"", "", "", "1", "").0;
    assert_eq!(unknown, ["unknown Node version `16`: write `18`, `20`, `22` or `24`"]);
}

#[test]
fn errors_that_the_enum_does_not_have() {
    let items = "pub enum Failed { TooMany { left: u8 }, #[serde(rename = \"none\")] None_, Other(String) }";
    let raised = |items: &str, socket, script: &str| told(socket, items, ", error = Failed", script, "");
    assert_error(
        raised(items, PYTHON, "def main(): raise AppError('TooMny')"),
        "the script of endpoint `e` raises `TooMny`, which `Failed` doesn't have: did you mean `TooMany`?",
    );
    assert_error(
        raised(items, NODE, "export default () => { throw new AppError('Vanished') }"),
        "the script of endpoint `e` raises `Vanished`, which `Failed` doesn't have: add it to `Failed`",
    );
    assert_nothing(raised(
        items,
        PYTHON,
        "def main():\n    raise AppError('TooMany') or AppError('none') or AppError('Other')",
    ));
    // What can't be told.
    assert_nothing(raised(items, PYTHON, "def main(): raise AppError(str(1))"));
    assert_nothing(raised("use other::Failed;", PYTHON, "def main(): raise AppError('TooMny')"));
    for attribute in
        ["#[serde(rename_all = \"snake_case\")]", "#[renamed]", "#[cfg_attr(a, serde(untagged))]"]
    {
        assert_nothing(raised(
            &format!("{attribute} {items}"),
            PYTHON,
            "def main(): raise AppError('TooMny')",
        ));
    }
}

#[test]
fn fields_that_a_result_needs() {
    let items = "#[derive(Deserialize)] pub struct Item { name: String, r#type: u8, note: Option<String>, #[serde(rename = \"Size\")] size: u8 }";
    let returned = |socket, script: &str| told(socket, items, "", script, "-> Item");
    assert_error(
        returned(PYTHON, "def main(): return {'nam': 'x', 'type': 1, 'Size': 2}"),
        "the script of endpoint `e` returns no `name`, which `Item` needs: did you mean `name` by `nam`?",
    );
    assert_error(
        returned(NODE, "export default () => ({ name: 'x', type: 1 })"),
        "the script of endpoint `e` returns no `Size`, which `Item` needs: add it",
    );
    assert_nothing(returned(PYTHON, "def main(): return {'name': 'x', 'type': 1, 'Size': 2}"));
    assert_nothing(returned(PYTHON, "def main(): return {'name': 'x', **more()}\ndef more(): return {}"));
    assert_nothing(returned(PYTHON, "def main():\n    def f(): return {}\n    return f()"));
    let unknown = "pub struct Item { #[serde(default)] name: String }";
    assert_nothing(told(PYTHON, unknown, "", "def main(): return {}", "-> Item"));
}
