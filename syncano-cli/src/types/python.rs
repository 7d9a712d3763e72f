//! Types in Python, for pyright and mypy.

use std::fmt::Write as _;

use super::Text;
use super::model::{Declaration, Field, Function, Model, Raised, Type};

const MADE: &str = "# Made by `syncano types`: run it again instead of changing this.\n";

/// What the server gives to scripts.
const GLOBALS: &str = r#"# Made by `syncano types`: run it again instead of changing this.
from typing import Any, Literal, Never, NotRequired, TypeAlias, TypedDict, overload

# Of which keys, a script says itself: `args: "NAMEArgs" = ARGS`.
ARGS: Any
CONFIG: dict[str, Any]
META: dict[str, Any]

class HttpResponse:
    """An HTTP answer of the script's own: hand it to `set_response`, or return it from `main`."""

    status_code: int
    content: Any
    content_type: str
    headers: dict[str, str] | None
    def __init__(
        self,
        status_code: int = 200,
        content: Any = "",
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None: ...

class AppError(Exception):
    """An error that the script's callers know by its name; `data` is anything that JSON can say."""

    name: str
    data: Any
"#;

const SET_RESPONSE: &str = "\ndef set_response(response: HttpResponse) -> None: ...\n";

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What the server gives to scripts, and the types of functions: names that need no import.
pub(super) fn types(model: &Model) -> String {
    let mut text = GLOBALS.to_owned();
    text.push_str(&errors(model));
    text.push_str(SET_RESPONSE);
    for (name, declared) in &model.declarations {
        text.push('\n');
        text.push_str(&match declared {
            Declaration::Alias(of) => format!("{name}: TypeAlias = {}\n", quoted(&show(of))),
            Declaration::Object(fields) => object(name, fields),
        });
    }
    for Function { name, about, arguments, result, .. } in &model.functions {
        let _ = write!(text, "\n# {about}.\n{}", object(&format!("{name}Args"), arguments));
        let _ = writeln!(text, "{name}Result: TypeAlias = {}", quoted(&show(result)));
    }
    text
}

/// The constructors of `AppError`: one for each error that functions declare.
fn errors(model: &Model) -> String {
    let mut constructors: Vec<String> = Vec::new();
    for (name, Raised { data, needs_data }) in &model.errors {
        let default = if *needs_data { "" } else { " = None" };
        constructors.push(format!("name: Literal[{}], data: {}{default}", quoted(name), show(data)));
    }
    if model.has_open_errors || constructors.is_empty() {
        constructors.push("name: str, data: Any = None".to_owned());
    }
    let overload = if constructors.len() > 1 { "    @overload\n" } else { "" };
    let shown =
        |constructor: String| format!("{overload}    def __init__(self, {constructor}) -> None: ...\n");
    constructors.into_iter().map(shown).collect()
}

fn object(name: &str, fields: &[Field]) -> String {
    let shown = |field: &Field| match field.required {
        true => show(&field.of),
        false => format!("NotRequired[{}]", show(&field.of)),
    };
    if fields.iter().all(|field| is_name(&field.key)) {
        let mut text = format!("class {name}(TypedDict):\n");
        for field in fields {
            let _ = writeln!(text, "    {}: {}", field.key, shown(field));
        }
        if fields.is_empty() {
            text.push_str("    pass\n");
        }
        return text;
    }
    let mut text = format!("{name} = TypedDict({}, {{\n", quoted(name));
    for field in fields {
        let _ = writeln!(text, "    {}: {},", quoted(&field.key), quoted(&shown(field)));
    }
    text + "})\n"
}

/// Holds the parameters of each script's `main` against the arguments of the functions that it answers.
pub(super) fn check(model: &Model, scripts: &[Text]) -> String {
    let mut text = MADE.to_owned();
    text.push_str("from typing import Any, Protocol\n\nfrom .__builtins__ import *\n");
    for Function { name, arguments, source, .. } in &model.functions {
        let module =
            scripts.iter().find_map(|(file, script)| file.strip_suffix(".py").filter(|_| script == source));
        let Some(module) = module else { continue };
        let has_main =
            source.lines().any(|line| line.starts_with("def main(") || line.starts_with("async def main("));
        if !has_main || !is_name(module) {
            continue;
        }
        let _ = write!(text, "\nfrom .{module} import main as {name}_main\n\n");
        let _ = write!(text, "class {name}Main(Protocol):\n    def __call__(self");
        // Whoever has a key that is no name takes `**kwargs`.
        let (named, odd): (Vec<_>, Vec<_>) = arguments.iter().partition(|field| is_name(&field.key));
        if !named.is_empty() {
            text.push_str(", *");
        }
        for Field { key, of, required } in named {
            let default = if *required { "" } else { " = ..." };
            let _ = write!(text, ", {key}: {}{default}", show(of));
        }
        if !odd.is_empty() {
            text.push_str(", **others: Any");
        }
        let _ = writeln!(text, ") -> Any: ...\n\n{name}_check: {name}Main = {name}_main");
    }
    text
}

fn show(of: &Type) -> String {
    match of {
        Type::Any => "Any".to_owned(),
        Type::Nothing => "Never".to_owned(),
        Type::Null => "None".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Whole => "int".to_owned(),
        Type::Number => "float".to_owned(),
        Type::Text => "str".to_owned(),
        Type::Literal(serde_json::Value::Bool(true)) => "Literal[True]".to_owned(),
        Type::Literal(serde_json::Value::Bool(false)) => "Literal[False]".to_owned(),
        Type::Literal(serde_json::Value::String(text)) => format!("Literal[{}]", quoted(text)),
        Type::Literal(value) => format!("Literal[{value}]"),
        Type::List(item) => format!("list[{}]", show(item)),
        Type::Map(value) => format!("dict[str, {}]", show(value)),
        Type::Named(name) => name.clone(),
        Type::Either(types) => types.iter().map(show).collect::<Vec<_>>().join(" | "),
    }
}

/// JSON's texts are Python's, but for characters beyond 16 bits, which JSON writes as they are.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_name(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !KEYWORDS.contains(&key)
}
