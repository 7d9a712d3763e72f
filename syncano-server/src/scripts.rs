//! Changes that people make to scripts and script endpoints, and what they mean for the sockets that use them.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncano_core::{Socket, SocketStatus, normalize};

use crate::app::App;
use crate::catalog::Instance;
use crate::change::Change;
use crate::errors::{ApiError, quoted};
use crate::store::script_endpoints::{self, NewScriptEndpoint, ScriptEndpointRow};
use crate::store::scripts::{self, NewScript, ScriptRow};
use crate::store::sockets::SocketRow;
use crate::store::traces::Kind;
use crate::store::{is_taken, sockets, traces};

/// Makes a script.
pub(crate) async fn create(
    app: &Arc<App>,
    instance: Arc<Instance>,
    new: NewScript,
) -> Result<ScriptRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let change = Change::begin(&server, &instance).await?;
        let row = scripts::insert(change.db(), new).await?;
        change.commit().await?;
        Ok(row)
    })
    .await
}

/// Edits a script that is no socket's.
pub(crate) async fn update(
    app: &Arc<App>,
    instance: Arc<Instance>,
    id: i64,
    edit: impl FnOnce(&mut ScriptRow) + Send + 'static,
) -> Result<ScriptRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let mut change = Change::begin(&server, &instance).await?;
        let mut row = own_script(&change, id).await?;
        edit(&mut row);
        let row = scripts::update(change.db(), row).await?;
        let endpoints = script_endpoints::of_script(change.db(), id).await?;
        for socket in change.sockets_using(endpoints.iter().map(|endpoint| endpoint.id)).await? {
            change.reroute(&socket).await?;
        }
        change.commit().await?;
        Ok(row)
    })
    .await
}

/// Deletes a script, a socket's too, with its script endpoints.
pub(crate) async fn delete(app: &Arc<App>, instance: Arc<Instance>, id: i64) -> Result<(), ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let mut change = Change::begin(&server, &instance).await?;
        scripts::by_id(change.db(), change.instance.id, id).await?.ok_or_else(|| no_script(id))?;
        let endpoints = script_endpoints::of_script(change.db(), id).await?;
        let users = users(&change, &endpoints).await?;
        traces::delete_of(change.db(), Kind::Script, [id]).await?;
        traces::delete_of(change.db(), Kind::ScriptEndpoint, endpoints.iter().map(|row| row.id)).await?;
        scripts::delete(change.db(), id).await?;
        mark_broken(&mut change, users).await?;
        change.commit().await
    })
    .await
}

/// Makes a script endpoint. Its script must be in the instance.
pub(crate) async fn create_endpoint(
    app: &Arc<App>,
    instance: Arc<Instance>,
    new: NewScriptEndpoint,
) -> Result<ScriptEndpointRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let change = Change::begin(&server, &instance).await?;
        script_exists(&change, new.script_id).await?;
        let name = new.name.clone();
        let row =
            script_endpoints::insert(change.db(), new).await.map_err(|error| match is_taken(&error) {
                true => ApiError::field(
                    "name",
                    format!("the instance has a script endpoint named `{name}` already: choose another name"),
                ),
                false => error.into(),
            })?;
        change.commit().await?;
        Ok(row)
    })
    .await
}

/// Edits a script endpoint that is no socket's.
pub(crate) async fn update_endpoint(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: String,
    edit: impl FnOnce(&mut ScriptEndpointRow) + Send + 'static,
) -> Result<ScriptEndpointRow, ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let mut change = Change::begin(&server, &instance).await?;
        let mut row = own_endpoint(&change, &name).await?;
        edit(&mut row);
        script_exists(&change, row.script_id).await?;
        let row = script_endpoints::update(change.db(), row).await?;
        for socket in change.sockets_using([row.id]).await? {
            change.reroute(&socket).await?;
        }
        change.commit().await?;
        Ok(row)
    })
    .await
}

/// Deletes a script endpoint, a socket's too, whose script goes with it if nothing else runs it.
pub(crate) async fn delete_endpoint(
    app: &Arc<App>,
    instance: Arc<Instance>,
    name: String,
) -> Result<(), ApiError> {
    let server = app.clone();
    app.to_the_end(async move {
        let mut change = Change::begin(&server, &instance).await?;
        let row = script_endpoints::by_name(change.db(), change.instance.id, &name).await?;
        let row = row.ok_or_else(|| no_script_endpoint(&name))?;
        let users = users(&change, std::slice::from_ref(&row)).await?;
        traces::delete_of(change.db(), Kind::ScriptEndpoint, [row.id]).await?;
        script_endpoints::delete(change.db(), row.id).await?;
        if let Some(socket) = row.socket_id {
            script_endpoints::release_unused(change.db(), socket).await?;
        }
        mark_broken(&mut change, users).await?;
        change.commit().await
    })
    .await
}

