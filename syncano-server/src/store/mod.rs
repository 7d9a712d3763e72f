//! The database: connection, migrations, queries. Everything that only one kind of database knows is in this file.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqlErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait as _;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::private_file;

pub(crate) mod accounts;
pub(crate) mod entity;
pub(crate) mod instances;
mod migrations;
pub(crate) mod scripts;
pub(crate) mod sockets;
pub(crate) mod state;
pub(crate) mod traces;

/// How long a statement waits for another process that writes.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);
/// Readers beside the one writer.
const CONNECTIONS: u32 = 4;

/// Where the data lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Memory,
    File(PathBuf),
}

impl Location {
    /// Reads `sqlite::memory:` or `sqlite://PATH`.
    pub(crate) fn parse(url: &str) -> Option<Location> {
        match url {
            "sqlite::memory:" | "sqlite://:memory:" => Some(Location::Memory),
            _ => match url.strip_prefix("sqlite://")? {
                "" => None,
                path => Some(Location::File(PathBuf::from(path))),
            },
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Location::Memory => None,
            Location::File(path) => Some(path),
        }
    }
}

/// The database.
#[derive(Clone)]
pub(crate) struct Store {
    /// For reading; whoever writes uses [`Store::write`].
    pub(crate) db: DatabaseConnection,
    /// SQLite has one writer. Waiting here is fair and costs no polling.
    writer: Arc<Mutex<()>>,
}

/// A transaction that writes. Dropped without [`commit`](WriteTransaction::commit) it leaves nothing behind.
pub(crate) struct WriteTransaction {
    pub(crate) tx: DatabaseTransaction,
    _alone: OwnedMutexGuard<()>,
}

impl WriteTransaction {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.tx.commit().await
    }
}

impl Store {
    /// Opens the database, makes it if it isn't there, and brings its schema up to date.
    pub(crate) async fn open(location: &Location) -> Result<Store, DbErr> {
        let (url, connections) = match location {
            // Every connection to memory is a database of its own.
            Location::Memory => ("sqlite::memory:".to_owned(), 1),
            Location::File(_) => ("sqlite://".to_owned(), CONNECTIONS),
        };
        let mut options = ConnectOptions::new(url);
        options.max_connections(connections).min_connections(1).sqlx_logging(false);
        // A connection to memory must never be closed: the data would go with it.
        options.map_sqlx_sqlite_pool_opts(|pool| pool.idle_timeout(None).max_lifetime(None));
        if let Some(path) = location.path() {
            make_private(path).map_err(|error| DbErr::Custom(error.to_string()))?;
        }
        let location = location.clone();
        options.map_sqlx_sqlite_opts(move |options| {
            let options = match &location {
                Location::Memory => options,
                // A path may contain characters that mean something in an URL.
                Location::File(path) => SqliteConnectOptions::from_str("sqlite://")
                    .unwrap_or_default()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .log_statements_off(),
            };
            options.synchronous(SqliteSynchronous::Full).foreign_keys(true).busy_timeout(BUSY)
        });
        let db = Database::connect(options).await?;
        migrations::Migrator::up(&db, None).await?;
        Ok(Store { db, writer: Arc::default() })
    }

    /// Starts a transaction that writes; it sees every change that was committed before.
    pub(crate) async fn write(&self) -> Result<WriteTransaction, DbErr> {
        let alone = self.writer.clone().lock_owned().await;
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let tx = self.db.begin_with_options(options).await?;
        Ok(WriteTransaction { tx, _alone: alone })
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.db.clone().close().await
    }
}

/// Whether an insertion failed because the value is there already.
pub(crate) fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Makes the file for its owner alone, unless it exists: it holds hashes of passwords and what scripts answered. The
/// database gives the files that it makes beside it the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    match private_file::create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writing statements to a log would write sources and answers there.
trait NoLog {
    fn log_statements_off(self) -> Self;
}

impl NoLog for SqliteConnectOptions {
    fn log_statements_off(self) -> Self {
        sea_orm::sqlx::ConnectOptions::disable_statement_logging(self)
    }
}
