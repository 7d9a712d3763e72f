//! Types in TypeScript, for tsc and editors.

use std::fmt::Write as _;

use serde_json::Value;

use super::model::{Declaration, Field, Function, Model, Raised, Type};

/// What the server gives to scripts.
const GLOBALS: &str = r#"// Made by `syncano types`: run it again instead of changing this.

/** Of which keys, a script says itself: `/** @type {Syncano.NAMEArgs} *\/ const args = ARGS`. */
declare const ARGS: any;
declare const CONFIG: Record<string, any>;
declare const META: Record<string, any>;

/** An HTTP answer of the script's own: hand it to `setResponse`, or return it. */
declare class HttpResponse {
  constructor(status_code?: number, content?: any, content_type?: string, headers?: Record<string, string>);
  status_code: number;
  content: any;
  content_type: string;
  headers: Record<string, string>;
}

/** An error that the script's callers know by its name; `data` is anything that JSON can say. */
declare class AppError extends Error {
  constructor(...error: Syncano.AppErrors);
  data: unknown;
}

/** Makes `response` the answer of this call. The last one counts. */
declare function setResponse(response: HttpResponse): void;

/** Arguments and results of the functions whose scripts these are. */
declare namespace Syncano {
  /** What a default function gets beside its arguments. */
  interface Context {
    config: Record<string, any>;
    meta: Record<string, any>;
    HttpResponse: typeof HttpResponse;
  }
"#;

/// What the server gives to scripts, and the types of functions in a namespace.
pub(super) fn types(model: &Model) -> String {
    let mut text = GLOBALS.to_owned();
    text.push_str(&errors(model));
    for (name, declared) in &model.declarations {
        text.push('\n');
        text.push_str(&match declared {
            Declaration::Alias(of) => format!("  type {name} = {};\n", show(of)),
            Declaration::Object(fields) => object(name, fields),
        });
    }
    for Function { name, about, arguments, result, .. } in &model.functions {
        let _ = write!(text, "\n  // {about}.\n{}", object(&format!("{name}Args"), arguments));
        let _ = writeln!(text, "  type {name}Result = {};", show(result));
        let _ = writeln!(
            text,
            "  type {name}Main = (args: {name}Args, context: Context) => {name}Result | HttpResponse | Promise<{name}Result | HttpResponse>;"
        );
    }
    text + "}\n"
}

/// The arguments of `AppError`: a list for each error that functions declare.
fn errors(model: &Model) -> String {
    let mut lists: Vec<String> = Vec::new();
    for (name, Raised { data, needs_data }) in &model.errors {
        let mark = if *needs_data { "" } else { "?" };
        lists.push(format!("[name: {}, data{mark}: {}]", Value::from(name.as_str()), show(data)));
    }
    if model.has_open_errors || lists.is_empty() {
        lists.push("[name: string, data?: unknown]".to_owned());
    }
    format!(
        "\n  /** The errors that functions declare, with their data. */\n  type AppErrors = {};\n",
        lists.join(" | ")
    )
}

fn object(name: &str, fields: &[Field]) -> String {
    let mut text = format!("  interface {name} {{\n");
    for Field { key, of, required } in fields {
        let mark = if *required { "" } else { "?" };
        let _ = writeln!(text, "    {}{mark}: {};", Value::from(key.as_str()), show(of));
    }
    text + "  }\n"
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
