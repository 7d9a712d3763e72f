//! Installing sockets from URLs: a `socket.yml` that names its scripts as files beside it.
//!
//! The socket is stored at once, with the status `checking`, and what the URL leads to is fetched afterwards.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use syncano_core::{NameKind, Socket, SocketStatus, limits, normalize};
use tokio::sync::Semaphore;
use url::Url;

use crate::app::App;
use crate::catalog::Instance;
use crate::change::Change;
use crate::checks::Checks;
use crate::definition;
use crate::errors::{ApiError, quoted};
use crate::fetch::{Fetcher, Problem};
use crate::publish;
use crate::request::Fields;
use crate::socket_yml::{self, ScriptFile, SocketYml};
use crate::store::sockets::{self, SocketRow};
use crate::{time, warnings};

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
                Ok((socket, warnings)) => {
                    row.revision += 1;
                    row.warnings = warnings::written(warnings.clone());
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

/// The definition that a URL leads to, with warnings, or a sentence.
async fn definition_at(
    fetcher: &Fetcher,
    url: &str,
    name: &str,
    config: Map<String, Value>,
) -> Result<(Socket, Vec<String>), String> {
    let could_not =
        |what: &str, problem: &dyn std::fmt::Display| format!("could not fetch {what}: {problem}");
    let (base, url) = (Url::parse(url).map_err(|error| could_not("it", &error))?, &*shown(url));
    let yaml = fetcher.text(&base, YAML_BYTES).await.map_err(|problem| could_not(url, &problem))?;
    let yaml = socket_yml::parse(&yaml).map_err(|problem| format!("{url} is no YAML: {problem}"))?;
    let SocketYml { mut body, files, warnings } =
        socket_yml::read(&yaml, name, config).map_err(|problem| format!("{url}: {problem}"))?;
    let read = |body: &Value| {
        definition::new(body).map_err(|broken| {
            let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
            format!("{url}: {}", broken.join("; "))
        })
    };
    // Before anything else is fetched: it says how many files there are, and what is wrong already stays wrong.
    read(&body)?;
    let mut left = SCRIPT_BYTES;
    // Where one script was, the next one is looked for first.
    let mut usual = 0;
    for ScriptFile { dependency, paths } in files {
        let mut order: Vec<usize> = (0..paths.len()).collect();
        if usual < paths.len() {
            order.remove(usual);
            order.insert(0, usual);
        }
        let mut missing = None;
        let mut source = None;
        for index in order {
            let at = base.join(&paths[index]).map_err(|error| could_not(&paths[index], &error))?;
            match fetcher.text(&at, left.min(limits::SOURCE_BYTES)).await {
                Ok(text) => {
                    source = Some(text);
                    usual = index;
                    break;
                }
                Err(problem @ Problem::Missing(_)) => {
                    missing.get_or_insert_with(|| could_not(&shown(at.as_str()), &problem));
                }
                Err(problem) => return Err(could_not(&shown(at.as_str()), &problem)),
            }
        }
        let Some(source) = source else {
            let others = paths.get(1..).unwrap_or_default().join("`, `");
            let others = if others.is_empty() { others } else { format!("; nor is there `{others}`") };
            return Err(missing.unwrap_or_default() + &others);
        };
        left -= source.len();
        body["dependencies"][dependency]["source"] = socket_yml::without_bom(&source).into();
    }
    Ok((read(&body)?, warnings))
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
