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
use sea_orm_migration::MigratorTrait as _;
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::trace_ids::TraceIds;
use crate::private_file;

pub(crate) mod accounts;
pub(crate) mod entity;
pub(crate) mod instances;
mod migrations;
pub(crate) mod scripts;
pub(crate) mod sockets;
pub(crate) mod state;
mod trace_ids;
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
        let (url, connections) = match location {
            // Every connection to memory is a database of its own.
            Location::Memory => ("sqlite::memory:".to_owned(), 1),
            Location::File(_) => ("sqlite://".to_owned(), CONNECTIONS),
        };
        let mut options = ConnectOptions::new(url);
        options.max_connections(connections).min_connections(1).sqlx_logging(false);
        // A connection to memory must never be closed: the data would go with it. No disk can be full there either.
        let in_memory = *location == Location::Memory;
        options.map_sqlx_sqlite_pool_opts(move |pool| {
            let pool = pool.idle_timeout(None).max_lifetime(None);
            if in_memory {
                return pool;
            }
            pool.after_release(|connection, _| Box::pin(is_clean(connection)))
        });
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
                    // Of a new database only: pages that old traces leave can be given back to the file system.
                    .auto_vacuum(SqliteAutoVacuum::Incremental)
                    .journal_mode(SqliteJournalMode::Wal)
                    .log_statements_off(),
            };
            options.synchronous(SqliteSynchronous::Full).foreign_keys(true).busy_timeout(BUSY)
        });
        let db = Database::connect(options).await?;
        migrations::Migrator::up(&db, None).await?;
        Ok(Store { db, writer: Arc::default(), trace_ids: Arc::default() })
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

    /// The number of an instance's next run. No other run of it ever has the same, whatever ends the server.
    pub(crate) async fn next_trace(&self, instance: i64) -> i64 {
        self.trace_ids.next(self, instance).await
    }

    /// Gives space that deleted rows have left back to the file system. A database that was made without this
    /// ability keeps the space for new rows.
    pub(crate) async fn shrink(&self) -> Result<(), DbErr> {
        let _alone = self.writer.lock().await;
        self.db.execute_unprepared("PRAGMA incremental_vacuum").await.map(drop)
    }

    /// The last use of the store: nothing runs any more.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        let given_back = self.trace_ids.give_back(self).await;
        self.db.clone().close().await?;
        given_back
    }
}

/// Whether an insertion failed because the value is there already.
pub(crate) fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The first column of the only row of a query.
    async fn number(db: &impl sea_orm::ConnectionTrait, sql: &str) -> i64 {
        let row = db.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)).await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// Writes until SQLite says that there is no more space, as on a full disk.
    async fn fill(store: &Store) -> DbErr {
        let write = store.write().await.unwrap();
        // The limit is this connection's alone, and goes with it.
        write.tx.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        loop {
            let sql = "INSERT INTO many VALUES (zeroblob(9000))";
            if let Err(error) = write.tx.execute_unprepared(sql).await {
                return error;
            }
        }
    }

    async fn insert(store: &Store) {
        let write = store.write().await.unwrap();
        write.tx.execute_unprepared("INSERT INTO many VALUES (1)").await.unwrap();
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_stored_after_a_full_disk_stays() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("s.db"));
        let store = Store::open(&location).await.unwrap();
        store.db.execute_unprepared("CREATE TABLE many (a)").await.unwrap();
        for round in 1..=6 {
            let error = fill(&store).await.to_string();
            assert!(error.contains("full"), "{error}");
            insert(&store).await;
            // Seen by others than the connection that wrote it.
            let other = Store::open(&location).await.unwrap();
            assert_eq!(number(&other.db, "SELECT count(*) FROM many").await, round);
            insert(&other).await;
            other
                .db
                .execute_unprepared("DELETE FROM many WHERE rowid = (SELECT max(rowid) FROM many)")
                .await
                .unwrap();
            other.close().await.unwrap();
        }
        store.close().await.unwrap();
        let store = Store::open(&location).await.unwrap();
        assert_eq!(number(&store.db, "SELECT count(*) FROM many").await, 6);
    }

    #[tokio::test]
    async fn space_that_was_used_once_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::File(folder.path().join("s.db"))).await.unwrap();
        store.db.execute_unprepared("CREATE TABLE many (a)").await.unwrap();
        store.db.execute_unprepared("INSERT INTO many VALUES (zeroblob(4000000))").await.unwrap();
        let large = number(&store.db, "PRAGMA page_count").await;
        store.db.execute_unprepared("DELETE FROM many").await.unwrap();
        assert_eq!(number(&store.db, "PRAGMA page_count").await, large);
        store.shrink().await.unwrap();
        let small = number(&store.db, "PRAGMA page_count").await;
        assert!(small < large / 4, "{small} of {large} pages");
    }
}
