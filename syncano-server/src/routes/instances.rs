//! `/v1.1/instances/`: instances of an account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use syncano_core::{NameKind, limits, normalize, route};

use crate::accounts::{self, stored_object};
use crate::app::{App, no_instance};
use crate::auth::{Authorized, Segments};
use crate::catalog::Instance;
use crate::errors::ApiError;
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::Fields;
use crate::store::accounts::AccountRow;
use crate::store::instances::{self, InstanceRow, NewInstance};
use crate::store::{self, is_taken, state};
use crate::time;

pub(super) async fn list(State(app): State<Arc<App>>, request: Authorized) -> Result<Response, ApiError> {
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let owner = owner(&app, request.account.id).await?;
    let rows = instances::of_owner(&app.store.db, owner.id, &page).await?;
    let list = page.envelope(&request.head.path, &rows, |row| row.id, |row| object(row, &owner));
    Ok(reply::ok(&list))
}

pub(super) async fn create(State(app): State<Arc<App>>, request: Authorized) -> Result<Response, ApiError> {
    let fields = &request.fields;
    let name = normalize(&fields.required_text("name")?);
    NameKind::Instance.check(&name).map_err(|problem| {
        ApiError::field("name", format!("the name `{}` can't be used: {problem}", name.escape_debug()))
    })?;
    let new = NewInstance {
        name,
        owner_id: request.account.id,
        description: description(fields)?.unwrap_or_default(),
        metadata: Value::Object(fields.object("metadata")?.unwrap_or_default()).to_string(),
    };
    let owner = owner(&app, request.account.id).await?;
    let server = app.clone();
    let made = async move {
        let write = server.store.write().await?;
        let row = instances::insert(&write.tx, new).await.map_err(|error| match is_taken(&error) {
            true => ApiError::field("name", "there is an instance of this name already: choose another"),
            false => error.into(),
        })?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.saw(change);
        server.catalog.put_instance(Arc::new(Instance::new(&row)));
        tracing::info!(instance = row.name, owner = row.owner_id, "instance made");
        Ok(row)
    };
    let row = app.to_the_end(made).await?;
    Ok(reply::created(&object(&row, &owner)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &name)?;
    let row = instances::by_id(&app.store.db, instance.id).await?.ok_or_else(|| no_instance(&name))?;
    Ok(reply::ok(&object(&row, &owner(&app, request.account.id).await?)))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &name)?;
    let description = description(&request.fields)?;
    let metadata = request.fields.object("metadata")?;
    let owner = owner(&app, request.account.id).await?;
    let write = app.store.write().await?;
    let mut row = instances::by_id(&write.tx, instance.id).await?.ok_or_else(|| no_instance(&name))?;
    if let Some(description) = description {
        row.description = description;
    }
    if let Some(metadata) = metadata {
        row.metadata = Value::Object(metadata).to_string();
    }
    let row = instances::update(&write.tx, row).await?;
    write.commit().await?;
    Ok(reply::ok(&object(&row, &owner)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &name)?;
    let server = app.clone();
    let deleted = async move {
        let _alone = instance.publishing.lock().await;
        let write = server.store.write().await?;
        if !instances::delete(&write.tx, instance.id).await? {
            return Err(no_instance(&instance.name));
        }
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.saw(change);
        server.catalog.remove_instance(&instance);
        tracing::info!(instance = instance.name, "instance deleted");
        Ok(())
    };
    app.to_the_end(deleted).await?;
    Ok(reply::no_content())
}

fn description(fields: &Fields) -> Result<Option<String>, ApiError> {
    let description = fields.text("description")?;
    let length = description.as_ref().map_or(0, |text| text.chars().count());
    if length > limits::DESCRIPTION {
        let text = format!("{length} characters: at most {} are allowed", limits::DESCRIPTION);
        return Err(ApiError::field("description", text));
    }
    Ok(description)
}

async fn owner(app: &App, id: i64) -> Result<AccountRow, ApiError> {
    store::accounts::by_id(&app.store.db, id).await?.ok_or_else(|| ApiError::forbidden("the account is gone"))
}

/// An instance as it is answered. Only folders that are served are listed.
fn object(row: &InstanceRow, owner: &AccountRow) -> Value {
    json!({
        "name": row.name,
        "description": row.description,
        "owner": accounts::object(owner),
        "created_at": time::wire(row.created_at),
        "updated_at": time::wire(row.updated_at),
        // The owner's role has always been shown as this.
        "role": "full",
        "location": "local",
        "metadata": stored_object(&row.metadata),
        "links": {
            "self": route::instance(&row.name),
            "sockets": route::sockets(&row.name),
        },
    })
}
