//! Installing sockets from URLs: a `socket.yml` that names its scripts as files beside it.
//!
//! The socket is stored at once, with the status `checking`, and what the URL leads to is fetched afterwards.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use syncano_core::{Method, NameKind, Socket, SocketStatus, limits, normalize};
use tokio::sync::Semaphore;
use url::Url;

use crate::app::App;
use crate::catalog::Instance;
use crate::change::Change;
use crate::checks::Checks;
use crate::definition;
use crate::errors::{ApiError, quoted};
use crate::fetch::Fetcher;
use crate::publish;
use crate::request::Fields;
use crate::store::sockets::{self, SocketRow};
use crate::time;

/// Bytes of a `socket.yml`.
const YAML_BYTES: usize = 1024 * 1024;
/// Bytes of all scripts together.
const SCRIPT_BYTES: usize = 16 * 1024 * 1024;
/// How long all files of one socket may take together.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Sockets that are fetched at a time; further ones wait.
const AT_A_TIME: usize = 16;
/// Characters of a sentence that says what went wrong: strangers' files decide how long it would be.
const LONGEST_PROBLEM: usize = 1000;
/// Top-level keys of a `socket.yml` that are not metadata.
const KNOWN: [&str; 5] = ["name", "description", "endpoints", "dependencies", "config"];

/// What is being fetched.
pub(crate) struct Installs {
    places: Semaphore,
    /// By socket and revision: nothing is fetched twice at a time.
    under_way: Mutex<HashSet<(i64, i64)>>,
}

impl Default for Installs {
    fn default() -> Self {
        Installs { places: Semaphore::new(AT_A_TIME), under_way: Mutex::default() }
    }
}

