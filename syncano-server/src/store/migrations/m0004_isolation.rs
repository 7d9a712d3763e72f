//! Traces say at which level of isolation their script ran.

use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_isolation"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // Nobody knows it of the traces that are there.
        db.execute_unprepared("ALTER TABLE trace ADD COLUMN isolation text").await?;
        Ok(())
    }
}
