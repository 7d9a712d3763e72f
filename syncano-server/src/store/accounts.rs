//! Queries about accounts.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder,
};

pub(crate) use super::entity::account::Model as AccountRow;
use super::entity::account::{ActiveModel, Column, Entity};
use crate::time;

/// An account that is about to be made.
#[derive(Debug, Default)]
pub(crate) struct NewAccount {
    /// In its normal form.
    pub(crate) email: String,
    pub(crate) password_hash: Option<String>,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, new: NewAccount) -> Result<AccountRow, DbErr> {
    let now = time::now();
    ActiveModel {
        email: Set(new.email),
        password_hash: Set(new.password_hash),
        first_name: Set(new.first_name),
        last_name: Set(new.last_name),
        active: Set(true),
        metadata: Set("{}".to_owned()),
        key_generation: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<AccountRow>, DbErr> {
    Entity::find().order_by_asc(Column::Id).all(db).await
}

pub(crate) async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<AccountRow>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub(crate) async fn by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<AccountRow>, DbErr> {
    Entity::find().filter(Column::Email.eq(email)).one(db).await
}

/// Writes the row back.
pub(crate) async fn update(db: &impl ConnectionTrait, mut row: AccountRow) -> Result<AccountRow, DbErr> {
    row.updated_at = time::now();
    row.into_active_model().reset_all().update(db).await
}
