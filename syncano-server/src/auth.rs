//! Who is calling: the key and where it may stand.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::header;
use http::request::Parts;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::catalog::Account;
use crate::errors::ApiError;
use crate::keys;
use crate::request::{self, DEFINITION_BYTES, Fields, Head};

const KEY_HEADER: &str = "x-api-key";
/// Where a body carries a key.
const KEY_FIELD: &str = "_api_key";

/// Bytes of a body that is read from someone who may yet turn out to have no key.
const KEYLESS_BYTES: usize = 1024 * 1024;

/// The keys that a request brings along, the most telling first.
fn candidates(head: &Head) -> Vec<String> {
    let headers: Vec<String> = head
        .headers
        .get_all(KEY_HEADER)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .filter(|key| !key.is_empty())
        .collect();
    if !headers.is_empty() {
        return headers;
    }
    if let Some(key) = head.query.last("api_key").or_else(|| head.query.last("apikey")) {
        return vec![key.to_owned()];
    }
    // `token KEY`, `Bearer KEY`: the word doesn't matter.
    let authorization = head.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    authorization.split_whitespace().nth(1).map(str::to_owned).into_iter().collect()
}

/// Finds the account that a request acts for. `Ok(None)`: it brings no key.
///
/// # Errors
/// 403 if it brings keys and none is valid.
pub(crate) fn caller(app: &App, head: &Head, body: Option<&Value>) -> Result<Option<Arc<Account>>, ApiError> {
    let mut keys = candidates(head);
    if keys.is_empty() {
        keys.extend(body.and_then(|body| body.get(KEY_FIELD)?.as_str()).map(str::to_owned));
    }
    if keys.is_empty() {
        return Ok(None);
    }
    // One client of old sends the word `undefined` beside its key: any valid key will do.
    match keys.iter().find_map(|key| app.catalog.account_of(&keys::parse(key)?)) {
        Some(account) => Ok(Some(account)),
        None => Err(ApiError::forbidden("the key is not valid")),
    }
}

/// A request made with an account's key, and the fields of its body.
pub(crate) struct Authorized {
    pub(crate) account: Arc<Account>,
    pub(crate) head: Head,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<App>> for Authorized {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let head = Head::new(&parts);
        // A bad key is refused before a body is read.
        let known = caller(app, &head, None)?;
        let limit = if known.is_some() { DEFINITION_BYTES } else { KEYLESS_BYTES };
        let body = request::read(&head.headers, body, limit).await?;
        let body = request::json(&head.headers, &body);
        let account = match (known, &body) {
            (Some(account), _) => Some(account),
            (None, Ok(body)) => caller(app, &head, body.as_ref())?,
            (None, Err(_)) => None,
        };
        let account = account.ok_or_else(|| ApiError::forbidden("this needs an account key"))?;
        Ok(Authorized { account, head, fields: request::fields(body?)? })
    }
}

/// The fields of a request that needs no key; one that it brings all the same is not looked at.
pub(crate) struct Open(pub(crate) Fields);

impl FromRequest<Arc<App>> for Open {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = request::read(&parts.headers, body, syncano_core::limits::RUN_BODY_BYTES).await?;
        request::fields(request::json(&parts.headers, &body)?).map(Open)
    }
}

impl Fields {
    /// A password, if the field is there.
    pub(crate) fn password(&self, field: &str) -> Result<SecretString, ApiError> {
        self.required_text(field).map(SecretString::from)
    }
}

/// The variable segments of the URL. What can't be decoded is not a name of anything.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T> Deref for Segments<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Segments(segments)),
            Err(_) => Err(ApiError::no_such_url()),
        }
    }
}
