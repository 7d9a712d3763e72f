//! Keys of an instance, for applications. A key is not stored: it follows from the secret and `key_generation`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub instance_id: i64,
    pub description: String,
    pub ignore_acl: bool,
    pub allow_user_create: bool,
    pub allow_group_create: bool,
    pub allow_anonymous_read: bool,
    pub key_generation: i64,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
