//! `socket.yml`: a socket as the files of 2016 describe it, its scripts inline or in files beside it.

use serde_json::{Map, Value, json};
use syncano_core::Method;

/// Top-level keys that are not metadata.
const KNOWN: [&str; 5] = ["name", "description", "endpoints", "dependencies", "config"];

/// What a `socket.yml` stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketYml {
    /// The body that creates the socket. Sources that are in files are empty.
    pub body: Value,
    /// Which of its dependencies have their source in which file, a path beside the `socket.yml`.
    pub files: Vec<(usize, String)>,
}

/// The YAML of a text.
///
/// # Errors
/// A line that says why it is none.
pub fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| one_line(&error))
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// Reads a `socket.yml` for a socket called `name`, with these answers to what its configuration asks.
///
/// # Errors
/// What is wrong, and what to write. Rules of definitions are not among it.
pub fn read(yaml: &Value, name: &str, answers: Map<String, Value>) -> Result<SocketYml, String> {
    let top = yaml.as_object().ok_or("it is no mapping of `name`, `endpoints` and `dependencies`")?;
    let empty = Map::new();
    let section = |parent: &Map<String, Value>, key: &str| match parent.get(key) {
        None | Some(Value::Null) => Ok(empty.clone()),
        Some(Value::Object(section)) => Ok(section.clone()),
        Some(_) => Err(format!("`{key}` is no mapping")),
    };
    let mut endpoints = Map::new();
    for (endpoint, value) in section(top, "endpoints")? {
        endpoints.insert(endpoint.clone(), endpoint_body(&endpoint, &value)?);
    }
    let dependencies = section(top, "dependencies")?;
    let (mut list, mut files) = (Vec::new(), Vec::new());
    for (name, script) in section(&dependencies, "scripts")? {
        let text = |key: &str| script.get(key).and_then(Value::as_str);
        if text("source").is_none() {
            let file = text("file").ok_or_else(|| format!("the script `{name}` has no `file`"))?;
            files.push((list.len(), file.to_owned()));
        }
        list.push(json!({
            "type": "script",
            "name": name,
            "runtime_name": script.get("runtime_name"),
            "source": text("source").unwrap_or_default(),
        }));
    }
    for (name, class) in section(&dependencies, "classes")? {
        list.push(json!({ "type": "class", "name": name, "schema": class.get("schema") }));
    }
    let mut config = Map::new();
    for (key, value) in section(top, "config")? {
        // One that has a prompt only was asked of whoever installs.
        match value {
            Value::Object(about) => config.extend(about.get("value").map(|value| (key, value.clone()))),
            plain => config.extend([(key, plain)]),
        }
    }
    config.extend(answers);
    let metadata: Map<String, Value> = top
        .iter()
        .filter(|(key, _)| !KNOWN.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let body = json!({
        "name": name,
        "description": top.get("description"),
        "endpoints": endpoints,
        "dependencies": list,
        "config": config,
        "metadata": metadata,
    });
    Ok(SocketYml { body, files })
}

/// `{script: name}` answers every method, `{GET: {script: name}, …}` each its own.
fn endpoint_body(endpoint: &str, value: &Value) -> Result<Value, String> {
    let fields = value.as_object().ok_or_else(|| format!("the endpoint `{endpoint}` is no mapping"))?;
    let script = |value: &Value| value.get("script").and_then(Value::as_str).map(str::to_owned);
    let call =
        |name: String, methods: Vec<&str>| json!({ "type": "script", "name": name, "methods": methods });
    let mut calls: Vec<(String, Vec<&str>)> = Vec::new();
    let mut metadata = Map::new();
    for (key, value) in fields {
        match key.parse::<Method>() {
            Ok(method) => {
                let name = script(value)
                    .ok_or_else(|| format!("{method} of the endpoint `{endpoint}` names no `script`"))?;
                match calls.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, methods)) => methods.push(method.as_str()),
                    None => calls.push((name, vec![method.as_str()])),
                }
            }
            Err(_) if key == "script" => {}
            Err(_) => {
                metadata.insert(key.clone(), value.clone());
            }
        }
    }
    let mut calls: Vec<Value> = calls.into_iter().map(|(name, methods)| call(name, methods)).collect();
    if let Some(name) = script(value) {
        calls.push(call(name, vec!["*"]));
    }
    if calls.is_empty() {
        return Err(format!(
            "the endpoint `{endpoint}` names no `script`: write `{endpoint}: {{script: NAME}}`, or a script for each method"
        ));
    }
    Ok(json!({ "calls": calls, "metadata": metadata }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yaml_stands_for_a_body() {
        let yaml = "
name: other
description: d
author: {name: a}
endpoints:
  one: {script: first, description: e}
  two:
    GET: {script: first}
    PUT: {script: second}
    POST: {script: first}
dependencies:
  scripts:
    first: {runtime_name: python3, file: scripts/first.py}
    second: {runtime_name: nodejs, source: '1'}
  classes:
    book: {schema: [{name: title, type: string}]}
config:
  a: {value: 1}
  b: {prompt: 'how?'}
  c: {value: 2}
";
        let yaml = parse(yaml).unwrap();
        let answers = json!({"b": 3, "c": 4}).as_object().unwrap().clone();
        let SocketYml { body, files } = read(&yaml, "mine", answers).unwrap();
        assert_eq!(files, [(0, "scripts/first.py".to_owned())]);
        let call = |name, methods: &[&str]| json!({"type": "script", "name": name, "methods": methods});
        assert_eq!(
            body,
            json!({
                "name": "mine", "description": "d", "metadata": {"author": {"name": "a"}},
                "config": {"a": 1, "b": 3, "c": 4},
                "endpoints": {
                    "one": {"calls": [call("first", &["*"])], "metadata": {"description": "e"}},
                    "two": {
                        "calls": [call("first", &["GET", "POST"]), call("second", &["PUT"])],
                        "metadata": {},
                    },
                },
                "dependencies": [
                    {"type": "script", "name": "first", "runtime_name": "python3", "source": ""},
                    {"type": "script", "name": "second", "runtime_name": "nodejs", "source": "1"},
                    {"type": "class", "name": "book", "schema": [{"name": "title", "type": "string"}]},
                ],
            })
        );
        assert!(crate::definition::new(&body).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (yaml, said) in [
            ("[1]", "no mapping"),
            ("endpoints: 1", "`endpoints`"),
            ("endpoints: {e: {x: 1}}", "`e` names no `script`"),
            ("endpoints: {e: {GET: 1}}", "GET of the endpoint `e`"),
            ("dependencies: {scripts: {s: {runtime_name: python}}}", "`s` has no `file`"),
        ] {
            let yaml = parse(yaml).unwrap();
            let problem = read(&yaml, "s", Map::new()).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
    }
}
