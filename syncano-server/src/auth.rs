//! Who is calling: the key and where it may stand, and what it opens.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::request::Parts;
use http::{StatusCode, header};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use syncano_core::limits;

use crate::app::App;
use crate::body::{self, Content, DEFINITION_BYTES, KEYLESS_BYTES, Kind};
use crate::catalog::{Account, ApiKey, Instance};
use crate::errors::ApiError;
use crate::filter::Filter;
use crate::keys;
use crate::request::{self, Fields, Head};
use crate::text_plain::key_inside;
use crate::time;

const KEY_HEADER: &str = "x-api-key";
/// Where a body carries a key.
pub(crate) const KEY_FIELD: &str = "_api_key";

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Somebody with the rights of an account.
    Manager(Manager),
    /// An application, with an API key of an instance.
    ApiKey(Arc<ApiKey>),
}

/// Who may define what an instance does.
#[derive(Debug, Clone)]
pub(crate) enum Manager {
    /// An account, with its key.
    Account(Arc<Account>),
    /// A script, with the token of its instance: inside that one it is as good as the owner.
    Token(i64),
}

impl Caller {
    /// The caller, if the instance runs its private endpoints for it. A stranger's account, and a script of
    /// another instance, are nobody in particular.
    ///
    /// # Errors
    /// 403 for an API key of another instance: it is of no use here, and whoever sends it should know.
    pub(crate) fn in_instance(self, instance: &Instance) -> Result<Option<Caller>, ApiError> {
        let opens = match &self {
            Caller::Manager(Manager::Account(account)) => account.id == instance.owner,
            Caller::Manager(Manager::Token(id)) => *id == instance.id,
            Caller::ApiKey(api_key) if api_key.instance != instance.id => return Err(other_instance()),
            Caller::ApiKey(_) => true,
        };
        Ok(opens.then_some(self))
    }

    /// The account that the caller acts for in an instance that it opens.
    pub(crate) fn account(&self, app: &App, instance: &Instance) -> Option<Arc<Account>> {
        match self {
            Caller::Manager(Manager::Account(account)) => Some(account.clone()),
            Caller::Manager(Manager::Token(_)) => app.catalog.account(instance.owner),
            Caller::ApiKey(_) => None,
        }
    }

    /// # Errors
    /// 403 for an API key, whatever it is allowed: it manages nothing.
    pub(crate) fn manager(self) -> Result<Manager, ApiError> {
        match self {
            Caller::Manager(manager) => Ok(manager),
            Caller::ApiKey(_) => Err(ApiError::forbidden("an API key doesn't open this: use an account key")),
        }
    }
}

/// 403 for a key that opens one instance, used on another, or on none.
pub(crate) fn other_instance() -> ApiError {
    ApiError::forbidden("the key belongs to another instance")
}

impl Manager {
    /// The account, for what is outside instances.
    ///
    /// # Errors
    /// 403 for the token of an instance.
    pub(crate) fn account(&self) -> Result<&Arc<Account>, ApiError> {
        match self {
            Manager::Account(account) => Ok(account),
            Manager::Token(_) => Err(ApiError::forbidden(
                "the token of an instance opens only that instance: use an account key",
            )),
        }
    }
}

/// The keys that a request brings along, all from the first place that has any.
fn candidates(head: &Head) -> Vec<String> {
    let headers =
        head.headers.get_all(KEY_HEADER).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    // A proxy may have joined several headers.
    let headers: Vec<String> = headers
        .flat_map(|value| value.split(',').map(|key| key.trim().to_owned()).collect::<Vec<_>>())
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
    let authorization = authorization.split_whitespace().nth(1).map(str::to_owned);
    authorization.or_else(|| head.body_key.clone()).into_iter().collect()
}

/// Finds who a request comes from. `Ok(None)`: it brings no key.
///
/// # Errors
/// 403 if it brings keys and none is valid.
pub(crate) fn caller(app: &App, head: &Head) -> Result<Option<Caller>, ApiError> {
    find(app, &candidates(head))
}

fn find(app: &App, keys: &[String]) -> Result<Option<Caller>, ApiError> {
    if keys.is_empty() {
        return Ok(None);
    }
    // One client of old sends the word `undefined` beside its key: any valid key will do.
    match keys.iter().find_map(|key| of_key(app, key)) {
        Some(caller) => Ok(Some(caller)),
        None => Err(ApiError::forbidden("the key is not valid")),
    }
}

fn of_key(app: &App, key: &str) -> Option<Caller> {
    let Some(key) = keys::parse(key) else {
        let instance = app.keys.instance_of(key, time::now())?;
        return Some(Caller::Manager(Manager::Token(instance)));
    };
    let account = app.catalog.account_of(&key).map(|account| Caller::Manager(Manager::Account(account)));
    account.or_else(|| app.catalog.api_key_of(&key).map(Caller::ApiKey))
}

/// What a body is for, which decides how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Arguments of a run.
    Run,
    /// A definition, or anything else for the API itself.
    Definition,
}

/// Who a request comes from, and its body.
pub(crate) struct Received {
    pub(crate) caller: Option<Caller>,
    /// What it says; `None` if it is empty.
    pub(crate) body: Result<Option<Content>, ApiError>,
}

