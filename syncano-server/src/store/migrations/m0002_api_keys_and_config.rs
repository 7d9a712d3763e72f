//! API keys of instances, and their configuration.

use super::{big_integer, big_pk_auto, boolean, text};
use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm::{ConnectionTrait, DbErr};

pub(super) async fn up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let config = Table::alter().table("instance").add_column(text("config").default("{}")).to_owned();
    db.execute(&config).await?;
    db.execute(&api_key()).await?;
    let by_instance = Index::create().name("api_key_instance").table("api_key").col("instance_id").to_owned();
    db.execute(&by_instance).await.map(drop)
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
