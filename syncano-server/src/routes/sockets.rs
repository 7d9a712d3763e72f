//! `…/sockets/`: publishing sockets and reading them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use sea_orm::DbErr;
use serde_json::{Map, Value, json};
use syncano_core::{normalize, route};

use crate::app::App;
use crate::auth::{Authorized, Segments};
use crate::catalog::Instance;
use crate::errors::ApiError;
use crate::pagination::{Ordering, Page};
use crate::publish::{self, no_socket};
use crate::reply;
use crate::store::scripts::{self, ScriptRow};
use crate::store::sockets::{self, SocketRow};
use crate::time;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let rows = sockets::of_instance(&app.store.db, instance.id, &page).await?;
    let shown = Shown::new(&app, &instance, &rows).await?;
    Ok(reply::ok(&page.envelope(&request.head.path, &rows, |row| row.id, |row| shown.object(row))))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let row = publish::create(&app, instance.clone(), request.fields.0).await?;
    Ok(reply::created(&one(&app, &instance, row).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let row = sockets::by_name(&app.store.db, instance.id, &normalize(name)).await?;
    let row = row.ok_or_else(|| no_socket(name))?;
    Ok(reply::ok(&one(&app, &instance, row).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let row = publish::update(&app, instance.clone(), name, request.fields.0).await?;
    Ok(reply::ok(&one(&app, &instance, row).await?))
}

pub(super) async fn recheck(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let row = publish::recheck(&app, instance.clone(), name).await?;
    Ok(reply::ok(&one(&app, &instance, row).await?))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    publish::delete(&app, instance, name).await?;
    Ok(reply::no_content())
}

async fn one(app: &App, instance: &Instance, row: SocketRow) -> Result<Value, ApiError> {
    Ok(Shown::new(app, instance, std::slice::from_ref(&row)).await?.object(&row))
}

/// What it takes to show sockets: beside their rows the scripts that they only name by number.
struct Shown<'a> {
    instance: &'a str,
    scripts: HashMap<i64, ScriptRow>,
}

impl Shown<'_> {
    async fn new<'a>(app: &App, instance: &'a Instance, rows: &[SocketRow]) -> Result<Shown<'a>, DbErr> {
        let ids = rows.iter().flat_map(|row| {
            let definition = definition(row);
            dependencies(&definition).filter_map(script_id).collect::<Vec<_>>()
        });
        let scripts = scripts::by_ids(&app.store.db, instance.id, ids).await?;
        Ok(Shown { instance: &instance.name, scripts })
    }

    fn object(&self, row: &SocketRow) -> Value {
        let mut definition = definition(row);
        if let Some(Value::Array(dependencies)) = definition.get_mut("dependencies") {
            dependencies.iter_mut().for_each(|dependency| self.complete(dependency));
        }
        let mut field = |name: &str| definition.remove(name).unwrap_or_default();
        json!({
            "name": row.name,
            "description": field("description"),
            "created_at": time::wire(row.created_at),
            "updated_at": time::wire(row.updated_at),
            "status": row.status,
            "status_info": row.status_info,
            "revision": row.revision,
            "install_url": null,
            "endpoints": field("endpoints"),
            "dependencies": field("dependencies"),
            "metadata": field("metadata"),
            "config": field("config"),
            "links": {
                "self": route::socket(self.instance, &row.name),
                "endpoints": route::socket_endpoints(self.instance, &row.name),
                "recheck": route::socket_recheck(self.instance, &row.name),
            },
        })
    }

    /// Old clients need source and runtime of every script, those of others included. A script that is gone has
    /// neither; the socket's status says so.
    fn complete(&self, dependency: &mut Value) {
        let Some(id) = script_id(dependency) else { return };
        let script = self.scripts.get(&id);
        dependency["runtime_name"] = json!(script.map_or("", |script| &script.runtime));
        dependency["source"] = json!(script.map_or("", |script| &script.source));
    }
}

/// The definition as it was stored by this server, which only stores objects.
fn definition(row: &SocketRow) -> Map<String, Value> {
    serde_json::from_str(&row.definition).unwrap_or_default()
}

fn dependencies(definition: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    definition.get("dependencies").and_then(Value::as_array).into_iter().flatten()
}

fn script_id(dependency: &Value) -> Option<i64> {
    dependency.get("script").and_then(Value::as_i64)
}
