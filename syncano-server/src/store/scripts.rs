//! Queries about scripts and who uses them.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder,
};

pub(crate) use super::entity::script::Model as ScriptRow;
use super::entity::{script, socket_script};
use crate::time;

/// A script that a socket brings along.
#[derive(Debug, PartialEq)]
pub(crate) struct NewScript {
    pub(crate) name: String,
    pub(crate) runtime: String,
    pub(crate) source: String,
    pub(crate) config: String,
}

pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    instance: i64,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, ScriptRow>, DbErr> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let filter = script::Column::InstanceId.eq(instance).and(script::Column::Id.is_in(ids));
    let rows = script::Entity::find().filter(filter).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The scripts of an installed socket by the names that its calls use.
pub(crate) async fn of_socket(
    db: &impl ConnectionTrait,
    socket: i64,
) -> Result<BTreeMap<String, ScriptRow>, DbErr> {
    let used =
        socket_script::Entity::find().filter(socket_script::Column::SocketId.eq(socket)).all(db).await?;
    let ids: Vec<i64> = used.iter().map(|row| row.script_id).collect();
    let scripts: HashMap<i64, ScriptRow> = script::Entity::find()
        .filter(script::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let mut by_name = BTreeMap::new();
    for row in used {
        // Two names may mean one script.
        if let Some(script) = scripts.get(&row.script_id) {
            by_name.insert(row.name, script.clone());
        }
    }
    Ok(by_name)
}

/// Makes the script the socket's own, in place of the one it had under that name.
pub(crate) async fn put(
    db: &impl ConnectionTrait,
    instance: i64,
    socket: i64,
    before: Option<&ScriptRow>,
    new: NewScript,
) -> Result<ScriptRow, DbErr> {
    let now = time::now();
    match before.filter(|row| row.socket_id == Some(socket)) {
        Some(row) => {
            let same = row.runtime == new.runtime && row.source == new.source && row.config == new.config;
            if same {
                return Ok(row.clone());
            }
            let row = ScriptRow {
                runtime: new.runtime,
                source: new.source,
                config: new.config,
                updated_at: now,
                ..row.clone()
            };
            row.into_active_model().reset_all().update(db).await
        }
        None => {
            script::ActiveModel {
                instance_id: Set(instance),
                socket_id: Set(Some(socket)),
                name: Set(new.name),
                runtime: Set(new.runtime),
                source: Set(new.source),
                config: Set(new.config),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            }
            .insert(db)
            .await
        }
    }
}

/// Makes the socket use these scripts, by the names that its calls use, and no others.
pub(crate) async fn refer(
    db: &impl ConnectionTrait,
    socket: i64,
    scripts: &BTreeMap<String, ScriptRow>,
) -> Result<(), DbErr> {
    socket_script::Entity::delete_many().filter(socket_script::Column::SocketId.eq(socket)).exec(db).await?;
    let rows = scripts.iter().map(|(name, script)| socket_script::ActiveModel {
        socket_id: Set(socket),
        name: Set(name.clone()),
        script_id: Set(script.id),
    });
    socket_script::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Lets go of the socket's own scripts that it doesn't use any more: another socket that uses one gets it,
/// what nobody uses is deleted.
pub(crate) async fn release_unused(db: &impl ConnectionTrait, socket: i64) -> Result<(), DbErr> {
    let owned = script::Entity::find().filter(script::Column::SocketId.eq(socket)).all(db).await?;
    for row in owned {
        let users = socket_script::Entity::find()
            .filter(socket_script::Column::ScriptId.eq(row.id))
            .order_by_asc(socket_script::Column::SocketId)
            .all(db)
            .await?;
        if users.iter().any(|user| user.socket_id == socket) {
            continue;
        }
        match users.first() {
            Some(heir) => {
                let row = ScriptRow { socket_id: Some(heir.socket_id), ..row };
                row.into_active_model().reset_all().update(db).await?;
            }
            None => {
                script::Entity::delete_by_id(row.id).exec(db).await?;
            }
        }
    }
    Ok(())
}
