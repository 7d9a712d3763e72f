//! Why a server can't start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Why a server can't start. Its text says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The sandbox needs Linux.
    #[error("the server runs on Linux only: scripts can't be isolated elsewhere")]
    Platform,
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}; choose another address or port, or end what uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The URL of the database isn't one.
    #[error("`{url}` is no database: write sqlite://PATH or sqlite::memory:")]
    DatabaseUrl {
        /// As given.
        url: String,
    },
    /// The database can't be opened, brought up to date, or read.
    #[error(
        "the database {url} can't be used: {source}; check that its folder exists, and that this user may read and \
         write there"
    )]
    Database {
        /// As given.
        url: String,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file with the secret can't be read or made.
    #[error("the secret {} can't be used: {source}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database was used with another secret.
    #[error(
        "the database was used with another secret, and every key follows from it: give that secret, or accept a new \
         one (`--accept-new-secret`, or `accept_new_secret` of the builder), which changes every key"
    )]
    OtherSecret,
    /// The secret that was given can be guessed, and every key with it.
    #[error("the secret has fewer than {least} characters: every key follows from it, so take random ones")]
    ShortSecret {
        /// Characters that there must be.
        least: usize,
    },
    /// The configured account can't be made.
    #[error("the account `{email}` can't be made: {problem}")]
    Admin {
        /// As given.
        email: String,
        /// Why.
        problem: &'static str,
    },
    /// Scripts can't be run as asked.
    #[error("scripts can't be run: {0}")]
    Runner(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something that should not happen.
    #[error("the server can't start: {0}")]
    Internal(String),
}
