//! Publishing: create, update, recheck and delete of sockets.
//!
//! Each is one [`Change`]. A definition whose shape is right is always stored. If something about it doesn't fit what
//! else is in the instance, the socket gets the status `error`, and what ran before goes on running.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sea_orm::DbErr;
use serde_json::{Map, Value};
use syncano_core::{
    Dependency, Runtime, ScriptSource, Severity, Socket, SocketStatus, ViolationKind, normalize,
};
use syncano_runner::MissingEnvironment;

use crate::app::{App, FlatNames};
use crate::bind;
use crate::catalog::Instance;
use crate::change::Change;
use crate::checks::Checks;
use crate::definition;
use crate::endpoint::compile;
use crate::errors::{ApiError, quoted};
use crate::install;
use crate::request::integer;
use crate::runnable::ENVIRONMENT;
use crate::store::classes::ClassField;
use crate::store::scripts::ScriptRow;
use crate::store::sockets::SocketRow;
use crate::store::traces::Kind;
use crate::store::{classes, is_taken, script_endpoints, scripts, sockets, traces};
use crate::{time, warnings};

/// The field by which a change names the revision it was planned from.
const EXPECTED_REVISION: &str = "expected_revision";

/// What is to happen to a socket.
enum Step {
    Create(Value),
    Update(String, Map<String, Value>),
    Recheck(String),
    Delete(String),
}

pub(crate) async fn create(
    app: &Arc<App>,
    instance: Arc<Instance>,
    body: Map<String, Value>,
) -> Result<SocketRow, ApiError> {
    take(app, instance, Step::Create(Value::Object(body))).await
}

pub(crate) async fn update(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: &str,
    body: Map<String, Value>,
) -> Result<SocketRow, ApiError> {
    take(app, instance, Step::Update(normalize(name), body)).await
}

pub(crate) async fn recheck(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: &str,
) -> Result<SocketRow, ApiError> {
    take(app, instance, Step::Recheck(normalize(name))).await
}

pub(crate) async fn delete(app: &Arc<App>, instance: Arc<Instance>, name: &str) -> Result<(), ApiError> {
    take(app, instance, Step::Delete(normalize(name))).await.map(drop)
}

async fn take(app: &Arc<App>, instance: Arc<Instance>, step: Step) -> Result<SocketRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let mut checks = Checks::default();
        let (row, what) = loop {
            let mut change = Change::begin(&server, &instance).await?;
            let done = match &step {
                Step::Create(body) => (create_in(&mut change, &mut checks, body).await?, "created"),
                Step::Update(name, body) => {
                    (update_in(&mut change, &mut checks, name, body).await?, "updated")
                }
                Step::Recheck(name) => (recheck_in(&mut change, &mut checks, name).await?, "rechecked"),
                Step::Delete(name) => (delete_in(&mut change, name).await?, "deleted"),
            };
            if !checks.are_missing() {
                change.commit().await?;
                break done;
            }
            drop(change);
            checks.catch_up(&server.runner, &instance).await;
        };
        log(&instance, &row, what);
        // Nothing else is left so by a change.
        if what != "deleted" && row.status == SocketStatus::Checking.to_string() {
            install::start(&server, &instance, &row);
        }
        Ok(row)
    })
    .await
}

pub(crate) fn log(instance: &Instance, row: &SocketRow, what: &str) {
    tracing::info!(
        instance = instance.name,
        socket = row.name,
        revision = row.revision,
        status = row.status,
        // Further lines show scripts.
        status_info = row.status_info.lines().next(),
        "socket {what}"
    );
}

async fn create_in(
    change: &mut Change<'_>,
    checks: &mut Checks,
    body: &Value,
) -> Result<SocketRow, ApiError> {
    let socket = definition::new(body).map_err(|broken| ApiError::violations(&broken))?;
    let mut row = insert(change, &socket.name, String::new(), None).await?;
    row.warnings = warnings::of(body);
    settle(change, checks, row, &socket).await
}

/// A socket that has nothing installed yet.
pub(crate) async fn insert(
    change: &Change<'_>,
    name: &str,
    definition: String,
    install_url: Option<String>,
) -> Result<SocketRow, ApiError> {
    let inserted = sockets::insert(change.db(), change.instance.id, name, definition, install_url).await;
    inserted.map_err(|error| match is_taken(&error) {
        true => ApiError::field(
            "name",
            format!("the instance has a socket named `{name}` already: choose another name"),
        ),
        false => error.into(),
    })
}

async fn update_in(
    change: &mut Change<'_>,
    checks: &mut Checks,
    name: &str,
    body: &Map<String, Value>,
) -> Result<SocketRow, ApiError> {
    let mut row = find(change, name).await?;
    check_revision(body, row.revision)?;
    let stored = serde_json::from_str(&row.definition).map_err(ApiError::internal)?;
    let socket = definition::changed(stored, body).map_err(|broken| ApiError::violations(&broken))?;
    row.revision += 1;
    row.warnings = warnings::after(&row.warnings, body);
    row.updated_at = time::now();
    if row.status == SocketStatus::Checking.to_string() && install::must_fetch(&row, &socket) {
        // It is still being fetched, and must be fetched with this configuration instead.
        row.definition = serde_json::to_string(&socket).map_err(ApiError::internal)?;
        return Ok(sockets::update(change.db(), row).await?);
    }
    settle(change, checks, row, &socket).await
}

