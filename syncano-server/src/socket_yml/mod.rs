//! `socket.yml`: a socket as Syncano's command-line tools described it from 2016 to 2018, its scripts inline or in files
//! beside it.
//!
//! Scripts stand under `dependencies`, and endpoints name them (2016); or each endpoint has its own: by `file`, inline,
//! or in the file that has the endpoint's name (2017 and later).

mod scripts;

use serde_json::{Map, Number, Value, json};
use serde_saphyr::{DuplicateKeyPolicy, options};
use syncano_core::{CompiledSchema, Method, Runtime, SCHEMA_KEYS, closest, limits};

use scripts::{Entry, Scripts};

pub use scripts::ScriptFile;

/// Keys that say something at the top of the file. All others are metadata.
const SOCKET: [&str; 11] = [
    "name",
    "description",
    "endpoints",
    "dependencies",
    "classes",
    "config",
    "runtime",
    "runtime_name",
    "private",
    "cache",
    "timeout",
];
/// Keys that say something about an endpoint, or about one of its methods. All others are metadata.
const ENDPOINT: [&str; 11] = [
    "script",
    "file",
    "source",
    "runtime",
    "runtime_name",
    "private",
    "cache",
    "timeout",
    "acl",
    "methods",
    "calls",
];
/// What this server doesn't have, which is kept as metadata.
const ELSEWHERE: [(&str, &str); 2] =
    [("event_handlers", "no endpoint and no schedule is made of them"), ("hosting", "no files are served")];

/// What a `socket.yml` stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketYml {
    /// The body that creates the socket. Sources that are in files are empty.
    pub body: Value,
    /// The scripts whose source is in a file.
    pub files: Vec<ScriptFile>,
    /// What is installed in another way than the file says, or not at all: texts that begin with a place in the file.
    pub warnings: Vec<String>,
}

/// Parses the YAML of a text. Of a key that is repeated, the last one counts, as in the tools of its time.
///
/// # Errors
/// A line that says why it is none.
pub fn parse(text: &str) -> Result<Value, String> {
    let options = options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(without_bom(text), options).map_err(|error| one_line(&error))
}

/// Returns a text without the byte order mark that editors of Windows begin files with.
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
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
    let mut reader = Reader::default();
    reader.scripts.runtime = runtime(top, "")?;
    let (mut metadata, classes) = reader.dependencies(top)?;
    let mut endpoints = Map::new();
    for (endpoint, value) in section(top, "endpoints")? {
        if let Some(body) = reader.endpoint(&endpoint, &value, top)? {
            endpoints.insert(endpoint, body);
        }
    }
    let config = reader.config(section(top, "config")?, answers);
    for (key, value) in top.iter().filter(|(key, _)| !SOCKET.contains(&key.as_str())) {
        if let Some((_, why)) = ELSEWHERE.iter().find(|(elsewhere, _)| elsewhere == key) {
            reader.warnings.push(format!("at /{key}: `{key}` is kept as metadata: {why}"));
        } else if let Some(meant) = slip(key, &SOCKET) {
            reader.warnings.push(format!("at /{key}: `{key}` is kept as metadata: did you mean `{meant}`?"));
        }
        let bytes = value.to_string().len();
        match bytes > limits::METADATA_VALUE_BYTES {
            true => reader
                .warnings
                .push(format!("at /{key}: {bytes} bytes are too many for metadata: it is left out")),
            false => drop(metadata.insert(key.clone(), value.clone())),
        }
    }
    let description = top.get("description").and_then(text);
    let description = description.map(|text| reader.description(text, &mut metadata));
    let dependencies: Vec<Value> = reader.scripts.dependencies.into_iter().chain(classes).collect();
    let body = json!({
        "name": name,
        "description": description,
        "endpoints": endpoints,
        "dependencies": dependencies,
        "config": config,
        "metadata": metadata,
    });
    Ok(SocketYml { body, files: reader.scripts.files, warnings: reader.warnings })
}

#[derive(Default)]
struct Reader {
    scripts: Scripts,
    warnings: Vec<String>,
}

