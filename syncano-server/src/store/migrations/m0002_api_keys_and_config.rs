//! API keys of instances, and their configuration.

use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_pk_auto, boolean, text};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_api_keys_and_config"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let config = Table::alter().table("instance").add_column(text("config").default("{}")).to_owned();
        manager.alter_table(config).await?;
        manager.create_table(api_key()).await?;
        let by_instance =
            Index::create().name("api_key_instance").table("api_key").col("instance_id").to_owned();
        manager.create_index(by_instance).await
    }
}

fn api_key() -> TableCreateStatement {
    let mut instance = ForeignKey::create()
        .from("api_key", "instance_id")
        .to("instance", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    Table::create()
        .table("api_key")
        .col(big_pk_auto("id"))
        .col(big_integer("instance_id"))
        .col(text("description"))
        .col(boolean("ignore_acl"))
        .col(boolean("allow_user_create"))
        .col(boolean("allow_group_create"))
        .col(boolean("allow_anonymous_read"))
        .col(big_integer("key_generation"))
        .col(big_integer("created_at"))
        .foreign_key(&mut instance)
        .to_owned()
}
