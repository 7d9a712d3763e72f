//! Settings of a server, and its start.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use sea_orm::DbErr;
use secrecy::{ExposeSecret as _, SecretString};
use syncano_core::{NetworkPolicy, limits};
use syncano_runner::{Addresses, Doctor, Isolation, Runner, RunnerBuilder};
use tokio::net::TcpListener;

use crate::accounts::{self, Admin, normalize_email};
use crate::app::{App, FlatNames, Gate, Settings};
use crate::cache::Answers;
use crate::catalog::Catalog;
use crate::errors::ApiError;
use crate::fetch::Fetcher;
use crate::keys::KeyMaker;
use crate::passwords::Passwords;
use crate::schemas::Schemas;
use crate::server::Server;
use crate::start_error::StartError;
use crate::store::{Location, Store, state};
use crate::text_plain::LargeBodies;
use crate::throttle::{Rates, Throttle};
use crate::traces::TraceQueue;
use crate::{install, load, secret};

/// Settings of a [`Server`]; every one has a default.
#[derive(Debug, Clone)]
pub struct ServerBuilder {
    listen: SocketAddr,
    database: String,
    admin: Option<(String, SecretString)>,
    secret: Option<SecretString>,
    accept_new_secret: bool,
    addresses: Addresses,
    settings: Settings,
    runner: RunnerBuilder,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        ServerBuilder {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: "sqlite://syncano.db".to_owned(),
            admin: None,
            secret: None,
            accept_new_secret: false,
            addresses: Addresses::default(),
            settings: Settings {
                script_timeout: Duration::from_secs(30),
                open_registration: false,
                flat_names: FlatNames::default(),
                require_key: false,
                rates: Rates::default(),
            },
            runner: Runner::builder(),
        }
    }
}