impl Reader {
    /// Reads the scripts that have names of their own, and returns what is metadata of it, and the classes.
    fn dependencies(&mut self, top: &Map<String, Value>) -> Result<(Map<String, Value>, Vec<Value>), String> {
        let mut classes = Vec::new();
        let mut others = Map::new();
        for (kind, value) in section(top, "dependencies")? {
            let entry = value.as_object();
            let is_script = |entry: &Map<String, Value>| {
                ["file", "source", "runtime_name"].iter().any(|key| entry.contains_key(*key))
            };
            match (kind.as_str(), entry) {
                ("scripts", _) => {
                    for (name, script) in pairs("scripts", &value)? {
                        self.script(&name, &script)?;
                    }
                }
                ("classes", _) => classes.extend(self.classes(&value)?),
                // For some months scripts stood here without a section of their own.
                (_, Some(entry)) if is_script(entry) => self.script(&kind, &value)?,
                _ => {
                    self.warnings.push(format!(
                        "at /dependencies/{kind}: `{kind}` is kept as metadata: this server has scripts and classes only"
                    ));
                    others.insert(kind, value);
                }
            }
        }
        if let Some(value) = top.get("classes") {
            classes.extend(self.classes(value)?);
        }
        let metadata = match others.is_empty() {
            true => Map::new(),
            false => Map::from_iter([("dependencies".to_owned(), Value::Object(others))]),
        };
        Ok((metadata, classes))
    }

