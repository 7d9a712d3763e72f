//! `…/snippets/config/`: what all scripts of an instance see in `CONFIG`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::Method;
use serde_json::{Map, Value, json};
use syncano_core::config_violations;

use crate::app::{App, no_instance};
use crate::auth::{Authorized, Segments};
use crate::errors::ApiError;
use crate::load;
use crate::reply;
use crate::store::{instances, state};

const FIELD: &str = "config";

pub(super) async fn show(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    Ok(reply::ok(&object(&instance.config.load())))
}

/// PUT needs the configuration; PATCH may leave it as it is.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let config = match request.fields.checked_object(FIELD, config_violations)? {
        Some(config) => Arc::new(config),
        None if request.head.method == Method::PATCH => {
            return Ok(reply::ok(&object(&instance.config.load())));
        }
        None => return Err(ApiError::field(FIELD, "this field is required")),
    };
    let (server, answer) = (app.clone(), object(&config));
    let changed = async move {
        let _alone = instance.publishing.lock().await;
        let write = server.store.write().await?;
        let row = instances::by_id(&write.tx, instance.id).await?;
        let mut row = row.ok_or_else(|| no_instance(&instance.name))?;
        row.config = Value::Object(Map::clone(&config)).to_string();
        instances::update(&write.tx, row).await?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        instance.config.store(config);
        // Calls have their configuration ready.
        let mut routes =
            load::instance_routes(&server.store.db, std::slice::from_ref(&instance), &server.settings)
                .await?;
        instance.routes.store(Arc::new(routes.remove(&instance.id).unwrap_or_default()));
        tracing::info!(instance = instance.name, "configuration changed");
        Ok(())
    };
    app.to_the_end(changed).await?;
    Ok(reply::ok(&answer))
}

fn object(config: &Map<String, Value>) -> Value {
    json!({ FIELD: config })
}
