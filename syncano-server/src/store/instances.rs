//! Queries about instances.

use std::collections::HashSet;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QuerySelect,
};

pub(crate) use super::entity::instance::Model as InstanceRow;
use super::entity::instance::{ActiveModel, Column, Entity};
use crate::pagination::Page;
use crate::time;

/// An instance that is about to be made.
#[derive(Debug)]
pub(crate) struct NewInstance {
    /// In its normal form.
    pub(crate) name: String,
    pub(crate) owner_id: i64,
    pub(crate) description: String,
    pub(crate) metadata: String,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, new: NewInstance) -> Result<InstanceRow, DbErr> {
    let now = time::now();
    ActiveModel {
        name: Set(new.name),
        owner_id: Set(new.owner_id),
        description: Set(new.description),
        metadata: Set(new.metadata),
        config: Set("{}".to_owned()),
        last_trace: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<InstanceRow>, DbErr> {
    Entity::find().all(db).await
}

pub(crate) async fn of_owner(
    db: &impl ConnectionTrait,
    owner: i64,
    page: &Page<i64>,
) -> Result<Vec<InstanceRow>, DbErr> {
    page.read(db, Entity::find().filter(Column::OwnerId.eq(owner)), Column::Id).await
}

pub(crate) async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<InstanceRow>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes the row back.
pub(crate) async fn update(db: &impl ConnectionTrait, mut row: InstanceRow) -> Result<InstanceRow, DbErr> {
    row.updated_at = time::now();
    row.into_active_model().reset_all().update(db).await
}

/// Deletes the instance and all that is in it. `false`: it was not there.
pub(crate) async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected > 0)
}

/// Which of these instances are there.
pub(crate) async fn present(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashSet<i64>, DbErr> {
    let select = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(ids));
    Ok(select.into_tuple::<i64>().all(db).await?.into_iter().collect())
}

/// Notes that numbers of runs up to this one are used, or about to be.
pub(crate) async fn raise_last_trace(db: &impl ConnectionTrait, id: i64, trace: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastTrace, Expr::value(trace))
        .filter(Column::Id.eq(id).and(Column::LastTrace.lt(trace)))
        .exec(db)
        .await
        .map(drop)
}

/// Notes that the numbers of runs after `used` are free, if `noted` is still what stands there: nobody else has
/// taken higher ones.
pub(crate) async fn lower_last_trace(
    db: &impl ConnectionTrait,
    id: i64,
    noted: i64,
    used: i64,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastTrace, Expr::value(used))
        .filter(Column::Id.eq(id).and(Column::LastTrace.eq(noted)))
        .exec(db)
        .await
        .map(drop)
}
