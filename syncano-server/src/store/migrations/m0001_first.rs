//! Accounts, instances, sockets with their scripts and short names, traces.

use super::{big_integer, big_integer_null, big_pk_auto, boolean, text, text_null};
use sea_orm::sea_query::{
    ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index, IndexCreateStatement, Table,
    TableCreateStatement,
};
use sea_orm::{ConnectionTrait, DbErr};

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    for table in [account(), instance(), socket(), script(), socket_script(), flat_name(), trace()] {
        db.execute(&table).await?;
    }
    db.execute(&server_state()).await?;
    for index in indexes() {
        db.execute(&index).await?;
    }
    Ok(())
}

fn account() -> TableCreateStatement {
    Table::create()
        .table("account")
        .col(big_pk_auto("id"))
        .col(text("email").unique_key())
        .col(text_null("password_hash"))
        .col(text("first_name"))
        .col(text("last_name"))
        .col(boolean("active"))
        .col(text("metadata"))
        .col(big_integer("key_generation"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .to_owned()
}

fn instance() -> TableCreateStatement {
    Table::create()
        .table("instance")
        .col(big_pk_auto("id"))
        .col(text("name").unique_key())
        .col(big_integer("owner_id"))
        .col(text("description"))
        .col(text("metadata"))
        .col(big_integer("last_trace"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_by("instance", "owner_id", "account"))
        .to_owned()
}

fn socket() -> TableCreateStatement {
    Table::create()
        .table("socket")
        .col(big_pk_auto("id"))
        .col(big_integer("instance_id"))
        .col(text("name"))
        .col(text("definition"))
        .col(text_null("installed"))
        .col(text("status"))
        .col(text("status_info"))
        .col(big_integer("revision"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_by("socket", "instance_id", "instance"))
        .to_owned()
}

fn script() -> TableCreateStatement {
    Table::create()
        .table("script")
        .col(big_pk_auto("id"))
        .col(big_integer("instance_id"))
        .col(big_integer_null("socket_id"))
        .col(text("name"))
        .col(text("runtime"))
        .col(text("source"))
        .col(text("config"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_by("script", "instance_id", "instance"))
        .foreign_key(&mut owned_by("script", "socket_id", "socket"))
        .to_owned()
}

fn socket_script() -> TableCreateStatement {
    Table::create()
        .table("socket_script")
        .col(big_integer("socket_id"))
        .col(text("name"))
        .col(big_integer("script_id"))
        .primary_key(Index::create().col("socket_id").col("name"))
        .foreign_key(&mut owned_by("socket_script", "socket_id", "socket"))
        .foreign_key(&mut owned_by("socket_script", "script_id", "script"))
        .to_owned()
}

fn flat_name() -> TableCreateStatement {
    Table::create()
        .table("flat_name")
        .col(big_integer("instance_id"))
        .col(text("name"))
        .col(big_integer("socket_id"))
        .primary_key(Index::create().col("instance_id").col("name"))
        .foreign_key(&mut owned_by("flat_name", "instance_id", "instance"))
        .foreign_key(&mut owned_by("flat_name", "socket_id", "socket"))
        .to_owned()
}

fn trace() -> TableCreateStatement {
    Table::create()
        .table("trace")
        .col(big_integer("instance_id"))
        .col(big_integer("id"))
        .col(big_integer("socket_id"))
        .col(text("endpoint"))
        .col(text("status"))
        .col(big_integer_null("executed_at"))
        .col(big_integer_null("duration"))
        .col(text("result"))
        .col(text("args"))
        .col(text("meta"))
        .primary_key(Index::create().col("instance_id").col("id"))
        .foreign_key(&mut owned_by("trace", "instance_id", "instance"))
        .foreign_key(&mut owned_by("trace", "socket_id", "socket"))
        .to_owned()
}

fn server_state() -> TableCreateStatement {
    Table::create()
        .table("server_state")
        .col(big_integer("id").primary_key())
        .col(big_integer("changes"))
        .col(text("secret_fingerprint"))
        .to_owned()
}

/// A row goes with the row that it belongs to.
pub(super) fn owned_by(
    table: &'static str,
    column: &'static str,
    parent: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, column).to(parent, "id").on_delete(ForeignKeyAction::Cascade).to_owned()
}

pub(super) fn index(
    name: &str,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    index.to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("instance_owner", "instance", &["owner_id"], false),
        index("socket_name", "socket", &["instance_id", "name"], true),
        index("script_instance", "script", &["instance_id"], false),
        index("script_socket", "script", &["socket_id"], false),
        index("socket_script_script", "socket_script", &["script_id"], false),
        index("flat_name_socket", "flat_name", &["socket_id"], false),
        index("trace_endpoint", "trace", &["socket_id", "endpoint", "id"], false),
        index("trace_age", "trace", &["executed_at"], false),
    ]
}
