//! What a definition says of one of its scripts: the errors that it may raise, and the fields of its result.

use std::collections::BTreeSet;

use serde_json::Value;
use syncano_syntax::Packages;

/// What the endpoints that a script answers have declared.
pub(crate) struct Contract {
    pub(crate) packages: Packages,
    /// The names of its errors, if all endpoints declare theirs in a form that is known.
    pub(crate) errors: Option<BTreeSet<String>>,
    /// The fields that each result needs.
    pub(crate) required: BTreeSet<String>,
}

impl Contract {
    /// Of a script that no definition names.
    pub(crate) fn unknown() -> Contract {
        Contract { packages: Packages::Others, errors: None, required: BTreeSet::new() }
    }

    /// Of a dependency in the body of a socket.
    pub(crate) fn of(body: &Value, dependency: &Value) -> Contract {
        let has_environment = dependency.pointer("/config/environment").is_some();
        let packages = if has_environment { Packages::Others } else { Packages::Standard };
        let schemas = schemas(body, dependency.get("name"));
        let errors = schemas.iter().map(|schemas| names(schemas.get("errors")?));
        let errors: Option<Vec<BTreeSet<String>>> = errors.collect();
        let required = schemas.iter().map(|schemas| schemas.get("outputs").map(required).unwrap_or_default());
        let required = required.reduce(|one, other| one.intersection(&other).cloned().collect());
        Contract {
            packages,
            errors: errors.filter(|all| !all.is_empty()).map(|all| all.into_iter().flatten().collect()),
            required: required.unwrap_or_default(),
        }
    }
}

/// The schemas of each method that a script answers.
fn schemas<'a>(body: &'a Value, script: Option<&Value>) -> Vec<&'a Value> {
    let endpoints = body.get("endpoints").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let mut found = Vec::new();
    for endpoint in endpoints {
        let calls = endpoint.get("calls").and_then(Value::as_array).into_iter().flatten();
        for call in calls.filter(|call| call.get("name") == script) {
            for method in call.get("methods").and_then(Value::as_array).into_iter().flatten() {
                let of = |method| endpoint.get("metadata")?.get(method);
                found.push(method.as_str().and_then(of).or_else(|| of("*")).unwrap_or(&Value::Null));
            }
        }
    }
    found
}

/// The names in the schema of errors, each a text or the only key of an object; `None` if there is anything else.
fn names(schema: &Value) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    collect(schema, schema, 0, &mut found)?;
    Some(found)
}

fn collect(root: &Value, schema: &Value, depth: usize, found: &mut BTreeSet<String>) -> Option<()> {
    let schema = resolved(root, schema, depth)?;
    if let Some(either) = schema.get("oneOf").or(schema.get("anyOf")) {
        return either.as_array()?.iter().try_for_each(|one| collect(root, one, depth + 1, found));
    }
    if let Some(name) = schema.get("const") {
        found.insert(name.as_str()?.to_owned());
        return Some(());
    }
    if let Some(names) = schema.get("enum") {
        return names.as_array()?.iter().try_for_each(|name| {
            found.insert(name.as_str()?.to_owned());
            Some(())
        });
    }
    match schema.get("required")?.as_array()?.as_slice() {
        [Value::String(name)] => {
            found.insert(name.clone());
            Some(())
        }
        _ => None,
    }
}

/// The fields without which an object isn't one of a schema's; none if other values may be as well.
fn required(schema: &Value) -> BTreeSet<String> {
    let fields = || -> Option<BTreeSet<String>> {
        let object = resolved(schema, schema, 0)?;
        let is_object = object.get("type")?.as_str()? == "object" && object.get("properties").is_some();
        let required = object.get("required").filter(|_| is_object)?.as_array()?;
        required.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    fields().unwrap_or_default()
}

/// Follows `$ref` into the definitions of the same schema.
fn resolved<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> Option<&'a Value> {
    const MOST: usize = 16;
    let mut schema = schema;
    for _ in depth..MOST {
        match schema.get("$ref") {
            Some(path) => schema = root.pointer(path.as_str()?.strip_prefix('#')?)?,
            None => return Some(schema),
        }
    }
    None
}
