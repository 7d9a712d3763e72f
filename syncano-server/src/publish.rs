//! Publishing: create, update, recheck and delete of sockets.
//!
//! Each is one transaction, one at a time in an instance, and runs to its end even if the caller goes away: a crash
//! leaves the old socket or the new one. A definition whose shape is right is always stored. If something about
//! it doesn't fit what else is in the instance, the socket gets the status `error`, and what ran before goes on
//! running.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::{Map, Value};
use syncano_core::{Dependency, ScriptSource, Severity, Socket, SocketStatus, normalize};

use crate::app::{App, no_instance};
use crate::catalog::{Instance, SocketRoutes};
use crate::definition;
use crate::endpoint::compile;
use crate::errors::{ApiError, quoted};
use crate::load;
use crate::request::integer;
use crate::store::scripts::{NewScript, ScriptRow};
use crate::store::sockets::SocketRow;
use crate::store::{WriteTransaction, instances, is_taken, scripts, sockets, state};
use crate::time;

/// The field by which a change names the revision it was planned from.
const EXPECTED_REVISION: &str = "expected_revision";

/// What is to happen to a socket.
enum Change {
    Create(Map<String, Value>),
    Update(String, Map<String, Value>),
    Recheck(String),
    Delete(String),
}

pub(crate) async fn create(
    app: &Arc<App>,
    instance: Arc<Instance>,
    body: Map<String, Value>,
) -> Result<SocketRow, ApiError> {
    apply(app, instance, Change::Create(body)).await
}

pub(crate) async fn update(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: &str,
    body: Map<String, Value>,
) -> Result<SocketRow, ApiError> {
    apply(app, instance, Change::Update(normalize(name), body)).await
}

pub(crate) async fn recheck(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: &str,
) -> Result<SocketRow, ApiError> {
    apply(app, instance, Change::Recheck(normalize(name))).await
}

pub(crate) async fn delete(app: &Arc<App>, instance: Arc<Instance>, name: &str) -> Result<(), ApiError> {
    apply(app, instance, Change::Delete(normalize(name))).await.map(drop)
}

async fn apply(app: &Arc<App>, instance: Arc<Instance>, change: Change) -> Result<SocketRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move { Publishing { app: &server, instance: &instance }.run(change).await }).await
}

struct Publishing<'a> {
    app: &'a App,
    instance: &'a Instance,
}

/// Routes to put in place when the transaction is through; `None` removes them.
type Routes = Vec<(String, Option<SocketRoutes>)>;