/// Checks a socket again. One of which nothing has arrived yet has to be fetched.
async fn recheck_in(change: &mut Change<'_>, checks: &mut Checks, name: &str) -> Result<SocketRow, ApiError> {
    let mut row = find(change, name).await?;
    match serde_json::from_str::<Socket>(&row.definition) {
        Ok(socket) if install::must_fetch(&row, &socket) => {
            row.status = SocketStatus::Checking.to_string();
            row.status_info = String::new();
            Ok(sockets::update(change.db(), row).await?)
        }
        Ok(socket) => settle(change, checks, row, &socket).await,
        // Rules may have become stricter since it was stored.
        Err(error) => refuse(change, row, error.to_string()).await,
    }
}

async fn delete_in(change: &mut Change<'_>, name: &str) -> Result<SocketRow, ApiError> {
    let row = find(change, name).await?;
    script_endpoints::use_only(change.db(), row.id, []).await?;
    script_endpoints::release_unused(change.db(), row.id).await?;
    traces::delete_of(change.db(), Kind::SocketEndpoint, [row.id]).await?;
    sockets::delete(change.db(), row.id).await?;
    change.route(&row.name, None);
    Ok(row)
}

pub(crate) async fn find(change: &Change<'_>, name: &str) -> Result<SocketRow, ApiError> {
    sockets::by_name(change.db(), change.instance.id, name).await?.ok_or_else(|| no_socket(name))
}

/// Stores the definition and installs it, if everything it needs is there. Nothing is done while checks are missing.
pub(crate) async fn settle(
    change: &mut Change<'_>,
    checks: &mut Checks,
    mut row: SocketRow,
    socket: &Socket,
) -> Result<SocketRow, ApiError> {
    let broken = checks.problems(&change.app.runner, socket);
    if checks.are_missing() {
        return Ok(row);
    }
    row.definition = serde_json::to_string(socket).map_err(ApiError::internal)?;
    match problems(change, &row, socket, broken).await? {
        Some(problems) => refuse(change, row, problems).await,
        None => install(change, row, socket).await,
    }
}

/// Notes why the definition is not installed. What was installed before stays.
pub(crate) async fn refuse(
    change: &Change<'_>,
    mut row: SocketRow,
    problem: String,
) -> Result<SocketRow, ApiError> {
    row.status = SocketStatus::Error.to_string();
    row.status_info = problem;
    Ok(sockets::update(change.db(), row).await?)
}

/// What the definition needs and the instance doesn't give, as a sentence; what is `broken` comes last, a line each.
async fn problems(
    change: &Change<'_>,
    row: &SocketRow,
    socket: &Socket,
    broken: Vec<String>,
) -> Result<Option<String>, DbErr> {
    let (db, instance, id) = (change.db(), change.instance.id, row.id);
    let mut problems = Vec::new();
    for violation in socket.validate() {
        match &violation.kind {
            ViolationKind::UnresolvedCall { call, .. } => {
                let found = script_endpoints::by_name(db, instance, &normalize(call)).await?;
                // One of the socket's own goes with the dependency that it was made for.
                if found.is_none_or(|found| found.socket_id == Some(id)) {
                    problems.push(violation.kind.to_string());
                }
            }
            other if other.severity() == Severity::Semantic => problems.push(other.to_string()),
            _ => {}
        }
    }
    let wanted: Vec<(&str, i64)> = existing(socket).collect();
    let found = scripts::by_ids(db, instance, wanted.iter().map(|(_, id)| *id)).await?;
    for (name, id) in wanted.iter().filter(|(_, id)| !found.contains_key(id)) {
        problems.push(format!("there is no script {id}, which the dependency \"{name}\" names"));
    }
    for dependency in &socket.dependencies {
        let Dependency::Script(script) = dependency else { continue };
        let config = script.config.as_ref();
        let missing = match &script.script {
            ScriptSource::New { runtime_name, .. } => environment(change, *runtime_name, config),
            ScriptSource::Existing { script: id } => match found.get(id) {
                Some(row) => environment_of(change, row, config)?,
                None => continue,
            },
        };
        problems
            .extend(missing.map(|missing| format!("the script \"{}\" can't run: {missing}", script.name)));
    }
    if change.app.settings.flat_names == FlatNames::Strict {
        let taken = sockets::taken_names(db, instance, id, &flat_names(row, socket)).await?;
        problems.extend(taken.into_iter().map(|(name, owner)| taken_name(&name, &owner)));
    }
    for (field, other) in classes::conflicts(db, instance, id, &class_fields(socket)).await? {
        let ClassField { class, field, field_type } = field;
        problems.push(format!(
            "class \"{class}\" has field \"{field}\" of another type: {other}, not {field_type}"
        ));
    }
    let problems = (!problems.is_empty()).then(|| problems.join("; "));
    let all: Vec<String> = problems.into_iter().chain(broken).collect();
    Ok((!all.is_empty()).then(|| all.join("\n")))
}

