//! What the operator does about accounts and keys on the database itself, beside a server that may be running on it.

use std::collections::HashMap;
use std::path::PathBuf;

use sea_orm::DbErr;
use secrecy::SecretString;
use thiserror::Error;

use crate::accounts::normalize_email;
use crate::keys::{self, KeyMaker};
use crate::passwords::Passwords;
use crate::server::Server;
use crate::start_error::StartError;
use crate::store::accounts::{self, AccountRow, NewAccount};
use crate::store::{Location, Store, api_keys, instances, is_taken, state};
use crate::time;

/// The accounts of a database, for its operator. A server that runs on it notices every change within a second.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use syncano_server::{Accounts, Server};
///
/// # let folder = tempfile::tempdir()?;
/// # let database = format!("sqlite://{}", folder.path().join("syncano.db").display());
/// let server = Server::builder().listen(([127, 0, 0, 1], 0).into()).database(&database).start().await?;
/// let accounts = Accounts::open(&database, None).await?;
/// let key = accounts.add("ann@example.org", Some("a long password".into())).await?;
/// assert_eq!(accounts.list().await?[1].email, "ann@example.org");
/// # drop(key);
/// accounts.close().await?;
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Accounts {
    store: Store,
    keys: KeyMaker,
    passwords: Passwords,
}

/// Why something can't be done about an account.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountError {
    /// There is no such database yet.
    #[error("there is no database at {}: a server makes it when it starts; or name another", path.display())]
    NoDatabase {
        /// Where it should be.
        path: PathBuf,
    },
    /// A database that only lives inside a server.
    #[error("a database in memory can't be opened beside its server: name one in a file, sqlite://PATH")]
    InMemory,
    /// The database or its secret can't be used.
    #[error(transparent)]
    Open(#[from] StartError),
    /// No e-mail address.
    #[error("the e-mail address `{email}` can't be used: {problem}")]
    Email {
        /// As given.
        email: String,
        /// Why.
        problem: &'static str,
    },
    /// There is such an account already.
    #[error("there is an account `{0}` already: choose another e-mail address")]
    Taken(String),
    /// There is no such account.
    #[error("there is no account `{0}`: the list of accounts says which there are")]
    NoAccount(String),
    /// There is no such API key.
    #[error("there is no API key {0}: the list of keys says which there are")]
    NoApiKey(i64),
    /// The database can't be read or written.
    #[error("the database failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The password can't be hashed.
    #[error("the password can't be hashed")]
    Password,
}

impl From<DbErr> for AccountError {
    fn from(error: DbErr) -> Self {
        AccountError::Database(Box::new(error))
    }
}

/// An account, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountInfo {
    /// Its number.
    pub id: i64,
    /// Its e-mail address, in lower case.
    pub email: String,
    /// Whether it can log in with a password; otherwise it has a key only.
    pub has_password: bool,
    /// When it was made, as the API writes it.
    pub created_at: String,
}

/// A key and whose it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The account that it belongs to.
    pub email: String,
    /// What it opens; `None`: everything that the account owns.
    pub api_key: Option<ApiKeyInfo>,
    /// The key itself.
    pub key: SecretString,
}

/// An API key of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKeyInfo {
    /// Its number.
    pub id: i64,
    /// The instance that it opens.
    pub instance: String,
    /// What its maker says about it.
    pub description: String,
}

impl Accounts {
    /// Opens the database `sqlite://PATH`, which a server has made. `secret` is what the server was given; `None`: the
    /// file beside the database.
    ///
    /// # Errors
    /// There is no such database, it can't be used, or it was used with another secret.
    pub async fn open(database: &str, secret: Option<SecretString>) -> Result<Accounts, AccountError> {
        match Location::parse(database) {
            Some(Location::Memory) => return Err(AccountError::InMemory),
            Some(Location::File(path)) if !path.exists() => return Err(AccountError::NoDatabase { path }),
            _ => {}
        }
        let mut settings = Server::builder().database(database);
        if let Some(secret) = secret {
            settings = settings.secret(secret);
        }
        let (_, store, keys) = settings.open().await?;
        Ok(Accounts { store, keys, passwords: Passwords::new() })
    }

