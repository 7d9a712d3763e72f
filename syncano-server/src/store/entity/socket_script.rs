//! Which script an installed socket means by a name: its own, or one of another socket.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "socket_script")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub socket_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub script_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
