//! The schema's history. A migration that was released is never edited: a change is a new file.
//!
//! Which were applied stands in the table of SeaORM's own migrator, which made it at first. That crate isn't needed for a list of
//! files, and it brings all that SeaORM can do along: three databases, and five crates of dates and numbers.

use sea_orm::sea_query::{ColumnDef, IntoIden};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};

use crate::time;

mod m0001_first;
mod m0002_api_keys_and_config;
mod m0003_script_endpoints;
mod m0004_isolation;
mod m0005_warnings;

/// In the order in which they are applied.
const NAMES: [&str; 5] = [
    "m0001_first",
    "m0002_api_keys_and_config",
    "m0003_script_endpoints",
    "m0004_isolation",
    "m0005_warnings",
];

/// Brings the schema up to date: as a whole, and only one process at a time.
pub(super) async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let tx = db.begin_with_options(options).await?;
    tx.execute_unprepared(
        "CREATE TABLE IF NOT EXISTS seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)",
    )
    .await?;
    let applied = applied(&tx).await?;
    if let Some(newer) = applied.iter().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(DbErr::Custom(format!(
            "a newer version of this server has changed it (by the migration `{newer}`): use that version"
        )));
    }
    for name in NAMES {
        if applied.iter().any(|applied| applied == name) {
            continue;
        }
        match name {
            "m0001_first" => m0001_first::up(&tx).await?,
            "m0002_api_keys_and_config" => m0002_api_keys_and_config::up(&tx).await?,
            "m0003_script_endpoints" => m0003_script_endpoints::up(&tx).await?,
            "m0004_isolation" => m0004_isolation::up(&tx).await?,
            _ => m0005_warnings::up(&tx).await?,
        }
        let values = [name.into(), (time::now() / 1_000_000).into()];
        let insert = "INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)";
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), insert, values)).await?;
    }
    tx.commit().await
}

async fn applied(tx: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    let select = Statement::from_string(tx.get_database_backend(), "SELECT version FROM seaql_migrations");
    tx.query_all_raw(select).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn text_null(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}

fn text(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn boolean(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

fn big_integer_null(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

fn big_integer(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn big_pk_auto(name: impl IntoIden) -> ColumnDef {
    big_integer(name).auto_increment().primary_key().take()
}

#[cfg(test)]
mod tests {
    use crate::store::{Location, Store};

    use super::*;

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("s.db"));
        let store = Store::open(&location).await.unwrap();
        store.db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_later', 1)").await.unwrap();
        store.close().await.unwrap();
        let refused = Store::open(&location).await.err().unwrap().to_string();
        assert!(refused.contains("`m9999_later`"), "{refused}");
    }
}
