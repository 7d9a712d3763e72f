//! What was recorded of a run.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trace")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub instance_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// What ran: see [`Kind`].
    pub kind: Kind,
    /// The script, script endpoint or socket. It may be gone.
    pub subject_id: i64,
    /// The endpoint of the socket; empty for what is no socket.
    pub endpoint: String,
    pub status: String,
    /// `None` if the script never started.
    pub executed_at: Option<i64>,
    /// Milliseconds.
    pub duration: Option<i64>,
    pub result: String,
    pub args: String,
    pub meta: String,
    /// The level at which it ran; `None` if the script never started, or before this was recorded.
    pub isolation: Option<String>,
}

/// Numbers of different kinds mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    #[sea_orm(string_value = "script")]
    Script,
    #[sea_orm(string_value = "script_endpoint")]
    ScriptEndpoint,
    #[sea_orm(string_value = "socket_endpoint")]
    SocketEndpoint,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
