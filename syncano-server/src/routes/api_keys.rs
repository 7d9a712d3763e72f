//! `…/api_keys/`: keys of an instance, for applications. They open its private endpoints and nothing that defines it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use syncano_core::route;

use crate::app::{App, no_instance};
use crate::auth::{Authorized, Caller, Keyed, Segments};
use crate::catalog::Instance;
use crate::errors::{ApiError, quoted};
use crate::keys;
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::{Fields, id};
use crate::store::api_keys::{self, ApiKeyRow, NewApiKey};
use crate::store::{instances, state};
use crate::time;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let rows = api_keys::of_instance(&app.store.db, instance.id, &page).await?;
    let object = |row: &ApiKeyRow| object(&app, &instance, row);
    Ok(reply::ok(&page.envelope(request.head.path(), &rows, |row| row.id, object)))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let said = Said::read(&request.fields)?;
    let new = NewApiKey {
        description: said.description.unwrap_or_default(),
        ignore_acl: said.ignore_acl.unwrap_or_default(),
        allow_user_create: said.allow_user_create.unwrap_or_default(),
        allow_group_create: said.allow_group_create.unwrap_or_default(),
        allow_anonymous_read: said.allow_anonymous_read.unwrap_or_default(),
    };
    let (server, its) = (app.clone(), instance.clone());
    let made = async move {
        let write = server.store.write().await?;
        if instances::by_id(&write.tx, its.id).await?.is_none() {
            return Err(no_instance(&its.name));
        }
        let row = api_keys::insert(&write.tx, its.id, new).await?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_api_key(&row, &server.keys);
        tracing::info!(instance = its.name, api_key = row.id, "API key made");
        Ok(row)
    };
    let row = app.to_the_end(made).await?;
    Ok(reply::created(&object(&app, &instance, &row)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Keyed,
) -> Result<Response, ApiError> {
    let (instance, text) = &*names;
    let instance = app.visible_instance(&request.caller, instance)?;
    let missing = || no_api_key(text);
    let id = id(text);
    if let Caller::ApiKey(own) = &request.caller
        && id != Some(own.id)
    {
        return Err(ApiError::forbidden("an API key sees only its own record: use an account key"));
    }
    let row = api_keys::by_id(&app.store.db, id.ok_or_else(missing)?).await?;
    let row = row.filter(|row| row.instance_id == instance.id).ok_or_else(missing)?;
    Ok(reply::ok(&object(&app, &instance, &row)))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let said = Said::read(&request.fields)?;
    change(&app, names, &request, |row| said.apply(row)).await
}

/// `…/reset_key/`: another key in its place.
pub(super) async fn reset_key(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    change(&app, names, &request, |row| row.key_generation += 1).await
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, text) = (*names).clone();
    let instance = app.instance(&request.account, &instance)?;
    let server = app.clone();
    let deleted = async move {
        let write = server.store.write().await?;
        let row = find(&write.tx, &instance, &text).await?;
        api_keys::delete(&write.tx, row.id).await?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.remove_api_key(row.id);
        tracing::info!(instance = instance.name, api_key = row.id, "API key deleted");
        Ok(())
    };
    app.to_the_end(deleted).await?;
    Ok(reply::no_content())
}

/// Changes an API key in one transaction, and then what is known of it.
async fn change(
    app: &Arc<App>,
    names: Segments<(String, String)>,
    request: &Authorized,
    edit: impl FnOnce(&mut ApiKeyRow) + Send + 'static,
) -> Result<Response, ApiError> {
    let (instance, text) = (*names).clone();
    let instance = app.instance(&request.account, &instance)?;
    let (server, its) = (app.clone(), instance.clone());
    let changed = async move {
        let write = server.store.write().await?;
        let mut row = find(&write.tx, &its, &text).await?;
        edit(&mut row);
        let row = api_keys::update(&write.tx, row).await?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_api_key(&row, &server.keys);
        Ok(row)
    };
    let row = app.to_the_end(changed).await?;
    Ok(reply::ok(&object(app, &instance, &row)))
}

async fn find(db: &impl ConnectionTrait, instance: &Instance, text: &str) -> Result<ApiKeyRow, ApiError> {
    let id = id(text).ok_or_else(|| no_api_key(text))?;
    let row = api_keys::by_id(db, id).await?.filter(|row| row.instance_id == instance.id);
    row.ok_or_else(|| no_api_key(text))
}

fn no_api_key(id: &str) -> ApiError {
    ApiError::not_found(format!("there is no API key `{}` in this instance", quoted(id)))
}

/// What a body says about a key; what it leaves out stays as it is.
struct Said {
    description: Option<String>,
    ignore_acl: Option<bool>,
    allow_user_create: Option<bool>,
    allow_group_create: Option<bool>,
    allow_anonymous_read: Option<bool>,
}

impl Said {
    fn read(fields: &Fields) -> Result<Said, ApiError> {
        Ok(Said {
            description: fields.short_text("description")?,
            ignore_acl: fields.boolean("ignore_acl")?,
            allow_user_create: fields.boolean("allow_user_create")?,
            allow_group_create: fields.boolean("allow_group_create")?,
            allow_anonymous_read: fields.boolean("allow_anonymous_read")?,
        })
    }

    fn apply(self, row: &mut ApiKeyRow) {
        if let Some(description) = self.description {
            row.description = description;
        }
        for (flag, said) in [
            (&mut row.ignore_acl, self.ignore_acl),
            (&mut row.allow_user_create, self.allow_user_create),
            (&mut row.allow_group_create, self.allow_group_create),
            (&mut row.allow_anonymous_read, self.allow_anonymous_read),
        ] {
            *flag = said.unwrap_or(*flag);
        }
    }
}

fn object(app: &App, instance: &Instance, row: &ApiKeyRow) -> Value {
    let key = keys::written(app.keys.api_key(row.id, row.key_generation));
    json!({
        "id": row.id,
        "description": row.description,
        "api_key": key.expose_secret(),
        "ignore_acl": row.ignore_acl,
        "allow_user_create": row.allow_user_create,
        "allow_group_create": row.allow_group_create,
        "allow_anonymous_read": row.allow_anonymous_read,
        "created_at": time::wire(row.created_at),
        "links": {
            "self": route::api_key(&instance.name, row.id),
            "reset_key": route::api_key_reset(&instance.name, row.id),
        },
    })
}
