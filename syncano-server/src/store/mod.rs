//! The database: connection, migrations, queries. Everything that only one kind of database knows is in this file.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use sea_orm::sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqlErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::trace_ids::TraceIds;
use crate::private_file;

pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod classes;
pub(crate) mod entity;
pub(crate) mod instances;
mod migrations;
pub(crate) mod script_endpoints;
pub(crate) mod scripts;
pub(crate) mod sockets;
pub(crate) mod state;
mod trace_ids;
pub(crate) mod traces;

/// How long a statement waits for another process that writes.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);
/// Pages of 4 KiB that are given back at a time.
const SHRINK: u32 = 2048;
/// Connections beside the one that writes.
const READERS: u32 = 4;

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
    /// One connection, which is replaced after a failure. On a full disk a new one can be opened only because those
    /// for reading stay: the last one to go removes files that the next one would have to make.
    for_writing: DatabaseConnection,
    /// SQLite has one writer. Waiting here is fair and costs no polling.
    writer: Arc<Mutex<()>>,
    trace_ids: Arc<TraceIds>,
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
        let is_new = match location.path() {
            Some(path) => make_private(path).map_err(|error| DbErr::Custom(error.to_string()))?,
            None => false,
        };
        // Pages that old traces leave can then be given back to the file system.
        let first = connect(location, 1, is_new.then_some(SqliteAutoVacuum::Incremental)).await?;
        migrations::up(&first).await?;
        let (db, for_writing) = match location {
            // Every connection to memory is a database of its own.
            Location::Memory => (first.clone(), first),
            Location::File(_) => {
                first.close().await?;
                (connect(location, READERS, None).await?, connect(location, 1, None).await?)
            }
        };
        Ok(Store { db, for_writing, writer: Arc::default(), trace_ids: Arc::default() })
    }

    /// Starts a transaction that writes; it sees every change that was committed before.
    pub(crate) async fn write(&self) -> Result<WriteTransaction, DbErr> {
        let alone = self.writer.clone().lock_owned().await;
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let tx = self.for_writing.begin_with_options(options).await?;
        Ok(WriteTransaction { tx, _alone: alone })
    }

    /// The number of an instance's next run. No other run of it ever has the same, whatever ends the server.
    pub(crate) async fn next_trace(&self, instance: i64) -> i64 {
        self.trace_ids.next(self, instance).await
    }

    /// Gives space that deleted rows have left back to the file system, so much at a time that nobody waits long. A database that
    /// was made without this ability keeps the space for new rows.
    pub(crate) async fn shrink(&self) -> Result<(), DbErr> {
        let _alone = self.writer.lock().await;
        self.for_writing.execute_unprepared(&format!("PRAGMA incremental_vacuum({SHRINK})")).await.map(drop)
    }

    /// The last use of the store: nothing runs any more.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        let given_back = self.trace_ids.give_back(self).await;
        self.for_writing.clone().close().await?;
        self.db.clone().close().await?;
        given_back
    }
}

/// Whether an insertion failed because the value is there already.
pub(crate) fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Opens so many connections, all of them now: later there may be no space for it. How a database gives space back
/// is decided before it has tables. It can't be said again by every connection, since saying it writes.
async fn connect(
    location: &Location,
    connections: u32,
    vacuum: Option<SqliteAutoVacuum>,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(match location {
        Location::Memory => "sqlite::memory:",
        Location::File(_) => "sqlite://",
    });
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    // A connection to memory must never be closed: the data would go with it. No disk can be full there either.
    let in_memory = *location == Location::Memory;
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        // Whether a connection can be used was asked when it came back.
        let pool = pool.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        if in_memory {
            return pool;
        }
        pool.after_release(|connection, _| Box::pin(is_clean(connection)))
    });
    let location = location.clone();
    options.map_sqlx_sqlite_opts(move |options| {
        let mut options = match &location {
            Location::Memory => options,
            // A path may contain characters that mean something in an URL.
            Location::File(path) => SqliteConnectOptions::from_str("sqlite://")
                .unwrap_or_default()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .log_statements_off(),
        };
        if let Some(vacuum) = vacuum {
            options = options.auto_vacuum(vacuum);
        }
        options.synchronous(SqliteSynchronous::Full).foreign_keys(true).busy_timeout(BUSY)
    });
    Database::connect(options).await
}