    /// Makes an account and tells its key. Without a password it has the key only.
    ///
    /// # Errors
    /// The e-mail address is none or taken, or the database fails.
    pub async fn add(
        &self,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<SecretString, AccountError> {
        let normal = normalize_email(email)
            .map_err(|problem| AccountError::Email { email: email.to_owned(), problem })?;
        let password_hash = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let new = NewAccount { email: normal.clone(), password_hash, ..NewAccount::default() };
        let write = self.store.write().await?;
        let row = accounts::insert(&write.tx, new).await.map_err(|error| match is_taken(&error) {
            true => AccountError::Taken(normal),
            false => error.into(),
        })?;
        state::changed(&write.tx).await?;
        write.commit().await?;
        Ok(self.key(&row))
    }

    /// Every account, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(&self) -> Result<Vec<AccountInfo>, AccountError> {
        let rows = accounts::all(&self.store.db).await?;
        let info = |row: AccountRow| AccountInfo {
            id: row.id,
            email: row.email,
            has_password: row.password_hash.is_some(),
            created_at: time::wire(row.created_at),
        };
        Ok(rows.into_iter().map(info).collect())
    }

    /// Gives an account a password, in place of the one that it may have.
    ///
    /// # Errors
    /// There is no such account, or the database fails.
    pub async fn set_password(&self, email: &str, password: SecretString) -> Result<(), AccountError> {
        let hash = self.hash(password).await?;
        self.change(email, |row| row.password_hash = Some(hash)).await.map(drop)
    }

    /// The keys of one account or of all, each account's own before the API keys of its instances.
    ///
    /// # Errors
    /// There is no such account, or the database fails.
    pub async fn keys(&self, email: Option<&str>) -> Result<Vec<KeyInfo>, AccountError> {
        let db = &self.store.db;
        let mut rows = accounts::all(db).await?;
        if let Some(email) = email {
            let wanted = normal(email);
            rows.retain(|row| row.email == wanted);
            if rows.is_empty() {
                return Err(AccountError::NoAccount(wanted));
            }
        }
        let instances: HashMap<i64, _> =
            instances::all(db).await?.into_iter().map(|row| (row.id, row)).collect();
        let api_keys = api_keys::all(db).await?;
        let mut keys = Vec::new();
        for account in rows {
            keys.push(KeyInfo { email: account.email.clone(), api_key: None, key: self.key(&account) });
            for row in &api_keys {
                let Some(instance) = instances.get(&row.instance_id) else { continue };
                if instance.owner_id != account.id {
                    continue;
                }
                keys.push(KeyInfo {
                    email: account.email.clone(),
                    api_key: Some(ApiKeyInfo {
                        id: row.id,
                        instance: instance.name.clone(),
                        description: row.description.clone(),
                    }),
                    key: keys::written(self.keys.api_key(row.id, row.key_generation)),
                });
            }
        }
        Ok(keys)
    }

    /// Gives an account another key; the old one stops working.
    ///
    /// # Errors
    /// There is no such account, or the database fails.
    pub async fn reset_key(&self, email: &str) -> Result<SecretString, AccountError> {
        let row = self.change(email, |row| row.key_generation += 1).await?;
        Ok(self.key(&row))
    }

    /// Gives an API key another text; the old one stops working.
    ///
    /// # Errors
    /// There is no such key, or the database fails.
    pub async fn reset_api_key(&self, id: i64) -> Result<SecretString, AccountError> {
        let write = self.store.write().await?;
        let mut row = api_keys::by_id(&write.tx, id).await?.ok_or(AccountError::NoApiKey(id))?;
        row.key_generation += 1;
        let row = api_keys::update(&write.tx, row).await?;
        state::changed(&write.tx).await?;
        write.commit().await?;
        Ok(keys::written(self.keys.api_key(row.id, row.key_generation)))
    }

    /// Closes the database.
    ///
    /// # Errors
    /// The database fails.
    pub async fn close(self) -> Result<(), AccountError> {
        Ok(self.store.close().await?)
    }

    async fn change(
        &self,
        email: &str,
        edit: impl FnOnce(&mut AccountRow),
    ) -> Result<AccountRow, AccountError> {
        let email = normal(email);
        let write = self.store.write().await?;
        let row = accounts::by_email(&write.tx, &email).await?;
        let mut row = row.ok_or(AccountError::NoAccount(email))?;
        edit(&mut row);
        let row = accounts::update(&write.tx, row).await?;
        state::changed(&write.tx).await?;
        write.commit().await?;
        Ok(row)
    }

    async fn hash(&self, password: SecretString) -> Result<String, AccountError> {
        self.passwords.hash(password).await.map_err(|_| AccountError::Password)
    }

    fn key(&self, row: &AccountRow) -> SecretString {
        keys::written(self.keys.account(row.id, row.key_generation))
    }
}

/// An address as accounts are found by it; what is none finds none.
fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}