async fn own_script(change: &Change<'_>, id: i64) -> Result<ScriptRow, ApiError> {
    let row = scripts::by_id(change.db(), change.instance.id, id).await?.ok_or_else(|| no_script(id))?;
    match row.socket_id {
        None => Ok(row),
        Some(socket) => Err(owned_by_socket(change, "script", socket).await?),
    }
}

async fn own_endpoint(change: &Change<'_>, name: &str) -> Result<ScriptEndpointRow, ApiError> {
    let row = script_endpoints::by_name(change.db(), change.instance.id, name).await?;
    let row = row.ok_or_else(|| no_script_endpoint(name))?;
    match row.socket_id {
        None => Ok(row),
        Some(socket) => Err(owned_by_socket(change, "script endpoint", socket).await?),
    }
}

async fn owned_by_socket(change: &Change<'_>, what: &str, socket: i64) -> Result<ApiError, ApiError> {
    let socket = sockets::by_ids(change.db(), [socket]).await?.pop();
    let name = socket.map(|socket| socket.name).unwrap_or_default();
    Ok(ApiError::forbidden(format!("this {what} belongs to the socket `{name}`: change the socket instead")))
}

async fn script_exists(change: &Change<'_>, id: i64) -> Result<(), ApiError> {
    match scripts::by_id(change.db(), change.instance.id, id).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::field("script", format!("there is no script {id} in this instance"))),
    }
}

/// The sockets that use these script endpoints, and by which names.
async fn users(change: &Change<'_>, endpoints: &[ScriptEndpointRow]) -> Result<Vec<(i64, String)>, ApiError> {
    let users = script_endpoints::users(change.db(), endpoints.iter().map(|row| row.id)).await?;
    Ok(users.into_iter().map(|user| (user.socket_id, user.name)).collect())
}

/// Says in the status of these sockets which of their scripts are deleted. Calls of those say the same.
async fn mark_broken(change: &mut Change<'_>, users: Vec<(i64, String)>) -> Result<(), ApiError> {
    let rows = sockets::by_ids(change.db(), users.iter().map(|(socket, _)| *socket)).await?;
    for mut row in rows {
        let mut names: BTreeSet<String> =
            users.iter().filter(|(socket, _)| *socket == row.id).map(|(_, name)| name.clone()).collect();
        names.extend(missing(change, &row).await?);
        let texts: Vec<String> = names.iter().map(|name| deleted(name, &row.name)).collect();
        row.status = SocketStatus::Error.to_string();
        row.status_info = texts.join("; ");
        let row = sockets::update(change.db(), row).await?;
        change.reroute(&row).await?;
        crate::publish::log(change.instance, &row, "broken by a deletion");
    }
    Ok(())
}

/// The names in the calls of what a socket has installed that mean nothing any more.
async fn missing(change: &Change<'_>, row: &SocketRow) -> Result<Vec<String>, ApiError> {
    let installed = row.installed.as_deref().map(Socket::from_written);
    let Some(installed) = installed.transpose().map_err(ApiError::internal)? else { return Ok(Vec::new()) };
    let used = script_endpoints::used_by(change.db(), row.id).await?;
    let calls = installed.endpoints.values().flat_map(|endpoint| &endpoint.calls);
    let names = calls.map(|call| normalize(&call.name));
    Ok(names.filter(|name| !used.contains_key(name)).collect())
}

/// Why a call of a script that is gone doesn't run, and what the status of its socket says.
pub(crate) fn deleted(script: &str, socket: &str) -> String {
    format!(
        "the script \"{script}\" was deleted: recheck the socket \"{socket}\", which makes the script again if the socket brought it along"
    )
}

/// 404 for a script.
pub(crate) fn no_script(id: i64) -> ApiError {
    ApiError::not_found(format!("there is no script {id} in this instance"))
}

/// 404 for a script endpoint.
pub(crate) fn no_script_endpoint(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no script endpoint named `{}`", quoted(name)))
}