/// Whether a connection may be used again; asked whenever one comes back to the pool.
///
/// When a disk is full, a read or a write fails, or memory is short, SQLite ends the whole transaction by itself.
/// The driver's ROLLBACK then finds none and fails, and the driver goes on believing that one is open: every later
/// transaction would be a savepoint in something that is never committed, although it looks stored to whoever
/// reads over the same connection. Such a connection is closed, and the pool opens another.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A transaction that was dropped has only asked for its ROLLBACK: answered means that this is behind us.
    connection.ping().await?;
    let clean = !connection.is_in_transaction();
    if !clean {
        tracing::warn!("a transaction ended in the middle: its connection to the database is replaced");
    }
    Ok(clean)
}

/// Makes the file for its owner alone, unless it exists: it holds hashes of passwords and what scripts answered. The
/// database gives the files that it makes beside it the same mode. `true`: there is no database in it yet.
fn make_private(path: &Path) -> io::Result<bool> {
    match private_file::create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(std::fs::metadata(path)?.len() == 0),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The first column of the only row of a query.
    async fn number(db: &impl sea_orm::ConnectionTrait, sql: &str) -> i64 {
        let row = db.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)).await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    async fn insert(store: &Store, value: i64) {
        let write = store.write().await.unwrap();
        write.tx.execute_unprepared(&format!("INSERT INTO many VALUES ({value})")).await.unwrap();
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_stored_after_sqlite_has_ended_a_transaction_stays() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("s.db"));
        let store = Store::open(&location).await.unwrap();
        store.db.execute_unprepared("CREATE TABLE many (a UNIQUE)").await.unwrap();
        insert(&store, 0).await;
        for round in 1..=6 {
            let write = store.write().await.unwrap();
            // As a full disk does, this ends the whole transaction, which the driver doesn't notice.
            let failed = write.tx.execute_unprepared("INSERT OR ROLLBACK INTO many VALUES (0)").await;
            assert!(is_taken(&failed.unwrap_err()));
            drop(write);
            // One that isn't committed, as of a refused change: in the driver's view it is inside the first, and
            // so would everything be that follows.
            let refused = store.write().await.unwrap();
            refused.tx.execute_unprepared("INSERT INTO many VALUES (-1)").await.unwrap();
            drop(refused);
            insert(&store, round).await;
            // Seen by others than the connection that wrote it, and no lock is left.
            let other = Store::open(&location).await.unwrap();
            assert_eq!(number(&other.db, "SELECT count(*) FROM many").await, 1 + round);
            insert(&other, -round).await;
            let write = other.write().await.unwrap();
            write.tx.execute_unprepared("DELETE FROM many WHERE a < 0").await.unwrap();
            write.commit().await.unwrap();
            other.close().await.unwrap();
        }
        store.close().await.unwrap();
        let store = Store::open(&location).await.unwrap();
        assert_eq!(number(&store.db, "SELECT count(*) FROM many").await, 7);
    }

    #[tokio::test]
    async fn space_that_was_used_once_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("s.db"));
        let store = Store::open(&location).await.unwrap();
        store.db.execute_unprepared("CREATE TABLE many (a)").await.unwrap();
        store.close().await.unwrap();
        let store = Store::open(&location).await.unwrap();
        store.db.execute_unprepared("INSERT INTO many VALUES (zeroblob(4000000))").await.unwrap();
        let large = number(&store.db, "PRAGMA page_count").await;
        store.db.execute_unprepared("DELETE FROM many").await.unwrap();
        assert_eq!(number(&store.db, "PRAGMA page_count").await, large);
        store.shrink().await.unwrap();
        let small = number(&store.db, "PRAGMA page_count").await;
        assert!(small < large / 4, "{small} of {large} pages");
    }
}
