//! `…/sockets/`: publishing sockets and reading them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use syncano_core::{normalize, route};

use crate::app::App;
use crate::auth::{Authorized, Segments};
use crate::catalog::Instance;
use crate::errors::ApiError;
use crate::pagination::{Ordering, Page};
use crate::publish::{self, no_socket};
use crate::reply;
use crate::store::scripts;
use crate::store::sockets::{self, SocketRow};
use crate::{time, warnings};

pub(super) async fn list(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let rows = sockets::of_instance(&app.store.db, instance.id, &page).await?;
    let mut shown = rows.into_iter().map(Shown::read).collect::<Result<Vec<_>, _>>()?;
    complete(&app, &instance, &mut shown).await?;
    let object = |socket: &Shown| socket.object(&instance.name);
    Ok(reply::ok(&page.envelope(request.head.path(), &shown, |socket| socket.row.id, object)))
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

/// The socket is fetched after the answer, in which its status is `checking`.
pub(super) async fn install(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let row = crate::install::install(&app, instance.clone(), &request.fields).await?;
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
    let mut socket = Shown::read(row)?;
    complete(app, instance, std::slice::from_mut(&mut socket)).await?;
    Ok(socket.object(&instance.name))
}

/// A socket as it is shown.
struct Shown {
    row: SocketRow,
    definition: Map<String, Value>,
}

/// Completes the dependencies that only name a script by its number: old clients need source and runtime of every
/// script. One that is gone has neither; the socket's status says so.
async fn complete(app: &App, instance: &Instance, shown: &mut [Shown]) -> Result<(), ApiError> {
    let ids: Vec<_> =
        shown.iter().flat_map(|socket| dependencies(&socket.definition)).filter_map(script_id).collect();
    let scripts = scripts::by_ids(&app.store.db, instance.id, ids).await?;
    for socket in shown {
        let Some(Value::Array(dependencies)) = socket.definition.get_mut("dependencies") else { continue };
        for dependency in dependencies {
            let Some(id) = script_id(dependency) else { continue };
            let script = scripts.get(&id);
            dependency["runtime_name"] = json!(script.map_or("", |script| &script.runtime));
            dependency["source"] = json!(script.map_or("", |script| &script.source));
        }
    }
    Ok(())
}

impl Shown {
    fn read(row: SocketRow) -> Result<Shown, ApiError> {
        let definition = serde_json::from_str(&row.definition).map_err(|error| {
            ApiError::internal(format!("the stored definition of socket {} can't be read: {error}", row.name))
        })?;
        Ok(Shown { row, definition })
    }

    fn object(&self, instance: &str) -> Value {
        let Shown { row, definition } = self;
        let field = |name: &str| definition.get(name);
        json!({
            "name": row.name,
            "description": field("description"),
            "created_at": time::wire(row.created_at),
            "updated_at": time::wire(row.updated_at),
            "status": row.status,
            "status_info": row.status_info,
            "warnings": warnings::read(&row.warnings),
            "revision": row.revision,
            "install_url": row.install_url,
            "endpoints": field("endpoints"),
            "dependencies": field("dependencies"),
            "metadata": field("metadata"),
            "config": field("config"),
            "links": {
                "self": route::socket(instance, &row.name),
                "endpoints": route::socket_endpoints(instance, &row.name),
                "recheck": route::socket_recheck(instance, &row.name),
            },
        })
    }
}

fn dependencies(definition: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    definition.get("dependencies").and_then(Value::as_array).into_iter().flatten()
}

fn script_id(dependency: &Value) -> Option<i64> {
    dependency.get("script").and_then(Value::as_i64)
}
