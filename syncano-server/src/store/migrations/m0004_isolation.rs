//! Traces say at which level of isolation their script ran.

use sea_orm::{ConnectionTrait, DbErr};

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    // Nobody knows it of the traces that are there.
    db.execute_unprepared("ALTER TABLE trace ADD COLUMN isolation text").await?;
    Ok(())
}