impl Publishing<'_> {
    async fn run(&self, change: Change) -> Result<SocketRow, ApiError> {
        let _alone = self.instance.publishing.lock().await;
        let write = self.app.store.write().await?;
        if instances::by_id(&write.tx, self.instance.id).await?.is_none() {
            return Err(no_instance(&self.instance.name));
        }
        let (row, routes, what) = match change {
            Change::Create(body) => self.create(&write, body).await?,
            Change::Update(name, body) => self.update(&write, &name, &body).await?,
            Change::Recheck(name) => self.recheck(&write, &name).await?,
            Change::Delete(name) => self.delete(&write, &name).await?,
        };
        let number = state::changed(&write.tx).await?;
        write.commit().await?;
        self.app.saw(number);
        for (socket, routes) in routes {
            self.instance.install(&socket, routes);
        }
        tracing::info!(
            instance = self.instance.name,
            socket = row.name,
            revision = row.revision,
            status = row.status,
            status_info = row.status_info,
            "socket {what}"
        );
        Ok(row)
    }

    async fn create(
        &self,
        write: &WriteTransaction,
        body: Map<String, Value>,
    ) -> Result<(SocketRow, Routes, &'static str), ApiError> {
        let socket = definition::new(body).map_err(|broken| ApiError::violations(&broken))?;
        let inserted = sockets::insert(&write.tx, self.instance.id, &socket.name, String::new()).await;
        let row = inserted.map_err(|error| match is_taken(&error) {
            true => ApiError::field(
                "name",
                format!("the instance has a socket named `{}` already: choose another name", socket.name),
            ),
            false => error.into(),
        })?;
        let (row, routes) = self.settle(write, row, &socket).await?;
        Ok((row, routes, "created"))
    }

    async fn update(
        &self,
        write: &WriteTransaction,
        name: &str,
        body: &Map<String, Value>,
    ) -> Result<(SocketRow, Routes, &'static str), ApiError> {
        let mut row = self.find(write, name).await?;
        check_revision(body, row.revision)?;
        let stored = serde_json::from_str(&row.definition).map_err(ApiError::internal)?;
        let socket = definition::changed(stored, body).map_err(|broken| ApiError::violations(&broken))?;
        row.revision += 1;
        row.updated_at = time::now();
        let (row, routes) = self.settle(write, row, &socket).await?;
        Ok((row, routes, "updated"))
    }

    async fn recheck(
        &self,
        write: &WriteTransaction,
        name: &str,
    ) -> Result<(SocketRow, Routes, &'static str), ApiError> {
        let row = self.find(write, name).await?;
        let (row, routes) = match serde_json::from_str::<Socket>(&row.definition) {
            Ok(socket) => self.settle(write, row, &socket).await?,
            // Rules may have become stricter since it was stored.
            Err(error) => (self.refuse(write, row, error.to_string()).await?, Routes::new()),
        };
        Ok((row, routes, "rechecked"))
    }

    async fn delete(
        &self,
        write: &WriteTransaction,
        name: &str,
    ) -> Result<(SocketRow, Routes, &'static str), ApiError> {
        let row = self.find(write, name).await?;
        scripts::refer(&write.tx, row.id, &BTreeMap::new()).await?;
        scripts::release_unused(&write.tx, row.id).await?;
        sockets::delete(&write.tx, row.id).await?;
        let routes = vec![(row.name.clone(), None)];
        Ok((row, routes, "deleted"))
    }

    async fn find(&self, write: &WriteTransaction, name: &str) -> Result<SocketRow, ApiError> {
        sockets::by_name(&write.tx, self.instance.id, name).await?.ok_or_else(|| no_socket(name))
    }

    /// Stores the definition and installs it, if everything it needs is there.
    async fn settle(
        &self,
        write: &WriteTransaction,
        mut row: SocketRow,
        socket: &Socket,
    ) -> Result<(SocketRow, Routes), ApiError> {
        row.definition = serde_json::to_string(socket).map_err(ApiError::internal)?;
        match self.problem(&write.tx, row.id, socket).await? {
            Some(problem) => Ok((self.refuse(write, row, problem).await?, Routes::new())),
            None => self.install(write, row, socket).await,
        }
    }

    /// Notes why the definition is not installed. What was installed before stays.
    async fn refuse(
        &self,
        write: &WriteTransaction,
        mut row: SocketRow,
        problem: String,
    ) -> Result<SocketRow, ApiError> {
        row.status = SocketStatus::Error.to_string();
        row.status_info = problem;
        Ok(sockets::update(&write.tx, row).await?)
    }

    /// The first thing that the definition needs and the instance doesn't give, as a sentence.
    async fn problem(
        &self,
        db: &impl ConnectionTrait,
        id: i64,
        socket: &Socket,
    ) -> Result<Option<String>, DbErr> {
        let semantic = socket.validate().into_iter().find(|v| v.kind.severity() == Severity::Semantic);
        if let Some(violation) = semantic {
            return Ok(Some(violation.kind.to_string()));
        }
        let wanted: Vec<(&str, i64)> = existing(socket).collect();
        let found = scripts::by_ids(db, self.instance.id, wanted.iter().map(|(_, id)| *id)).await?;
        if let Some((name, id)) = wanted.iter().find(|(_, id)| !found.contains_key(id)) {
            return Ok(Some(format!("there is no script {id}, which the dependency \"{name}\" names")));
        }
        let taken = sockets::taken_name(db, self.instance.id, id, &flat_names(socket)).await?;
        Ok(taken.map(|(name, owner)| format!("endpoint \"{name}\" already belongs to socket \"{owner}\"")))
    }

    async fn install(
        &self,
        write: &WriteTransaction,
        mut row: SocketRow,
        socket: &Socket,
    ) -> Result<(SocketRow, Routes), ApiError> {
        let db = &write.tx;
        let (scripts, changed) = self.put_scripts(db, row.id, socket).await?;
        scripts::refer(db, row.id, &scripts).await?;
        scripts::release_unused(db, row.id).await?;
        sockets::claim_names(db, self.instance.id, row.id, flat_names(socket)).await?;
        // The scripts are rows of their own.
        let installed = Socket { dependencies: Vec::new(), ..socket.clone() };
        row.installed = Some(serde_json::to_string(&installed).map_err(ApiError::internal)?);
        row.status = SocketStatus::Ok.to_string();
        row.status_info = String::new();
        let row = sockets::update(db, row).await?;
        let own = compile(&self.instance.id.to_string(), row.id, socket, &scripts, &self.app.settings)
            .map_err(|problem| ApiError::internal(problem.0))?;
        let mut routes = vec![(row.name.clone(), Some(own))];
        for other in sockets::using(db, &changed, row.id).await? {
            let again = load::socket_routes(db, &self.instance.name, &other, &self.app.settings).await?;
            routes.push((other.name, again));
        }
        Ok((row, routes))
    }

    /// Writes the socket's own scripts and finds the others; tells which were there before and are changed.
    async fn put_scripts(
        &self,
        db: &impl ConnectionTrait,
        id: i64,
        socket: &Socket,
    ) -> Result<(BTreeMap<String, ScriptRow>, BTreeSet<i64>), DbErr> {
        let before = scripts::of_socket(db, id).await?;
        let mut used = BTreeMap::new();
        let mut changed = BTreeSet::new();
        for dependency in &socket.dependencies {
            let Dependency::Script(script) = dependency else { continue };
            let ScriptSource::New { runtime_name, source } = &script.script else { continue };
            let name = normalize(&script.name);
            let new = NewScript {
                name: name.clone(),
                runtime: runtime_name.to_string(),
                source: source.clone(),
                config: Value::Object(script.config.clone().unwrap_or_default()).to_string(),
            };
            let earlier = before.get(&name);
            let row = scripts::put(db, self.instance.id, id, earlier, new).await?;
            if earlier.is_some_and(|earlier| earlier.id == row.id && *earlier != row) {
                changed.insert(row.id);
            }
            used.insert(name, row);
        }
        let existing: Vec<(&str, i64)> = existing(socket).collect();
        let found = scripts::by_ids(db, self.instance.id, existing.iter().map(|(_, id)| *id)).await?;
        for (name, id) in existing {
            if let Some(row) = found.get(&id) {
                used.insert(normalize(name), row.clone());
            }
        }
        Ok((used, changed))
    }
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

fn flat_names(socket: &Socket) -> Vec<String> {
    socket.endpoints.keys().map(|name| normalize(name)).collect()
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
