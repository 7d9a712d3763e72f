//! The row about the database as a whole: which secret it belongs to, and how often it changed.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, ExprTrait};

use super::entity::server_state::{ActiveModel, Column, Entity};

const ROW: i64 = 1;

/// The fingerprint of the secret that this database was used with, if it was.
pub(crate) async fn fingerprint(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(ROW).one(db).await?.map(|row| row.secret_fingerprint))
}

pub(crate) async fn set_fingerprint(db: &impl ConnectionTrait, fingerprint: &str) -> Result<(), DbErr> {
    let updated =
        Entity::update_many().col_expr(Column::SecretFingerprint, Expr::value(fingerprint)).exec(db).await?;
    if updated.rows_affected == 0 {
        let row =
            ActiveModel { id: Set(ROW), changes: Set(0), secret_fingerprint: Set(fingerprint.to_owned()) };
        Entity::insert(row).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The number of the last change.
pub(crate) async fn changes(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    Ok(Entity::find_by_id(ROW).one(db).await?.map_or(0, |row| row.changes))
}

/// Counts a change that running servers must notice, and returns its number. Part of the transaction that makes
/// the change.
pub(crate) async fn changed(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    Entity::update_many().col_expr(Column::Changes, Expr::col(Column::Changes).add(1)).exec(db).await?;
    changes(db).await
}
