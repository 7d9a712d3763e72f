//! A socket: what was submitted, and what runs.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "socket")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub instance_id: i64,
    pub name: String,
    /// The definition as submitted last, scripts included.
    pub definition: String,
    /// The definition whose endpoints run, without its dependencies; `None` while nothing is installed.
    pub installed: Option<String>,
    pub status: String,
    pub status_info: String,
    /// What was noted about the definition: a JSON list of texts.
    pub warnings: String,
    pub revision: i64,
    /// Where it was installed from.
    pub install_url: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