impl ServerBuilder {
    /// Where to listen. Default: `127.0.0.1:8080`. Port 0 takes a free one; [`Server::addr`] tells which.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The database: `sqlite://PATH`, which is made unless it exists, or `sqlite::memory:`, which ends with the
    /// server. Default: `sqlite://syncano.db` in the working directory.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = url.into();
        self
    }

    /// An account that is made unless it exists; the password of one that exists stays as it is. Without this the
    /// first start makes an account with a key only, see [`Server::first_start_key`].
    pub fn admin(mut self, email: impl Into<String>, password: SecretString) -> Self {
        self.admin = Some((email.into(), password));
        self
    }

    /// How long a script may take that says nothing about it itself. Default: 30 s, at most 300 s.
    pub fn script_timeout(mut self, timeout: Duration) -> Self {
        self.settings.script_timeout = timeout.min(Duration::from_secs_f64(limits::TIMEOUT_SECONDS));
        self
    }

    /// The Python interpreter. Default: the system's own.
    pub fn python(mut self, path: impl Into<PathBuf>) -> Self {
        self.runner = self.runner.python(path);
        self
    }

    /// The Node interpreter, which runs JavaScript. Default: the system's own.
    pub fn node(mut self, path: impl Into<PathBuf>) -> Self {
        self.runner = self.runner.node(path);
        self
    }

    /// An environment: packages for scripts whose `config` names it under `environment`. `path` is a virtual environment of
    /// Python's, or a folder called `node_modules`; scripts can read it under that path. The two languages may have one
    /// each of the same name. A path that can't be used keeps the server from starting. Default: none.
    pub fn environment(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.runner = self.runner.environment(name, path);
        self
    }

    /// How far scripts are kept away from the machine: exactly so. Where that can't be done, the server doesn't start.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.runner = self.runner.isolation(isolation);
        self
    }

    /// How far scripts are kept away from the machine at least; a machine that can do better does. Default:
    /// [`Isolation::Process`]. Where that can't be done, the server doesn't start.
    pub fn isolation_minimum(mut self, isolation: Isolation) -> Self {
        self.runner = self.runner.isolation_minimum(isolation);
        self
    }

    /// Finds out, by trying, how far this machine can keep scripts away, and what it lacks. Starts nothing that stays.
    pub fn examine(self) -> Doctor {
        self.runner.examine()
    }

    /// How many processes may run scripts at a time. Default: four per processor, at least 16. Further calls wait.
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.runner = self.runner.max_workers(workers);
        self
    }

    /// The memory that all of them together may take, in bytes, if each takes all that it can: there are no more of them than
    /// fit. Default: no limit but the number of processes times [`script_memory`](Self::script_memory) and the rest that
    /// each can take; see [`RunnerBuilder::max_workers_memory`](syncano_runner::RunnerBuilder::max_workers_memory).
    pub fn max_workers_memory(mut self, bytes: u64) -> Self {
        self.runner = self.runner.max_workers_memory(bytes);
        self
    }

    /// How many calls may wait for a process before further ones are answered as `blocked`.
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.runner = self.runner.max_waiting(calls);
        self
    }

    /// The memory of one script's process, in bytes. Default: 200 MiB.
    pub fn script_memory(mut self, bytes: u64) -> Self {
        self.runner = self.runner.memory(bytes);
        self
    }

    /// Whether anyone may make an account. Default: no.
    pub fn open_registration(mut self, open: bool) -> Self {
        self.settings.open_registration = open;
        self
    }

    /// Whether every run needs a key of its instance's owner, as private calls always do. Default: no.
    pub fn require_key(mut self, required: bool) -> Self {
        self.settings.require_key = required;
        self
    }

    /// What becomes of an endpoint whose name another socket of the instance has already. Default:
    /// [`FlatNames::Strict`].
    pub fn flat_names(mut self, policy: FlatNames) -> Self {
        self.settings.flat_names = policy;
        self
    }

    /// Whom scripts may talk to at most; a socket narrows it for its own scripts (`metadata.network`). Default:
    /// [`NetworkPolicy::Public`]. They have a network at [`Isolation::Namespace`] only.
    pub fn network(mut self, policy: NetworkPolicy) -> Self {
        self.runner = self.runner.network(policy);
        self
    }

    /// Allows a network that isn't public, besides all public addresses: scripts may talk to it, and sockets be fetched from
    /// it.
    pub fn allow_network(mut self, network: IpNet) -> Self {
        self.addresses.allow(network);
        self.runner = self.runner.allow_network(network);
        self
    }

    /// The addresses of a host for scripts, as a line of `/etc/hosts` has them: it is not looked up. They are still checked.
    pub fn host(mut self, name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.runner = self.runner.host(name, addresses);
        self
    }

    /// How many requests per second each instance answers, runs included; further ones get 429. Default: any number.
    pub fn instance_rate(mut self, per_second: NonZeroU32) -> Self {
        self.settings.rates.instance = Some(per_second);
        self
    }

    /// How many requests per second outside instances each account may make. Default: any number.
    pub fn account_rate(mut self, per_second: NonZeroU32) -> Self {
        self.settings.rates.account = Some(per_second);
        self
    }

    /// How many requests per second outside instances may come from one address without a key; behind a proxy that
    /// is the proxy's. Default: any number.
    pub fn anonymous_rate(mut self, per_second: NonZeroU32) -> Self {
        self.settings.rates.anonymous = Some(per_second);
        self
    }

    /// What all keys are made from, 16 characters at least. Default: a file beside the database, named after it with `.secret` added, which
    /// the first start makes for its owner alone.
    pub fn secret(mut self, secret: SecretString) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Starts even if the database was used with another secret before. Every key changes. Default: no.
    pub fn accept_new_secret(mut self, accept: bool) -> Self {
        self.accept_new_secret = accept;
        self
    }

    /// Starts the server in the current Tokio runtime. When this returns, everything is ready.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub async fn start(self) -> Result<Server, StartError> {
        if cfg!(not(target_os = "linux")) {
            return Err(StartError::Platform);
        }
        let admin = match &self.admin {
            None => None,
            Some((email, password)) => {
                let email = normalize_email(email)
                    .map_err(|problem| StartError::Admin { email: email.clone(), problem })?;
                Some((email, password.clone()))
            }
        };
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|source| StartError::Listen { address: self.listen, source })?;
        let (location, store, keys) = self.open().await?;

        let runner = self.runner;
        // Looks for interpreters and tries them out, which blocks.
        let runner = tokio::task::spawn_blocking(move || runner.build())
            .await
            .map_err(|source| StartError::Internal(source.to_string()))?
            .map_err(|source| StartError::Runner(Box::new(source)))?;
        let app = App {
            traces: TraceQueue::start(store.clone()),
            store,
            answers: Answers::default(),
            schemas: Schemas::default(),
            catalog: Catalog::default(),
            keys,
            passwords: Passwords::new(),
            runner,
            fetcher: Fetcher::new(self.addresses).map_err(|error| StartError::Internal(error.to_string()))?,
            settings: self.settings,
            gate: Gate::default(),
            large_bodies: LargeBodies::default(),
            throttle: Throttle::new(),
            installs: install::Installs::default(),
            seen: Default::default(),
        };
        let database = |source| unusable(&self.database, source);
        install::clean_up(&app).await.map_err(database)?;
        load::everything(&app).await.map_err(database)?;
        let configured = admin.as_ref().map(|(email, password)| (email.as_str(), password));
        let admin =
            accounts::admin(&app, configured).await.map_err(|error| StartError::Internal(internal(error)))?;
        tracing::info!(
            database = self.database,
            isolation = %app.runner.isolation(),
            instances = app.catalog.instances().len(),
            "ready"
        );
        let shared_database = location.path().is_some();
        start_serving(Arc::new(app), listener, admin, configured.is_some(), shared_database)
    }

    /// Opens the database, with the secret that belongs to it.
    pub(crate) async fn open(&self) -> Result<(Location, Store, KeyMaker), StartError> {
        let location = Location::parse(&self.database)
            .ok_or_else(|| StartError::DatabaseUrl { url: self.database.clone() })?;
        let store = Store::open(&location).await.map_err(|source| unusable(&self.database, source))?;
        let keys = self.keys(&location, &store).await?;
        Ok((location, store, keys))
    }

    /// Finds the secret and makes sure that it is the one the database was used with.
    async fn keys(&self, location: &Location, store: &Store) -> Result<KeyMaker, StartError> {
        let database = |source| unusable(&self.database, source);
        let known = state::fingerprint(&store.db).await.map_err(database)?;
        let found = match &self.secret {
            Some(secret) if secret.expose_secret().chars().count() < secret::LEAST => {
                return Err(StartError::ShortSecret { least: secret::LEAST });
            }
            Some(secret) => Ok(secret.clone()),
            // A new file would change every key.
            None if known.is_some() && !self.accept_new_secret => secret::existing(location),
            None => secret::find(location),
        };
        let keys = KeyMaker::new(found.map_err(|source| StartError::Secret {
            path: location.path().map(secret::path).unwrap_or_default(),
            source,
        })?);
        let fingerprint = keys.fingerprint();
        match known {
            Some(known) if known == fingerprint => {}
            Some(_) if !self.accept_new_secret => return Err(StartError::OtherSecret),
            _ => {
                let write = store.write().await.map_err(database)?;
                state::set_fingerprint(&write.tx, &fingerprint).await.map_err(database)?;
                write.commit().await.map_err(database)?;
            }
        }
        Ok(keys)
    }
}

/// Returns the error of the database at this URL.
fn unusable(url: &str, source: DbErr) -> StartError {
    let source: Box<dyn std::error::Error + Send + Sync> = match source {
        // The library would write `Custom Error` before our own texts.
        DbErr::Custom(said) => said.into(),
        source => Box::new(source),
    };
    StartError::Database { url: url.to_owned(), source }
}

fn start_serving(
    app: Arc<App>,
    listener: TcpListener,
    admin: Admin,
    admin_is_configured: bool,
    shared_database: bool,
) -> Result<Server, StartError> {
    let Admin { key, made } = admin;
    let first_start = made && !admin_is_configured;
    Server::serve(app, listener, key, first_start, shared_database)
        .map_err(|error| StartError::Internal(error.to_string()))
}

/// The text of an error that has been logged already.
fn internal(error: ApiError) -> String {
    match error {
        ApiError::Detail(_, text) => text,
        other => format!("{other:?}"),
    }
}
