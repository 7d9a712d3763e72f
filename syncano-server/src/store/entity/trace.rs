//! What was recorded of a run.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trace")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub instance_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub socket_id: i64,
    pub endpoint: String,
    pub status: String,
    /// `None` if the script never started.
    pub executed_at: Option<i64>,
    /// Milliseconds.
    pub duration: Option<i64>,
    pub result: String,
    pub args: String,
    pub meta: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