impl Installs {
    fn under_way(&self) -> std::sync::MutexGuard<'_, HashSet<(i64, i64)>> {
        // An entry is never half there.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores the socket and begins to fetch it.
pub(crate) async fn install(
    app: &Arc<App>,
    instance: Arc<Instance>,
    fields: &Fields,
) -> Result<SocketRow, ApiError> {
    let name = normalize(&fields.required_text("name")?);
    NameKind::Socket.check(&name).map_err(|problem| {
        ApiError::field("name", format!("the name `{}` can't be used: {problem}", quoted(&name)))
    })?;
    let url = fields.required_text("install_url")?;
    let url = Url::parse(url.trim())
        .map_err(|error| ApiError::field("install_url", format!("`{}` is no URL: {error}", quoted(&url))))?;
    if !url.username().is_empty() || url.password().is_some() {
        let text = "a URL with a user name or a password can't be fetched, and everyone here would see them";
        return Err(ApiError::field("install_url", text));
    }
    let config = fields.object("config")?.unwrap_or_default();
    // Also checks the configuration.
    let empty = json!({ "name": name, "config": config });
    let socket = Socket::from_json(&empty).map_err(|broken| ApiError::violations(&broken))?;
    let server = app.clone();
    let row = app
        .to_the_end(async move {
            let change = Change::begin(&server, &instance).await?;
            let definition = serde_json::to_string(&socket).map_err(ApiError::internal)?;
            let row = publish::insert(&change, &socket.name, definition, Some(url.to_string())).await?;
            change.commit().await?;
            publish::log(&instance, &row, "about to be installed");
            start(&server, &instance, &row);
            Ok(row)
        })
        .await?;
    Ok(row)
}

/// Whether a recheck of the socket has to fetch it again: nothing of it is there.
pub(crate) fn must_fetch(row: &SocketRow, socket: &Socket) -> bool {
    row.install_url.is_some() && socket.endpoints.is_empty() && socket.dependencies.is_empty()
}

/// Fetches the socket of this row in the background and settles it.
pub(crate) fn start(app: &Arc<App>, instance: &Arc<Instance>, row: &SocketRow) {
    let (app, instance, name, this) =
        (app.clone(), instance.clone(), row.name.clone(), (row.id, row.revision));
    if !app.installs.under_way().insert(this) {
        return;
    }
    tokio::spawn(async move {
        // Nothing large is kept while others are fetched; the semaphore is never closed.
        let place = app.installs.places.acquire().await;
        let done = run(&app, &instance, &name, this).await;
        drop(place);
        app.installs.under_way().remove(&this);
        if let Err(error) = done {
            // At the next start, or at a recheck, it is taken up again.
            tracing::error!(
                instance = instance.name,
                socket = name,
                ?error,
                "an installation was not finished"
            );
        }
    });
}

async fn run(app: &Arc<App>, instance: &Arc<Instance>, name: &str, this: (i64, i64)) -> Result<(), ApiError> {
    // It may be gone, or somebody may have published another definition meanwhile.
    let is_this = move |now: &SocketRow| (now.id, now.revision) == this;
    let row = sockets::by_name(&app.store.db, instance.id, name).await?;
    let Some(row) = row.filter(is_this) else { return Ok(()) };
    let config = serde_json::from_str::<Socket>(&row.definition).map_err(ApiError::internal)?.config;
    let url = row.install_url.unwrap_or_default();
    let fetching = definition_at(&app.fetcher, &url, &row.name, config);
    let fetched = tokio::time::timeout(TIMEOUT, fetching).await.unwrap_or_else(|_| {
        Err(format!("could not fetch {}: all files took longer than {} s", shown(&url), TIMEOUT.as_secs()))
    });
    let (app, instance, name) = (app.clone(), instance.clone(), row.name);
    let server = app.clone();
    app.to_the_end(async move {
        let mut checks = Checks::default();
        loop {
            let mut change = Change::begin(&server, &instance).await?;
            let now = sockets::by_name(change.db(), instance.id, &name).await?;
            let Some(mut row) = now.filter(is_this) else { return Ok(()) };
            row.updated_at = time::now();
            let row = match &fetched {
                Ok(socket) => {
                    row.revision += 1;
                    publish::settle(&mut change, &mut checks, row, socket).await?
                }
                Err(problem) => publish::refuse(&change, row, bounded(problem.clone())).await?,
            };
            if checks.are_missing() {
                drop(change);
                checks.catch_up(&server.runner, &instance).await;
                continue;
            }
            change.commit().await?;
            publish::log(&instance, &row, "installed from its URL");
            return Ok(());
        }
    })
    .await
}

/// What the server left half-done when it ended is said to be so; a recheck begins again.
pub(crate) async fn clean_up(app: &App) -> Result<(), sea_orm::DbErr> {
    let rows = sockets::with_status(&app.store.db, SocketStatus::Checking).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let write = app.store.write().await?;
    for mut row in rows {
        row.status = SocketStatus::Error.to_string();
        row.status_info =
            "the server ended while it fetched the socket: a recheck fetches it again".to_owned();
        sockets::update(&write.tx, row).await?;
    }
    write.commit().await
}

/// The definition that a URL leads to, or a sentence.
async fn definition_at(
    fetcher: &Fetcher,
    url: &str,
    name: &str,
    config: Map<String, Value>,
) -> Result<Socket, String> {
    let could_not =
        |what: &str, problem: &dyn std::fmt::Display| format!("could not fetch {what}: {problem}");
    let (base, url) = (Url::parse(url).map_err(|error| could_not("it", &error))?, &*shown(url));
    let yaml = fetcher.text(&base, YAML_BYTES).await.map_err(|problem| could_not(url, &problem))?;
    let yaml: Value =
        serde_saphyr::from_str(&yaml).map_err(|error| format!("{url} is no YAML: {}", one_line(&error)))?;
    let (mut body, files) = body(&yaml, name, config).map_err(|problem| format!("{url}: {problem}"))?;
    let read = |body: &Value| {
        definition::new(body).map_err(|broken| {
            let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
            format!("{url}: {}", broken.join("; "))
        })
    };
    // Before anything else is fetched: it says how many files there are, and what is wrong already stays wrong.
    read(&body)?;
    let mut left = SCRIPT_BYTES;
    for (index, file) in files {
        let at = base.join(&file).map_err(|error| could_not(&file, &error))?;
        let source = fetcher
            .text(&at, left.min(limits::SOURCE_BYTES))
            .await
            .map_err(|problem| could_not(&shown(at.as_str()), &problem))?;
        left -= source.len();
        body["dependencies"][index]["source"] = source.into();
    }
    read(&body)
}

/// A URL as errors and the log show it: without what may open it.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "it".to_owned() };
    // These fail for URLs that can't have either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.set_fragment(None);
    url.as_str().replace("%E2%80%A6", "…")
}

fn bounded(mut problem: String) -> String {
    if let Some((end, _)) = problem.char_indices().nth(LONGEST_PROBLEM) {
        problem.truncate(end);
        problem.push('…');
    }
    problem
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// The body that a `socket.yml` stands for, and which dependencies' sources are in which files.
fn body(
    yaml: &Value,
    name: &str,
    answers: Map<String, Value>,
) -> Result<(Value, Vec<(usize, String)>), String> {
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
    Ok((body, files))
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
        let yaml: Value = serde_saphyr::from_str(yaml).unwrap();
        let answers = json!({"b": 3, "c": 4}).as_object().unwrap().clone();
        let (body, files) = body(&yaml, "mine", answers).unwrap();
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
        assert!(definition::new(&body).is_ok());
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
            let yaml: Value = serde_saphyr::from_str(yaml).unwrap();
            let problem = body(&yaml, "s", Map::new()).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
    }
}
