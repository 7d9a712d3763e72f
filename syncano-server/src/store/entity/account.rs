//! Who owns instances. The key is not stored: it follows from the secret and `key_generation`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower-case, unique.
    pub email: String,
    /// `None`: the account has a key only.
    pub password_hash: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub active: bool,
    pub metadata: String,
    pub key_generation: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