    fn script(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let what = format!("the script `{name}`");
        let fields = match value {
            Value::Null => &Map::new(),
            Value::Object(fields) => fields,
            Value::String(text) if scripts::is_file(text) => {
                self.scripts.named(name, Entry { file: Some(text), ..Entry::default() });
                return Ok(());
            }
            Value::String(source) => {
                self.scripts.named(name, Entry { source: Some(source), ..Entry::default() });
                return Ok(());
            }
            _ => return Err(format!("{what} is no mapping with `file` or `source`")),
        };
        let mut config = match fields.get("config") {
            None | Some(Value::Null) => None,
            Some(Value::Object(config)) => Some(config.clone()),
            Some(_) => return Err(format!("`config` of {what} is no mapping")),
        };
        if let Some(timeout) = fields.get("timeout").filter(|timeout| !timeout.is_null()) {
            config.get_or_insert_default().entry("timeout").or_insert_with(|| number(timeout));
        }
        const KNOWN: [&str; 7] =
            ["runtime_name", "runtime", "file", "source", "config", "timeout", "description"];
        for key in fields.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            let meant =
                slip(key, &KNOWN).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            let place = format!("at /dependencies/scripts/{name}/{key}");
            self.warnings.push(format!("{place}: unknown key `{key}`, which is ignored{meant}"));
        }
        // One that nobody knows is told by the rules of definitions, with its place.
        let given = ["runtime_name", "runtime"].into_iter().find_map(|key| fields.get(key)?.as_str());
        let known = given.and_then(|name| name.trim().parse::<Runtime>().ok());
        self.scripts.named(name, Entry { config, runtime: known, ..entry(fields, &what)? });
        if let (None, Some(unknown), Some(script)) = (known, given, self.scripts.dependencies.last_mut()) {
            script["runtime_name"] = unknown.into();
        }
        Ok(())
    }

    /// A class is a list of fields, or a mapping with `schema`.
    fn classes(&mut self, value: &Value) -> Result<Vec<Value>, String> {
        let classes = pairs("classes", value)?.into_iter().map(|(name, class)| {
            let schema = match class {
                Value::Object(mut class) => class.remove("schema").unwrap_or_else(|| json!([])),
                Value::Null => json!([]),
                fields => fields,
            };
            json!({ "type": "class", "name": name, "schema": schema })
        });
        Ok(classes.collect())
    }

    /// Shortens a description that is too long for a socket; the metadata keep all of it.
    fn description(&mut self, text: Value, metadata: &mut Map<String, Value>) -> Value {
        let Some((end, _)) = text.as_str().and_then(|text| text.char_indices().nth(limits::DESCRIPTION))
        else {
            return text;
        };
        let whole = text.as_str().unwrap_or_default();
        let start: String = whole[..end].chars().take(limits::DESCRIPTION - 1).collect();
        self.warnings.push(format!(
            "at /description: more than {} characters: all of it is kept as metadata",
            limits::DESCRIPTION
        ));
        metadata.insert("description".to_owned(), text.clone());
        (start + "…").into()
    }

    fn config(&mut self, asked: Vec<(String, Value)>, answers: Map<String, Value>) -> Map<String, Value> {
        let mut config = Map::new();
        for (key, value) in asked {
            match value {
                Value::Object(about) => match about.get("value") {
                    Some(value) => drop(config.insert(key, value.clone())),
                    None if about.get("required") == Some(&Value::Bool(true))
                        && !answers.contains_key(&key) =>
                    {
                        let text = format!(
                            "at /config/{key}: `{key}` is required and has no value: add it to `config`"
                        );
                        self.warnings.push(text);
                    }
                    // The person who installs was asked for one that has a prompt only.
                    None => {}
                },
                plain => drop(config.insert(key, plain)),
            }
        }
        config.extend(answers);
        config
    }

    /// Returns the endpoint of the body, or nothing if it is one that this server doesn't have.
    fn endpoint(
        &mut self,
        endpoint: &str,
        value: &Value,
        top: &Map<String, Value>,
    ) -> Result<Option<Value>, String> {
        let what = format!("the endpoint `{endpoint}`");
        let fields = match value {
            Value::Null => Map::new(),
            Value::Object(fields) => fields.clone(),
            Value::String(source) => Map::from_iter([("source".to_owned(), source.as_str().into())]),
            _ => return Err(format!("{what} is no mapping with `file`, `script` or `source`")),
        };
        if fields.contains_key("channel") {
            self.warnings.push(format!(
                "at /endpoints/{endpoint}: {what} is a channel and isn't installed: this server has no channels"
            ));
            return Ok(None);
        }
        let mut body = terms(&fields);
        body.extend(
            fields.get("acl").filter(|acl| !acl.is_null()).map(|acl| ("acl".to_owned(), acl.clone())),
        );
        for (key, value) in terms(top) {
            body.entry(key).or_insert(value);
        }
        let mut calls = match fields.get("calls") {
            None => Vec::new(),
            Some(Value::Array(calls)) => calls.clone(),
            Some(_) => return Err(format!("`calls` of {what} is no list")),
        };
        let mut metadata = self.metadata(&format!("/endpoints/{endpoint}"), &what, &fields)?;
        let default_runtime = runtime(&fields, &format!(" of {what}"))?;
        for (key, value) in &fields {
            let Ok(method) = key.parse::<Method>() else { continue };
            let what = format!("{method} of {what}");
            let fields = match value {
                Value::Null => Map::new(),
                Value::Object(fields) => fields.clone(),
                Value::String(source) => Map::from_iter([("source".to_owned(), source.as_str().into())]),
                _ => return Err(format!("{what} is no mapping with `file`, `script` or `source`")),
            };
            let runtime = runtime(&fields, &format!(" of {what}"))?.or(default_runtime);
            let name = self.named_by(&format!("{endpoint}/{method}"), &what, &fields, runtime)?;
            add_call(&mut calls, name, method.as_str(), terms(&fields));
            let mut about = self.metadata(&format!("/endpoints/{endpoint}/{method}"), &what, &fields)?;
            self.drop_unusable_schemas(endpoint, method, &mut about);
            if !about.is_empty() {
                metadata.insert(key.clone(), Value::Object(about));
            }
        }
        let has_script = ["script", "file", "source"].iter().any(|key| fields.contains_key(*key));
        if has_script || calls.is_empty() {
            let name = self.named_by(endpoint, &what, &fields, default_runtime)?;
            let methods = methods(&fields, &what)?;
            calls.push(json!({ "type": "script", "name": name, "methods": methods }));
        }
        body.extend([("calls".to_owned(), calls.into()), ("metadata".to_owned(), Value::Object(metadata))]);
        Ok(Some(Value::Object(body)))
    }

    /// Returns the name of the dependency that an endpoint, or one of its methods, runs.
    fn named_by(
        &mut self,
        place: &str,
        what: &str,
        fields: &Map<String, Value>,
        runtime: Option<Runtime>,
    ) -> Result<String, String> {
        let mut entry = Entry { runtime, ..entry(fields, what)? };
        if let Some(script) = fields.get("script") {
            let script = script.as_str().ok_or_else(|| format!("`script` of {what} is no text"))?;
            // One that isn't in the file may be a script endpoint that is there already.
            if !scripts::is_file(script) || self.scripts.has(script) {
                return Ok(script.to_owned());
            }
            entry.file = entry.file.or(Some(script));
        }
        Ok(self.scripts.of_endpoint(place, entry))
    }

    /// What is free data of an endpoint or a method.
    fn metadata(
        &mut self,
        place: &str,
        what: &str,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        let mut metadata = Map::new();
        for (key, value) in fields {
            let is_method = key.parse::<Method>().is_ok() && what.starts_with("the endpoint");
            if ENDPOINT.contains(&key.as_str()) || is_method {
                continue;
            }
            match slip(key, &ENDPOINT) {
                // Taken for metadata it would make a private endpoint public.
                Some(meant @ ("private" | "acl")) => {
                    return Err(format!("unknown key `{key}` of {what}: did you mean `{meant}`?"));
                }
                Some(meant) => self
                    .warnings
                    .push(format!("at {place}/{key}: `{key}` is kept as metadata: did you mean `{meant}`?")),
                None => {}
            }
            metadata.insert(key.clone(), value.clone());
        }
        Ok(metadata)
    }

    /// Under a method `inputs`, `outputs` and `errors` are JSON Schemas. The tools of 2018 wrote documentation there.
    fn drop_unusable_schemas(&mut self, endpoint: &str, method: Method, about: &mut Map<String, Value>) {
        for word in SCHEMA_KEYS {
            let Some(schema) = about.get(word).filter(|schema| !schema.is_null()) else { continue };
            if let Err(problems) = CompiledSchema::new(schema) {
                let problem = problems.first().map(ToString::to_string).unwrap_or_default();
                self.warnings.push(format!(
                    "at /endpoints/{endpoint}/{method}/{word}: it is no JSON Schema and is ignored: {problem}"
                ));
                about.remove(word);
            }
        }
    }
}

