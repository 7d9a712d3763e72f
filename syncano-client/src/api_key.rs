//! API keys of an instance: for callers that own nothing.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use syncano_core::route;

use crate::{Error, Instance, Pages};

/// An API key of an instance, as it was when last read. With the secret, [`Client::api_key`](crate::Client::api_key)
/// calls private endpoints.
#[derive(Debug, Clone)]
pub struct ApiKey {
    instance: Instance,
    data: Data,
}

#[derive(Debug, Clone, Deserialize)]
struct Data {
    id: i64,
    #[serde(default)]
    description: String,
    api_key: SecretString,
    #[serde(default)]
    ignore_acl: bool,
    #[serde(default)]
    allow_user_create: bool,
    #[serde(default)]
    allow_group_create: bool,
    #[serde(default)]
    allow_anonymous_read: bool,
    #[serde(default)]
    created_at: Option<String>,
}

/// What an API key is for and may do; what is not set is off in a new key, and stays in an update.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ApiKeyOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_acl: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_user_create: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_group_create: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_anonymous_read: Option<bool>,
}

impl ApiKeyOptions {
    /// Says nothing yet.
    pub fn new() -> ApiKeyOptions {
        ApiKeyOptions::default()
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Whether who may do what with objects doesn't apply to it.
    pub fn ignore_acl(mut self, on: bool) -> Self {
        self.ignore_acl = Some(on);
        self
    }

    /// Whether it may make users.
    pub fn allow_user_create(mut self, on: bool) -> Self {
        self.allow_user_create = Some(on);
        self
    }

    /// Whether it may make groups.
    pub fn allow_group_create(mut self, on: bool) -> Self {
        self.allow_group_create = Some(on);
        self
    }

    /// Whether it may read data without a user's key.
    pub fn allow_anonymous_read(mut self, on: bool) -> Self {
        self.allow_anonymous_read = Some(on);
        self
    }
}

impl Instance {
    /// Makes an API key.
    ///
    /// # Errors
    /// When the account may not manage the instance.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// use syncano_client::{ApiKeyOptions, Client, ExposeSecret};
    ///
    /// let key = instance.create_api_key(ApiKeyOptions::new().description("the mobile app")).await?;
    /// let caller = Client::connect("http://127.0.0.1:8080")?.api_key(key.secret().expose_secret());
    /// # let _ = caller; Ok(())
    /// # }
    /// ```
    pub async fn create_api_key(&self, options: ApiKeyOptions) -> Result<ApiKey, Error> {
        let data = self.client().post(&route::api_keys(self.name()), options).await?;
        Ok(ApiKey { instance: self.clone(), data })
    }

    /// Its API keys.
    pub fn api_keys(&self) -> Pages<ApiKey> {
        let instance = self.clone();
        let make = move |data| ApiKey { instance: instance.clone(), data };
        Pages::new(self.client(), route::api_keys(self.name()), make)
    }

    /// The API key of that number; `None` when there is none.
    ///
    /// # Errors
    /// When the server is not reached or refuses the caller's own key.
    pub async fn api_key(&self, id: i64) -> Result<Option<ApiKey>, Error> {
        let data = self.client().find(&route::api_key(self.name(), id)).await?;
        Ok(data.map(|data| ApiKey { instance: self.clone(), data }))
    }
}

impl ApiKey {
    /// The number.
    pub fn id(&self) -> i64 {
        self.data.id
    }

    /// What it is for.
    pub fn description(&self) -> &str {
        &self.data.description
    }

    /// The key itself: 40 hexadecimal digits.
    pub fn secret(&self) -> &SecretString {
        &self.data.api_key
    }

    /// Whether who may do what with objects doesn't apply to it.
    pub fn ignore_acl(&self) -> bool {
        self.data.ignore_acl
    }

    /// Whether it may make users.
    pub fn allow_user_create(&self) -> bool {
        self.data.allow_user_create
    }

    /// Whether it may make groups.
    pub fn allow_group_create(&self) -> bool {
        self.data.allow_group_create
    }

    /// Whether it may read data without a user's key.
    pub fn allow_anonymous_read(&self) -> bool {
        self.data.allow_anonymous_read
    }

    /// When it was made, UTC.
    pub fn created_at(&self) -> Option<&str> {
        self.data.created_at.as_deref()
    }

    /// Changes it.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the caller's own key.
    pub async fn update(&mut self, options: ApiKeyOptions) -> Result<(), Error> {
        self.data = self.instance.client().patch(&self.path(), options).await?;
        Ok(())
    }

    /// Puts another key in its place: the secret of before is refused from now on.
    ///
    /// # Errors
    /// As [`update`](ApiKey::update).
    pub async fn reset(&mut self) -> Result<(), Error> {
        let path = route::api_key_reset(self.instance.name(), self.id());
        self.data = self.instance.client().post(&path, json!({})).await?;
        Ok(())
    }

    /// Reads it again.
    ///
    /// # Errors
    /// As [`update`](ApiKey::update).
    pub async fn reload(&mut self) -> Result<(), Error> {
        self.data = self.instance.client().get(&self.path()).await?;
        Ok(())
    }

    /// Deletes it: it is refused from now on.
    ///
    /// # Errors
    /// As [`update`](ApiKey::update).
    pub async fn delete(self) -> Result<(), Error> {
        self.instance.client().delete(&self.path()).await
    }

    fn path(&self) -> String {
        route::api_key(self.instance.name(), self.id())
    }
}
