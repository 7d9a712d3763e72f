//! Queries about the API keys of instances.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder,
};

pub(crate) use super::entity::api_key::Model as ApiKeyRow;
use super::entity::api_key::{ActiveModel, Column, Entity};
use crate::pagination::Page;
use crate::time;

/// What its maker says about a key.
#[derive(Debug, Default)]
pub(crate) struct NewApiKey {
    pub(crate) description: String,
    pub(crate) ignore_acl: bool,
    pub(crate) allow_user_create: bool,
    pub(crate) allow_group_create: bool,
    pub(crate) allow_anonymous_read: bool,
}

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    instance: i64,
    new: NewApiKey,
) -> Result<ApiKeyRow, DbErr> {
    ActiveModel {
        instance_id: Set(instance),
        description: Set(new.description),
        ignore_acl: Set(new.ignore_acl),
        allow_user_create: Set(new.allow_user_create),
        allow_group_create: Set(new.allow_group_create),
        allow_anonymous_read: Set(new.allow_anonymous_read),
        key_generation: Set(0),
        created_at: Set(time::now()),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<ApiKeyRow>, DbErr> {
    Entity::find().order_by_asc(Column::Id).all(db).await
}

pub(crate) async fn of_instance(
    db: &impl ConnectionTrait,
    instance: i64,
    page: &Page<i64>,
) -> Result<Vec<ApiKeyRow>, DbErr> {
    page.read(db, Entity::find().filter(Column::InstanceId.eq(instance)), Column::Id).await
}

pub(crate) async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<ApiKeyRow>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes the row back.
pub(crate) async fn update(db: &impl ConnectionTrait, row: ApiKeyRow) -> Result<ApiKeyRow, DbErr> {
    row.into_active_model().reset_all().update(db).await
}

/// `false`: it was not there.
pub(crate) async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected > 0)
}
