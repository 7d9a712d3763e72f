//! A field of a class that an installed socket needs. There is nothing else of classes: no data lies in them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "class_field")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub socket_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub class: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: String,
    pub instance_id: i64,
    pub field_type: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
