//! Types in TypeScript, for tsc and editors.

use std::fmt::Write as _;

use super::model::{Declaration, Field, Function, Model, Type};

const MADE: &str = "// Made by `syncano types`: run it again instead of changing this.\n";

/// What the server gives to scripts.
pub(super) const GLOBALS: &str = r#"// Made by `syncano types`: run it again instead of changing this.
export {};

declare global {
  const ARGS: Record<string, any>;
  const CONFIG: Record<string, any>;
  const META: Record<string, any>;

  /** An HTTP answer of the script's own: hand it to `setResponse`, or return it from the default function. */
  class HttpResponse {
    constructor(status_code?: number, content?: any, content_type?: string, headers?: Record<string, string>);
    status_code: number;
    content: any;
    content_type: string;
    headers: Record<string, string>;
  }

  /** An error that the script's callers know by its name; `data` is anything that JSON can say. */
  class AppError extends Error {
    constructor(name: string, data?: unknown);
    data: unknown;
  }

  function setResponse(response: HttpResponse): void;
}
"#;

/// The types of a socket, and of its functions.
pub(super) fn types(model: &Model) -> String {
    let mut text = MADE.to_owned();
    text.push_str("import './syncano';\n\n");
    text.push_str("export interface Context {\n  args: Record<string, any>;\n  config: Record<string, any>;\n  meta: Record<string, any>;\n}\n");
    for (name, declared) in &model.declarations {
        text.push('\n');
        text.push_str(&match declared {
            Declaration::Alias(of) => format!("export type {name} = {};\n", show(of)),
            Declaration::Object(fields) => object(name, fields),
        });
    }
    for Function { name, about, arguments, result, .. } in &model.functions {
        text.push('\n');
        text.push_str(&object(&format!("{name}Args"), arguments));
        let result = show(result);
        let _ = writeln!(text, "\n/** {}. */", about.replace("*/", "* /"));
        let _ = writeln!(
            text,
            "export type {name}Main = (args: {name}Args, context: Context) => ({result}) | HttpResponse | Promise<({result}) | HttpResponse>;"
        );
    }
    text
}

fn object(name: &str, fields: &[Field]) -> String {
    let mut text = format!("export interface {name} {{\n");
    for Field { key, of, required } in fields {
        let mark = if *required { "" } else { "?" };
        let _ = writeln!(text, "  {}{mark}: {};", serde_json::Value::from(key.as_str()), show(of));
    }
    text + "}\n"
}

/// Holds the script's default function against the types of the functions that it answers.
pub(super) fn check(module: &str, script: &str, functions: &[&Function]) -> String {
    let mut text = MADE.to_owned();
    let names: Vec<String> = functions.iter().map(|function| format!("{}Main", function.name)).collect();
    let _ = writeln!(
        text,
        "import main from './{script}.js';\nimport type {{ {} }} from './{module}';\n",
        names.join(", ")
    );
    for (index, name) in names.iter().enumerate() {
        let _ = writeln!(text, "export const checked{}: {name} = main;", index + 1);
    }
    text
}

fn show(of: &Type) -> String {
    match of {
        Type::Any => "any".to_owned(),
        Type::Nothing => "never".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Whole | Type::Number => "number".to_owned(),
        Type::Text => "string".to_owned(),
        Type::Literal(value) => value.to_string(),
        Type::List(item) => format!("Array<{}>", show(item)),
        Type::Map(value) => format!("Record<string, {}>", show(value)),
        Type::Named(name) => name.clone(),
        Type::Either(types) => types.iter().map(show).collect::<Vec<_>>().join(" | "),
    }
}
