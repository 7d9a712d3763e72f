//! Queries about scripts.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, Func};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, Iterable as _, QueryFilter, QuerySelect as _,
};

pub(crate) use super::entity::script::Model as ScriptRow;
use super::entity::script::{ActiveModel, Column, Entity};
use crate::pagination::Page;
use crate::time;

/// A script that is about to be made.
#[derive(Debug, PartialEq)]
pub(crate) struct NewScript {
    pub(crate) instance_id: i64,
    /// The socket that owns it; `None` for a person's.
    pub(crate) socket_id: Option<i64>,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) runtime: String,
    pub(crate) source: String,
    pub(crate) config: String,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, new: NewScript) -> Result<ScriptRow, DbErr> {
    let now = time::now();
    ActiveModel {
        instance_id: Set(new.instance_id),
        socket_id: Set(new.socket_id),
        label: Set(new.label),
        description: Set(new.description),
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

pub(crate) async fn by_id(
    db: &impl ConnectionTrait,
    instance: i64,
    id: i64,
) -> Result<Option<ScriptRow>, DbErr> {
    Entity::find_by_id(id).filter(Column::InstanceId.eq(instance)).one(db).await
}

/// Those of these scripts that are in the instance.
pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    instance: i64,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, ScriptRow>, DbErr> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let filter = Column::InstanceId.eq(instance).and(Column::Id.is_in(ids));
    let rows = Entity::find().filter(filter).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The scripts whose labels start with a text, which may be empty. Of each source only so many characters are read.
pub(crate) async fn of_instance(
    db: &impl ConnectionTrait,
    instance: i64,
    label: &str,
    characters: usize,
    page: &Page<i64>,
) -> Result<Vec<ScriptRow>, DbErr> {
    let others = Column::iter().filter(|column| !matches!(column, Column::Source));
    let mut select = Entity::find()
        .select_only()
        .columns(others)
        .expr_as(start(Column::Source, characters), "source")
        .filter(Column::InstanceId.eq(instance));
    if !label.is_empty() {
        // Not LIKE: that gives some characters a meaning, and ignores letter case on one kind of database.
        select = select.filter(start(Column::Label, label.chars().count()).eq(label));
    }
    page.read(db, select, Column::Id).await
}

/// The first characters of a text.
fn start(column: Column, characters: usize) -> Expr {
    let length = i64::try_from(characters).unwrap_or(i64::MAX);
    Expr::expr(Func::cust("substr").args([Expr::col(column), 1.into(), length.into()]))
}

/// Writes the row back.
pub(crate) async fn update(db: &impl ConnectionTrait, mut row: ScriptRow) -> Result<ScriptRow, DbErr> {
    row.updated_at = time::now();
    row.into_active_model().reset_all().update(db).await
}

/// Deletes the script and the script endpoints that run it.
pub(crate) async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await.map(drop)
}

/// The scripts that a socket owns.
pub(crate) async fn owned(db: &impl ConnectionTrait, socket: i64) -> Result<Vec<ScriptRow>, DbErr> {
    Entity::find().filter(Column::SocketId.eq(socket)).all(db).await
}
