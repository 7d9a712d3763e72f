//! Sockets say what was noted about their definition.

use sea_orm::{ConnectionTrait, DbErr};

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute_unprepared("ALTER TABLE socket ADD COLUMN warnings text NOT NULL DEFAULT '[]'").await?;
    Ok(())
}
