//! A name under which a script can be called, owned by the socket that brought it or by the instance's owner.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "script_endpoint")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub instance_id: i64,
    /// `None`: a person made it.
    pub socket_id: Option<i64>,
    /// In its normal form; unique in the instance.
    pub name: String,
    pub description: String,
    pub script_id: i64,
    /// Whoever knows the link may run it. The link is not stored: it follows from the secret and `link_generation`.
    pub public: bool,
    pub link_generation: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
