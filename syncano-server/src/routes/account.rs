//! `/v1.1/account/`: making accounts, logging in, keys.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use syncano_core::{metadata_violations, route};

use crate::accounts::{normalize_email, object};
use crate::app::App;
use crate::auth::{Authorized, Open, Segments};
use crate::errors::{ApiError, quoted};
use crate::keys;
use crate::reply;
use crate::store::accounts::{self, AccountRow, NewAccount};
use crate::store::{is_taken, state};

const NO_SUCH_LOGIN: &str = "there is no account with this e-mail address and password";

pub(super) async fn register(State(app): State<Arc<App>>, Open(fields): Open) -> Result<Response, ApiError> {
    if !app.settings.open_registration {
        return Err(ApiError::bad_request("registration is closed: ask the operator for an account"));
    }
    let email = normalize_email(&fields.required_text("email")?)
        .map_err(|problem| ApiError::field("email", problem))?;
    let new = NewAccount {
        email,
        first_name: fields.short_text("first_name")?.unwrap_or_default(),
        last_name: fields.short_text("last_name")?.unwrap_or_default(),
        password_hash: Some(app.passwords.hash(fields.password("password")?).await?),
    };
    let server = app.clone();
    let made = async move {
        let write = server.store.write().await?;
        let row = accounts::insert(&write.tx, new).await.map_err(|error| match is_taken(&error) {
            true => ApiError::field("email", "there is an account with this e-mail address already"),
            false => error.into(),
        })?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_account(&row, &server.keys);
        tracing::info!(account = row.id, "account made");
        Ok(row)
    };
    let row = app.to_the_end(made).await?;
    Ok(reply::created(&with_key(&app, &row)))
}

pub(super) async fn authenticate(
    State(app): State<Arc<App>>,
    Open(fields): Open,
) -> Result<Response, ApiError> {
    if let (Some(key), false) = (fields.text("api_key")?, fields.0.contains_key("email")) {
        let account = keys::parse(&key).and_then(|key| app.catalog.account_of(&key));
        let account = account.ok_or_else(unauthorized)?;
        return Ok(reply::ok(&with_key(&app, &row(&app, account.id).await?)));
    }
    // An address that can't be one has no account; saying more would tell which have.
    let email = fields.required_text("email")?.trim().to_lowercase();
    let password = fields.password("password")?;
    let row = accounts::by_email(&app.store.db, &email).await?;
    let hash = row.as_ref().and_then(|row| row.password_hash.clone());
    let right = app.passwords.verify(password, hash).await?;
    match row.filter(|row| right && row.active) {
        Some(row) => Ok(reply::ok(&with_key(&app, &row))),
        None => Err(unauthorized()),
    }
}

/// `…/auth/{backend}/`: logins by an account elsewhere.
pub(super) async fn authenticate_elsewhere(backend: Segments<String>, _: Open) -> ApiError {
    ApiError::bad_request(format!(
        "social logins (`{}`) are not supported: send email and password to {}",
        quoted(&backend),
        route::account_auth()
    ))
}

pub(super) async fn show(State(app): State<Arc<App>>, request: Authorized) -> Result<Response, ApiError> {
    Ok(reply::ok(&object(&row(&app, request.account.account()?.id).await?)))
}

pub(super) async fn update(State(app): State<Arc<App>>, request: Authorized) -> Result<Response, ApiError> {
    let account = request.account.account()?.id;
    let first_name = request.fields.short_text("first_name")?;
    let last_name = request.fields.short_text("last_name")?;
    let metadata = request.fields.checked_object("metadata", metadata_violations)?;
    let row = change(&app, account, |row| {
        if let Some(name) = first_name {
            row.first_name = name;
        }
        if let Some(name) = last_name {
            row.last_name = name;
        }
        if let Some(metadata) = metadata {
            row.metadata = Value::Object(metadata).to_string();
        }
    })
    .await?;
    Ok(reply::ok(&object(&row)))
}

pub(super) async fn reset_key(
    State(app): State<Arc<App>>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let row = change(&app, request.account.account()?.id, |row| {
        row.key_generation += 1;
    })
    .await?;
    tracing::info!(account = row.id, "key reset");
    Ok(reply::ok(&with_key(&app, &row)))
}

pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let account = request.account.account()?.id;
    let new = request.fields.password("new_password")?;
    let before = row(&app, account).await?.password_hash;
    // An account that was made with a key only has nothing to be asked for.
    if before.is_some() {
        let current = request.fields.password("current_password")?;
        if !app.passwords.verify(current, before).await? {
            return Err(ApiError::field("current_password", "this is not the password of the account"));
        }
    }
    let hash = app.passwords.hash(new).await?;
    change(&app, account, |row| {
        row.password_hash = Some(hash);
    })
    .await?;
    Ok(reply::no_content())
}

async fn row(app: &App, id: i64) -> Result<AccountRow, ApiError> {
    accounts::by_id(&app.store.db, id).await?.ok_or_else(|| ApiError::forbidden("the account is gone"))
}

/// Changes an account in one transaction, and then what is known of it.
async fn change(
    app: &Arc<App>,
    id: i64,
    edit: impl FnOnce(&mut AccountRow) + Send + 'static,
) -> Result<AccountRow, ApiError> {
    let server = app.clone();
    let changed = async move {
        let write = server.store.write().await?;
        let mut row = accounts::by_id(&write.tx, id)
            .await?
            .ok_or_else(|| ApiError::forbidden("the account is gone"))?;
        edit(&mut row);
        let row = accounts::update(&write.tx, row).await?;
        let change = state::changed(&write.tx).await?;
        write.commit().await?;
        server.seen.saw(change);
        server.catalog.put_account(&row, &server.keys);
        Ok(row)
    };
    app.to_the_end(changed).await
}

fn unauthorized() -> ApiError {
    ApiError::Detail(StatusCode::UNAUTHORIZED, NO_SUCH_LOGIN.to_owned())
}

fn with_key(app: &App, row: &AccountRow) -> Value {
    let mut account = object(row);
    account["account_key"] = json!(app.key_of(row.id, row.key_generation).expose_secret());
    account
}
