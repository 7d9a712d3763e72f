//! Accounts: registering, logging in, details, keys and passwords.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use syncano_core::{Map, route};

use crate::{Client, Error};

/// Who owns instances.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The number.
    pub id: i64,
    /// The e-mail address, in lower case.
    pub email: String,
    /// The first name.
    #[serde(default)]
    pub first_name: String,
    /// The last name.
    #[serde(default)]
    pub last_name: String,
    /// Whether it can log in.
    #[serde(default)]
    pub is_active: bool,
    /// Whether it has a password; one that was made with a key only has none.
    #[serde(default)]
    pub has_password: bool,
    /// Free data.
    #[serde(default)]
    pub metadata: Map,
}

/// What to change of an account; what is not set stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AccountUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map>,
}

impl AccountUpdate {
    /// Changes nothing yet.
    pub fn new() -> AccountUpdate {
        AccountUpdate::default()
    }

    /// Sets the first name.
    pub fn first_name(mut self, name: impl Into<String>) -> Self {
        self.first_name = Some(name.into());
        self
    }

    /// Sets the last name.
    pub fn last_name(mut self, name: impl Into<String>) -> Self {
        self.last_name = Some(name.into());
        self
    }

    /// Replaces the free data.
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

/// The part of an answer that gives a key.
#[derive(Deserialize)]
struct Keyed {
    account_key: SecretString,
}

impl Client {
    /// Makes an account. The client that is returned has its key.
    ///
    /// # Errors
    /// [`Error::Api`] when the server's registration is closed, or there is an account with this address already.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), syncano_client::Error> {
    /// use syncano_client::{AccountUpdate, Client};
    ///
    /// let client = Client::connect("http://127.0.0.1:8080")?.register("ada@example.com", "a long password").await?;
    /// client.update_account(AccountUpdate::new().first_name("Ada")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register(&self, email: &str, password: impl Into<SecretString>) -> Result<Client, Error> {
        self.keyed(&route::account_register(), email, password.into()).await
    }

    /// Logs in. The client that is returned has the account's key.
    ///
    /// # Errors
    /// [`Error::Api`] with status 401 when there is no account with this address and password.
    ///
    /// ```no_run
    /// # async fn run(password: String) -> Result<(), syncano_client::Error> {
    /// use syncano_client::Client;
    ///
    /// let client = Client::connect("http://127.0.0.1:8080")?.log_in("ada@example.com", password).await?;
    /// println!("{}", client.account().await?.first_name);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_in(&self, email: &str, password: impl Into<SecretString>) -> Result<Client, Error> {
        self.keyed(&route::account_auth(), email, password.into()).await
    }

    async fn keyed(&self, path: &str, email: &str, password: SecretString) -> Result<Client, Error> {
        let body = json!({ "email": email, "password": password.expose_secret() });
        let client = self.without_key();
        let Keyed { account_key } = client.post(path, body).await?;
        Ok(client.with_key(account_key))
    }

    /// The account that the key belongs to.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn account(&self) -> Result<Account, Error> {
        self.get(&route::account()).await
    }

    /// Changes the account, and returns it as it is then.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn update_account(&self, update: AccountUpdate) -> Result<Account, Error> {
        self.patch(&route::account(), update).await
    }

    /// Gives the account another key; the one in use is refused from now on. The client that is returned has the new one.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn reset_key(&self) -> Result<Client, Error> {
        let Keyed { account_key } = self.post(&route::account_reset_key(), json!({})).await?;
        Ok(self.clone().with_key(account_key))
    }

    /// Gives the account another password. The key stays; [`reset_key`](Client::reset_key) changes it.
    ///
    /// An account that never had a password is asked for none: `current` may be empty then.
    ///
    /// # Errors
    /// [`Error::Api`] when `current` is wrong.
    pub async fn change_password(
        &self,
        current: impl Into<SecretString>,
        new: impl Into<SecretString>,
    ) -> Result<(), Error> {
        let (current, new) = (current.into(), new.into());
        let body =
            json!({ "current_password": current.expose_secret(), "new_password": new.expose_secret() });
        self.post(&route::account_password(), body).await
    }
}
