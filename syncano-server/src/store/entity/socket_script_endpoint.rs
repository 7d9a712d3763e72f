//! Which script endpoint an installed socket means by the name in its calls: its own, or one that it shares.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "socket_script_endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub socket_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub script_endpoint_id: i64,
    /// The socket brought a script along that is equal to this one: it keeps meaning that very script, also when
    /// whoever owns it changes theirs. Otherwise it only named the script endpoint.
    pub pinned: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