/// Adds a call, or the method to the call of the same script on the same terms.
fn add_call(calls: &mut Vec<Value>, name: String, method: &str, terms: Map<String, Value>) {
    let mut call = Map::from_iter([("type".to_owned(), "script".into()), ("name".to_owned(), name.into())]);
    call.extend(terms);
    for other in calls.iter_mut().filter_map(Value::as_object_mut) {
        let mut same = other.clone();
        same.remove("methods");
        if same == call
            && let Some(Value::Array(methods)) = other.get_mut("methods")
        {
            methods.push(method.into());
            return;
        }
    }
    call.insert("methods".to_owned(), json!([method]));
    calls.push(Value::Object(call));
}

/// Who may call, and for how many seconds. A text is what the YAML of 2016 made a word or a number of.
fn terms(fields: &Map<String, Value>) -> Map<String, Value> {
    let private = |value: &Value| match value {
        Value::String(word) if ["yes", "on", "true"].contains(&&*word.to_lowercase()) => Value::Bool(true),
        Value::String(word) if ["no", "off", "false"].contains(&&*word.to_lowercase()) => Value::Bool(false),
        Value::Number(number) if number.as_u64().is_some_and(|number| number < 2) => {
            (number.as_u64() == Some(1)).into()
        }
        value => value.clone(),
    };
    let given = |key: &str| fields.get(key).filter(|value| !value.is_null());
    let limits = [
        ("private", given("private").map(private)),
        ("cache", given("cache").map(number)),
        ("timeout", given("timeout").map(number)),
    ];
    limits.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// A number that may be written as a text, a whole one without a fraction.
fn number(value: &Value) -> Value {
    let read = match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    match read {
        Some(read) if read.fract() == 0.0 && (0.0..1e9).contains(&read) => json!(read as u64),
        Some(read) => Number::from_f64(read).map_or_else(|| value.clone(), Value::Number),
        None => value.clone(),
    }
}

/// The methods that the script of an endpoint answers.
fn methods(fields: &Map<String, Value>, what: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = match fields.get("methods") {
        None | Some(Value::Null) => return Ok(vec!["*".to_owned()]),
        Some(Value::String(words)) => {
            words.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(format!("`methods` of {what} is no list of methods")),
    };
    Ok(words.into_iter().map(|word| word.to_uppercase()).collect())
}

fn entry<'a>(fields: &'a Map<String, Value>, what: &str) -> Result<Entry<'a>, String> {
    let text = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{key}` of {what} is no text")),
    };
    Ok(Entry { source: text("source")?, file: text("file")?, ..Entry::default() })
}

fn runtime(fields: &Map<String, Value>, of: &str) -> Result<Option<Runtime>, String> {
    let given = ["runtime_name", "runtime"].into_iter().find_map(|key| Some((key, fields.get(key)?)));
    match given {
        None | Some((_, Value::Null)) => Ok(None),
        Some((key, Value::String(name))) => {
            name.trim().parse().map(Some).map_err(|unknown| format!("`{key}`{of}: {unknown}"))
        }
        Some((key, _)) => Err(format!("`{key}`{of} is no text")),
    }
}

/// A text, or a number that was meant as one.
fn text(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        value => Some(value.clone()),
    }
}

/// The known key that this one is a letter away from.
fn slip(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if known.contains(&key) {
        return None;
    }
    let meant = closest(key, known.iter().copied())?;
    let first = |word: &str| word.chars().next().map(|letter| letter.to_ascii_lowercase());
    let is_near = first(key) == first(meant) && key.len().abs_diff(meant.len()) <= 1;
    known.iter().copied().find(|known| is_near && *known == meant)
}

fn section(parent: &Map<String, Value>, key: &str) -> Result<Vec<(String, Value)>, String> {
    parent.get(key).map_or(Ok(Vec::new()), |value| pairs(key, value))
}

/// The entries of a mapping, or of a list of mappings, as the first tool's template had them.
fn pairs(key: &str, value: &Value) -> Result<Vec<(String, Value)>, String> {
    let wrong = || format!("`{key}` is no mapping");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(entries) => Ok(entries.clone().into_iter().collect()),
        Value::Array(entries) => {
            let entries = entries.iter().map(|entry| entry.as_object().cloned().ok_or_else(wrong));
            Ok(entries.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