/// Why there is no environment such as the configuration names.
fn environment(
    change: &Change<'_>,
    runtime: Runtime,
    config: Option<&Map<String, Value>>,
) -> Option<MissingEnvironment> {
    let name = config?.get(ENVIRONMENT)?.as_str()?;
    change.app.runner.environment(name, runtime.language()).err()
}

/// The same for a script that is there, to whose configuration `added` adds.
fn environment_of(
    change: &Change<'_>,
    row: &ScriptRow,
    added: Option<&Map<String, Value>>,
) -> Result<Option<MissingEnvironment>, DbErr> {
    let Ok(runtime) = row.runtime.parse() else { return Ok(None) };
    let Ok(mut config) = serde_json::from_str::<Map<String, Value>>(&row.config) else { return Ok(None) };
    config.extend(added.cloned().unwrap_or_default());
    Ok(environment(change, runtime, Some(&config)))
}

async fn install(
    change: &mut Change<'_>,
    mut row: SocketRow,
    socket: &Socket,
) -> Result<SocketRow, ApiError> {
    let (db, instance) = (change.db(), change.instance.id);
    let changed = bind::bind(db, instance, row.id, socket).await?;
    script_endpoints::release_unused(db, row.id).await?;
    let wanted = flat_names(&row, socket);
    let taken = match change.app.settings.flat_names {
        FlatNames::Strict => BTreeMap::new(),
        FlatNames::Alias => sockets::taken_names(db, instance, row.id, &wanted).await?,
    };
    let names: BTreeSet<String> = wanted.into_iter().filter(|name| !taken.contains_key(name)).collect();
    sockets::claim_names(db, instance, row.id, names.iter().cloned()).await?;
    classes::need_only(db, instance, row.id, class_fields(socket)).await?;
    row.installed = Some(serde_json::to_string(&installed(socket)).map_err(ApiError::internal)?);
    row.status = SocketStatus::Ok.to_string();
    row.status_info = String::new();
    let row = sockets::update(db, row).await?;
    let used = script_endpoints::used_by(db, row.id).await?;
    let own = compile(change.instance, row.id, socket, &used, &names, &change.app.settings);
    change.route(&row.name, Some(own));
    for other in change.sockets_using(changed).await? {
        if other.id != row.id {
            change.reroute(&other).await?;
        }
    }
    Ok(row)
}

/// What is kept of a definition for running it: new scripts are rows of their own.
fn installed(socket: &Socket) -> Socket {
    let mut installed = socket.clone();
    installed.dependencies.retain(|dependency| match dependency {
        Dependency::Script(script) => matches!(script.script, ScriptSource::Existing { .. }),
        Dependency::Class(_) => false,
    });
    installed
}

fn class_fields(socket: &Socket) -> Vec<ClassField> {
    let classes = socket.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::Class(class) => Some(class),
        Dependency::Script(_) => None,
    });
    let fields = classes.flat_map(|class| {
        class.fields().map(|(field, field_type)| ClassField {
            class: class.class_name(),
            field: field.to_owned(),
            field_type: field_type.to_owned(),
        })
    });
    fields.collect()
}

/// 404 for a socket.
pub(crate) fn no_socket(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no socket named `{}`", quoted(&normalize(name))))
}

/// The dependencies that name a script by its number.
pub(crate) fn existing(socket: &Socket) -> impl Iterator<Item = (&str, i64)> {
    socket.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::Script(script) => match script.script {
            ScriptSource::Existing { script: id } => Some((script.name.as_str(), id)),
            ScriptSource::New { .. } => None,
        },
        Dependency::Class(_) => None,
    })
}

/// The names that the socket has for itself in its instance: none, if it was installed from a `socket.yml`, whose
/// authors gave endpoints names within their socket.
fn flat_names(row: &SocketRow, socket: &Socket) -> Vec<String> {
    match row.install_url {
        Some(_) => Vec::new(),
        None => socket.endpoints.keys().map(|name| normalize(name)).collect(),
    }
}

fn taken_name(endpoint: &str, owner: &str) -> String {
    format!(
        "endpoint \"{endpoint}\" already belongs to socket \"{owner}\": rename it, or start the server with `--flat-names alias`"
    )
}

fn check_revision(body: &Map<String, Value>, revision: i64) -> Result<(), ApiError> {
    match body.get(EXPECTED_REVISION) {
        None | Some(Value::Null) => Ok(()),
        Some(expected) => match integer(expected) {
            Some(expected) if expected == revision => Ok(()),
            Some(expected) => Err(ApiError::field(
                EXPECTED_REVISION,
                format!("the socket is at revision {revision}, not {expected}: somebody else changed it"),
            )),
            None => Err(ApiError::field(EXPECTED_REVISION, "expected a whole number")),
        },
    }
}