/// Finds out who is calling, and reads the body: whole only for those whose key doesn't stand inside.
///
/// # Errors
/// 403 for a bad key, 413 for too large a body, 408 for one that doesn't arrive.
pub(crate) async fn receive(
    app: &App,
    head: &Head,
    body: Body,
    purpose: Purpose,
) -> Result<Received, ApiError> {
    let known = caller(app, head)?;
    let limit = match (purpose, &known) {
        (Purpose::Run, _) => limits::RUN_BODY_BYTES,
        (Purpose::Definition, Some(Caller::Manager(_))) => DEFINITION_BYTES,
        // API keys are in applications, for everybody to find.
        (Purpose::Definition, Some(Caller::ApiKey(_)) | None) => KEYLESS_BYTES,
    };
    let body = body::read(&head.headers, body, limit).await.map_err(|error| match error {
        ApiError::Detail(StatusCode::PAYLOAD_TOO_LARGE, text) if limit == KEYLESS_BYTES => {
            let text = format!(
                "{text} without an account key in the header X-API-KEY; with one, {DEFINITION_BYTES}"
            );
            ApiError::Detail(StatusCode::PAYLOAD_TOO_LARGE, text)
        }
        other => other,
    })?;
    let caller = match known {
        // In bodies of other kinds everything belongs to whom they are for.
        None if matches!(Kind::of(&head.headers), Ok(Kind::Text)) => find(app, key_inside(&body).as_slice())?,
        known => known,
    };
    let body = match (purpose, &caller) {
        // Someone without a key gets no more memory for what the body says than for the body itself.
        (Purpose::Definition, None) => Ok(None),
        (Purpose::Definition, _) => body::parse(&head.headers, body, purpose).await,
        (Purpose::Run, _) => {
            body::parse(&head.headers, body, purpose).await.and_then(|body| without_key(app, body))
        }
    };
    Ok(Received { caller, body })
}

/// Refuses arguments with a key of ours, which a client of old may have put there: no script is to get it.
fn without_key(app: &App, body: Option<Content>) -> Result<Option<Content>, ApiError> {
    let mut keys = body.iter().flat_map(|body| body.texts(KEY_FIELD));
    match keys.find_map(|key| of_key(app, key)) {
        Some(_) => Err(ApiError::field(
            KEY_FIELD,
            "this is a key of the server, and what a body says is the script's: send it in the header X-API-KEY",
        )),
        None => Ok(body),
    }
}

/// A request with a valid key, and the fields of its body.
pub(crate) struct Keyed {
    pub(crate) caller: Caller,
    pub(crate) head: Head,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<App>> for Keyed {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let (head, body) = Head::of(request);
        let Received { caller, body } = receive(app, &head, body, Purpose::Definition).await?;
        let caller = caller.ok_or_else(ApiError::no_key)?;
        let fields = request::fields(body?)?;
        // Before anything is done: what is asked of the answer must be possible.
        Filter::of(&head.query)?;
        Ok(Keyed { caller, head, fields })
    }
}

/// A request made with the rights of an account, and the fields of its body.
pub(crate) struct Authorized {
    pub(crate) account: Manager,
    pub(crate) head: Head,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<App>> for Authorized {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let Keyed { caller, head, fields } = Keyed::from_request(request, app).await?;
        Ok(Authorized { account: caller.manager()?, head, fields })
    }
}

/// The fields of a request that needs no key; one that it brings all the same is not looked at.
pub(crate) struct Open(pub(crate) Fields);

impl FromRequest<Arc<App>> for Open {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, ApiError> {
        let (head, body) = Head::of(request);
        Filter::of(&head.query)?;
        let body = body::read(&head.headers, body, limits::RUN_BODY_BYTES).await?;
        request::fields(body::parse(&head.headers, body, Purpose::Definition).await?).map(Open)
    }
}

impl Fields {
    /// A password, if the field is there.
    pub(crate) fn password(&self, field: &str) -> Result<SecretString, ApiError> {
        self.required_text(field).map(SecretString::from)
    }
}

/// The variable segments of the URL. What can't be decoded, or can't be one name, is not a name of anything.
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
        if names(parts.uri.path()).is_none() {
            return Err(ApiError::no_such_url());
        }
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Segments(segments)),
            Err(_) => Err(ApiError::no_such_url()),
        }
    }
}

/// What a path says, decoded, if each of its segments is one name: it neither hides a slash nor has white space around it, which
/// names are compared without.
pub(crate) fn names(path: &str) -> Option<Cow<'_, str>> {
    let is_one = |segment| {
        let name = percent_decode_str(segment).decode_utf8();
        name.is_ok_and(|name| !name.contains('/') && name.trim() == name)
    };
    if !path.split('/').all(is_one) {
        return None;
    }
    percent_decode_str(path).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_is_one_name() {
        for (path, decoded) in [("", ""), ("a", "a"), ("a%20b/c", "a b/c"), ("%C3%A9", "é"), ("/%25/", "/%/")]
        {
            assert_eq!(names(path).as_deref(), Some(decoded), "{path}");
        }
        for other in ["a%2Fb", "a%2fb", "a/%20a", "a%0A", "a%C2%A0", "%E3%80%80", "%FF"] {
            assert_eq!(names(other), None, "{other}");
        }
    }
}
