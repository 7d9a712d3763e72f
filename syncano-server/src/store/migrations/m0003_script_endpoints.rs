//! Script endpoints between sockets and scripts, scripts of people, traces of all three, fields of classes, and where a
//! socket was installed from.

use std::collections::HashSet;

use super::{big_integer, big_integer_null, big_pk_auto, boolean, text};
use sea_orm::sea_query::{Index, Table, TableCreateStatement};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::m0001_first::{index, owned_by};
use crate::store::script_endpoints::free_name;

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    for table in [script_endpoint(), socket_script_endpoint(), class_field(), new_trace()] {
        db.execute(&table).await?;
    }
    for statement in [
        "ALTER TABLE script RENAME COLUMN name TO label",
        "ALTER TABLE script ADD COLUMN description text NOT NULL DEFAULT ''",
        "ALTER TABLE socket ADD COLUMN install_url text",
        "INSERT INTO new_trace SELECT instance_id, id, 'socket_endpoint', socket_id, endpoint, status, \
         executed_at, duration, result, args, meta FROM trace",
        "DROP TABLE trace",
        "ALTER TABLE new_trace RENAME TO trace",
    ] {
        db.execute_unprepared(statement).await?;
    }
    name_scripts(db).await?;
    db.execute_unprepared("DROP TABLE socket_script").await?;
    for index in [
        index("script_endpoint_name", "script_endpoint", &["instance_id", "name"], true),
        index("script_endpoint_script", "script_endpoint", &["script_id"], false),
        index("script_endpoint_socket", "script_endpoint", &["socket_id"], false),
        index("socket_script_endpoint_target", "socket_script_endpoint", &["script_endpoint_id"], false),
        index("class_field_class", "class_field", &["instance_id", "class"], false),
        index("trace_subject", "trace", &["kind", "subject_id", "endpoint", "id"], false),
        index("trace_age", "trace", &["executed_at"], false),
    ] {
        db.execute(&index).await?;
    }
    Ok(())
}

/// Every script was a socket's until now: it gets a script endpoint of its name, or of one that is free.
async fn name_scripts(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let select = "SELECT id, instance_id, label FROM script ORDER BY id";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await?;
    let mut taken = HashSet::new();
    for row in rows {
        let (id, instance): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "instance_id")?);
        let label: String = row.try_get("", "label")?;
        let name = free_name(&label, |name| taken.contains(&(instance, name.to_owned())));
        let insert = Statement::from_sql_and_values(
            db.get_database_backend(),
            "INSERT INTO script_endpoint (instance_id, socket_id, name, description, script_id, public, \
             link_generation, created_at, updated_at) \
             SELECT instance_id, socket_id, $1, '', id, $2, 0, created_at, updated_at FROM script WHERE id = $3",
            [name.clone().into(), false.into(), id.into()],
        );
        db.execute_raw(insert).await?;
        taken.insert((instance, name));
    }
    // Two sockets had the same script only if one named it by its number.
    db.execute_unprepared(
        "INSERT INTO socket_script_endpoint (socket_id, name, script_endpoint_id, pinned) \
         SELECT used.socket_id, used.name, script_endpoint.id, script_endpoint.socket_id = used.socket_id \
         FROM socket_script AS used JOIN script_endpoint ON script_endpoint.script_id = used.script_id",
    )
    .await
    .map(drop)
}

fn script_endpoint() -> TableCreateStatement {
    Table::create()
        .table("script_endpoint")
        .col(big_pk_auto("id"))
        .col(big_integer("instance_id"))
        .col(big_integer_null("socket_id"))
        .col(text("name"))
        .col(text("description"))
        .col(big_integer("script_id"))
        .col(boolean("public"))
        .col(big_integer("link_generation"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .foreign_key(&mut owned_by("script_endpoint", "instance_id", "instance"))
        .foreign_key(&mut owned_by("script_endpoint", "socket_id", "socket"))
        .foreign_key(&mut owned_by("script_endpoint", "script_id", "script"))
        .to_owned()
}

fn socket_script_endpoint() -> TableCreateStatement {
    Table::create()
        .table("socket_script_endpoint")
        .col(big_integer("socket_id"))
        .col(text("name"))
        .col(big_integer("script_endpoint_id"))
        .col(boolean("pinned"))
        .primary_key(Index::create().col("socket_id").col("name"))
        .foreign_key(&mut owned_by("socket_script_endpoint", "socket_id", "socket"))
        .foreign_key(&mut owned_by("socket_script_endpoint", "script_endpoint_id", "script_endpoint"))
        .to_owned()
}

fn class_field() -> TableCreateStatement {
    Table::create()
        .table("class_field")
        .col(big_integer("socket_id"))
        .col(text("class"))
        .col(text("field"))
        .col(big_integer("instance_id"))
        .col(text("field_type"))
        .primary_key(Index::create().col("socket_id").col("class").col("field"))
        .foreign_key(&mut owned_by("class_field", "socket_id", "socket"))
        .foreign_key(&mut owned_by("class_field", "instance_id", "instance"))
        .to_owned()
}

/// What ran may be gone while its traces are there: they go with their age.
fn new_trace() -> TableCreateStatement {
    Table::create()
        .table("new_trace")
        .col(big_integer("instance_id"))
        .col(big_integer("id"))
        .col(text("kind"))
        .col(big_integer("subject_id"))
        .col(text("endpoint"))
        .col(text("status"))
        .col(big_integer_null("executed_at"))
        .col(big_integer_null("duration"))
        .col(text("result"))
        .col(text("args"))
        .col(text("meta"))
        .primary_key(Index::create().col("instance_id").col("id"))
        .foreign_key(&mut owned_by("new_trace", "instance_id", "instance"))
        .to_owned()
}
