//! `/v1.1/instances/`: instances of an account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use sea_orm::DbErr;
use serde_json::{Map, Value, json};
use syncano_core::{NameKind, metadata_violations, normalize, route};

use crate::accounts::{object, stored_object};
use crate::app::{App, no_instance};
use crate::auth::{Authorized, Caller, Keyed, Manager, Segments};
use crate::catalog::Instance;
use crate::errors::{ApiError, quoted};
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::Fields;
use crate::store::instances::{self, InstanceRow, NewInstance};
use crate::store::{accounts, is_taken, state};
use crate::time;

pub(super) async fn list(State(app): State<Arc<App>>, request: Keyed) -> Result<Response, ApiError> {
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let one = |row: Option<InstanceRow>| page.cut(row.into_iter().collect(), |row| row.id);
    let rows = match &request.caller {
        Caller::Manager(Manager::Account(account)) => {
            instances::of_owner(&app.store.db, account.id, &page).await?
        }
        // A key of one instance sees that one.
        Caller::Manager(Manager::Token(id)) => one(instances::by_id(&app.store.db, *id).await?),
        Caller::ApiKey(api_key) => one(instances::by_id(&app.store.db, api_key.instance).await?),
    };
    let seen = Seen::by(&app, &request.caller, rows.first()).await?;
    let list = page.envelope(request.head.path(), &rows, |row| row.id, |row| seen.object(row));
    Ok(reply::ok(&list))
}

pub(super) async fn create(State(app): State<Arc<App>>, request: Authorized) -> Result<Response, ApiError> {
    let account = request.account.account()?;
    let fields = &request.fields;
    let new = NewInstance {
        name: valid_name(fields, "name")?,
        owner_id: account.id,
        description: fields.short_text("description")?.unwrap_or_default(),
        metadata: Value::Object(metadata(fields)?.unwrap_or_default()).to_string(),
    };
    let server = app.clone();
    let made = async move {
        let write = server.store.write().await?;
        let row = instances::insert(&write.tx, new).await.map_err(|error| taken(error, "name"))?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_instances([Arc::new(Instance::new(&row))]);
        tracing::info!(instance = row.name, owner = row.owner_id, "instance made");
        Ok(row)
    };
    let row = app.to_the_end(made).await?;
    Ok(reply::created(&Seen::by_owner(&app, row.owner_id).await?.object(&row)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Keyed,
) -> Result<Response, ApiError> {
    let instance = app.visible_instance(&request.caller, &name)?;
    let row = instances::by_id(&app.store.db, instance.id).await?.ok_or_else(|| no_instance(&name))?;
    Ok(reply::ok(&Seen::by(&app, &request.caller, Some(&row)).await?.object(&row)))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &name)?;
    let description = request.fields.short_text("description")?;
    let metadata = metadata(&request.fields)?;
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
    Ok(reply::ok(&Seen::by_owner(&app, row.owner_id).await?.object(&row)))
}

/// `…/rename/`: the instance goes on under another name, and so does all that is in it.
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &name)?;
    let new_name = valid_name(&request.fields, "new_name")?;
    let server = app.clone();
    let renamed = async move {
        let _alone = instance.publishing.lock().await;
        let write = server.store.write().await?;
        let row = instances::by_id(&write.tx, instance.id).await?;
        let mut row = row.ok_or_else(|| no_instance(&instance.name))?;
        row.name = new_name;
        let row = instances::update(&write.tx, row).await.map_err(|error| taken(error, "new_name"))?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_instances([Arc::new(instance.renamed(&row.name))]);
        tracing::info!(before = instance.name, instance = row.name, "instance renamed");
        Ok(row)
    };
    let row = app.to_the_end(renamed).await?;
    Ok(reply::ok(&Seen::by_owner(&app, row.owner_id).await?.object(&row)))
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
        server.seen.saw(change);
        server.catalog.remove_instance(instance.id);
        tracing::info!(instance = instance.name, "instance deleted");
        Ok(())
    };
    app.to_the_end(deleted).await?;
    Ok(reply::no_content())
}

/// `…/snippets/`: where scripts and what belongs to them are.
pub(super) async fn snippets(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let name = &app.instance(&request.account, &name)?.name;
    let links = json!({ "scripts": route::scripts(name), "config": route::instance_config(name) });
    Ok(reply::ok(&json!({ "links": links })))
}

/// `…/endpoints/`: where what can be called is.
pub(super) async fn endpoints(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let name = &app.instance(&request.account, &name)?.name;
    let links = json!({ "scripts": route::script_endpoints(name), "sockets": route::endpoints(name) });
    Ok(reply::ok(&json!({ "links": links })))
}

/// A name that an instance may have, in its normal form.
fn valid_name(fields: &Fields, field: &str) -> Result<String, ApiError> {
    let name = normalize(&fields.required_text(field)?);
    match NameKind::Instance.check(&name) {
        Ok(()) => Ok(name),
        Err(problem) => {
            let text = format!("the name `{}` can't be used: {problem}", quoted(&name));
            Err(ApiError::field(field, text))
        }
    }
}

fn taken(error: DbErr, field: &str) -> ApiError {
    match is_taken(&error) {
        true => ApiError::field(field, "there is an instance of this name already: choose another"),
        false => error.into(),
    }
}

fn metadata(fields: &Fields) -> Result<Option<Map<String, Value>>, ApiError> {
    fields.checked_object("metadata", metadata_violations)
}

/// How a caller sees instances: all have one owner.
struct Seen {
    role: &'static str,
    /// `null` for applications: whose they are is nothing for those who use them.
    owner: Value,
}

impl Seen {
    async fn by(app: &App, caller: &Caller, first: Option<&InstanceRow>) -> Result<Seen, ApiError> {
        match (caller, first) {
            (Caller::Manager(_), Some(row)) => Seen::by_owner(app, row.owner_id).await,
            _ => Ok(Seen { role: "api_key", owner: Value::Null }),
        }
    }

    async fn by_owner(app: &App, id: i64) -> Result<Seen, ApiError> {
        let row = accounts::by_id(&app.store.db, id).await?;
        let row = row.ok_or_else(|| ApiError::forbidden("the account is gone"))?;
        // The owner's role has always been shown as this.
        Ok(Seen { role: "full", owner: object(&row) })
    }

    /// An instance as it is answered. Only folders that are served are listed.
    fn object(&self, row: &InstanceRow) -> Value {
        let name = &row.name;
        json!({
            "name": name,
            "description": row.description,
            "owner": self.owner,
            "created_at": time::wire(row.created_at),
            "updated_at": time::wire(row.updated_at),
            "role": self.role,
            "location": "local",
            "metadata": stored_object(&row.metadata),
            "links": {
                "self": route::instance(name),
                "rename": route::instance_rename(name),
                "sockets": route::sockets(name),
                // Old clients look for either spelling.
                "sockets-install": route::socket_install(name),
                "sockets_install": route::socket_install(name),
                "snippets": route::snippets(name),
                "endpoints": route::endpoint_links(name),
                "api_keys": route::api_keys(name),
            },
        })
    }
}
