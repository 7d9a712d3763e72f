//! Queries about traces.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityName, EntityTrait, ExprTrait, IdenStatic, Iterable,
    QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use syncano_core::RunStatus;
use syncano_runner::Isolation;

pub(crate) use super::entity::trace::Kind;
use super::entity::trace::{Column, Entity, Model};
use super::instances;
use crate::pagination::Page;

/// Rows of one statement: a statement has a limited number of values.
const ROWS: usize = 64;

/// What runs are recorded of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A script that is run by its number.
    Script(i64),
    /// A script endpoint.
    ScriptEndpoint(i64),
    /// An endpoint of a socket, by its normalised name.
    SocketEndpoint { socket: i64, endpoint: Arc<str> },
}

impl Subject {
    fn kind(&self) -> Kind {
        match self {
            Subject::Script(_) => Kind::Script,
            Subject::ScriptEndpoint(_) => Kind::ScriptEndpoint,
            Subject::SocketEndpoint { .. } => Kind::SocketEndpoint,
        }
    }

    fn id(&self) -> i64 {
        match self {
            Subject::Script(id) | Subject::ScriptEndpoint(id) => *id,
            Subject::SocketEndpoint { socket, .. } => *socket,
        }
    }

    fn endpoint(&self) -> &str {
        match self {
            Subject::Script(_) | Subject::ScriptEndpoint(_) => "",
            Subject::SocketEndpoint { endpoint, .. } => endpoint,
        }
    }

    /// Its runs.
    fn filter(&self) -> SimpleExpr {
        Column::Kind
            .eq(self.kind())
            .and(Column::SubjectId.eq(self.id()))
            .and(Column::Endpoint.eq(self.endpoint()))
    }
}

/// What was recorded of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trace {
    pub(crate) instance_id: i64,
    pub(crate) id: i64,
    pub(crate) subject: Subject,
    pub(crate) status: RunStatus,
    /// `None` if the script never started.
    pub(crate) executed_at: Option<i64>,
    /// Milliseconds.
    pub(crate) duration: Option<i64>,
    /// JSON, like the two that follow.
    pub(crate) result: String,
    pub(crate) args: Arc<str>,
    pub(crate) meta: Arc<str>,
    /// The level at which it ran; `None` if the script never started, or before this was recorded.
    pub(crate) isolation: Option<Isolation>,
}

impl Trace {
    /// The values of its row, in the order of the columns.
    fn into_values(self) -> [Value; 12] {
        [
            self.instance_id.into(),
            self.id.into(),
            self.subject.kind().into(),
            self.subject.id().into(),
            self.subject.endpoint().into(),
            self.status.as_str().into(),
            self.executed_at.into(),
            self.duration.into(),
            self.result.into(),
            (*self.args).into(),
            (*self.meta).into(),
            self.isolation.map(|level| level.to_string()).into(),
        ]
    }

    fn from_row(row: Model) -> Trace {
        Trace {
            instance_id: row.instance_id,
            id: row.id,
            subject: match row.kind {
                Kind::Script => Subject::Script(row.subject_id),
                Kind::ScriptEndpoint => Subject::ScriptEndpoint(row.subject_id),
                Kind::SocketEndpoint => {
                    Subject::SocketEndpoint { socket: row.subject_id, endpoint: row.endpoint.into() }
                }
            },
            // Only the words of `RunStatus` are ever stored.
            status: RunStatus::from_word(&row.status).unwrap_or(RunStatus::Failure),
            executed_at: row.executed_at,
            duration: row.duration,
            result: row.result,
            args: row.args.into(),
            meta: row.meta.into(),
            isolation: row.isolation.and_then(|level| level.parse().ok()),
        }
    }
}

/// Stores finished runs. Those of instances that are gone are left out.
pub(crate) async fn insert(db: &impl ConnectionTrait, traces: Vec<Trace>) -> Result<(), DbErr> {
    let mut last = BTreeMap::new();
    for trace in &traces {
        let highest = last.entry(trace.instance_id).or_insert(trace.id);
        *highest = std::cmp::max(trace.id, *highest);
    }
    let present = instances::present(db, last.keys().copied()).await?;
    let mut traces = traces.into_iter().filter(|trace| present.contains(&trace.instance_id)).peekable();
    while traces.peek().is_some() {
        let values: Vec<Value> = traces.by_ref().take(ROWS).flat_map(Trace::into_values).collect();
        let backend = db.get_database_backend();
        let sql = insertion(backend, values.len());
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    for (instance, trace) in last {
        instances::raise_last_trace(db, instance, trace).await?;
    }
    Ok(())
}

/// The statement that stores rows of so many values. The query builder would make an expression of each value first, which took
/// longer than all the rest here.
fn insertion(backend: DbBackend, values: usize) -> String {
    let columns: Vec<String> = Column::iter().map(|column| format!("\"{}\"", column.as_str())).collect();
    let mut sql = format!("INSERT INTO \"{}\" ({}) VALUES ", Entity.table_name(), columns.join(", "));
    for index in 0..values {
        sql.push_str(match index % columns.len() {
            0 if index == 0 => "(",
            0 => "), (",
            _ => ", ",
        });
        match backend {
            DbBackend::Postgres => sql.push_str(&format!("${}", index + 1)),
            _ => sql.push('?'),
        }
    }
    sql.push(')');
    sql
}

/// A page of the runs of a subject.
pub(crate) async fn of_subject(
    db: &impl ConnectionTrait,
    subject: &Subject,
    page: &Page<i64>,
) -> Result<Vec<Trace>, DbErr> {
    let rows = page.read(db, Entity::find().filter(subject.filter()), Column::Id).await?;
    Ok(rows.into_iter().map(Trace::from_row).collect())
}

/// A run of a subject.
pub(crate) async fn one(
    db: &impl ConnectionTrait,
    subject: &Subject,
    id: i64,
) -> Result<Option<Trace>, DbErr> {
    let row = Entity::find().filter(subject.filter().and(Column::Id.eq(id))).one(db).await?;
    Ok(row.map(Trace::from_row))
}

/// Deletes the runs of what is deleted itself; `subjects` of one kind, sockets with all their endpoints.
pub(crate) async fn delete_of(
    db: &impl ConnectionTrait,
    kind: Kind,
    subjects: impl IntoIterator<Item = i64>,
) -> Result<(), DbErr> {
    let filter = Column::Kind.eq(kind).and(Column::SubjectId.is_in(subjects));
    Entity::delete_many().filter(filter).exec(db).await.map(drop)
}

/// Deletes traces that started before `oldest`, and tells how many: so many of the oldest ones, if there are more, and those
/// that started at the same time as the last of them.
pub(crate) async fn delete_older(db: &impl ConnectionTrait, oldest: i64, most: u64) -> Result<u64, DbErr> {
    let last: Option<i64> = Entity::find()
        .select_only()
        .column(Column::ExecutedAt)
        .filter(Column::ExecutedAt.lt(oldest))
        .order_by_asc(Column::ExecutedAt)
        .offset(most.saturating_sub(1))
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let older = match last {
        Some(last) => Column::ExecutedAt.lte(last),
        None => Column::ExecutedAt.lt(oldest),
    };
    Ok(Entity::delete_many().filter(older).exec(db).await?.rows_affected)
}

/// Keeps the newest `keep` runs of a subject, and tells how many others it deleted.
pub(crate) async fn keep_newest(
    db: &impl ConnectionTrait,
    subject: &Subject,
    keep: u64,
) -> Result<u64, DbErr> {
    let first_too_many: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(subject.filter())
        .order_by_desc(Column::Id)
        .offset(keep)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let Some(id) = first_too_many else { return Ok(0) };
    let deleted = Entity::delete_many().filter(subject.filter().and(Column::Id.lte(id))).exec(db).await?;
    Ok(deleted.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pagination::Ordering;
    use crate::request::Query;
    use crate::store::accounts::NewAccount;
    use crate::store::instances::NewInstance;
    use crate::store::{Location, Store, accounts};

    #[tokio::test]
    async fn the_newest_are_kept_and_numbers_are_not_used_again() {
        let store = Store::open(&Location::Memory).await.unwrap();
        let db = &store.db;
        let owner = accounts::insert(db, NewAccount::default()).await.unwrap();
        let new = NewInstance {
            name: "one".to_owned(),
            owner_id: owner.id,
            description: String::new(),
            metadata: "{}".to_owned(),
        };
        let instance = instances::insert(db, new).await.unwrap();
        let of = |endpoint: &str| Subject::SocketEndpoint { socket: 1, endpoint: endpoint.into() };
        let trace = |id: i64, instance_id: i64, subject: Subject| Trace {
            instance_id,
            id,
            subject,
            status: RunStatus::Success,
            executed_at: Some(id),
            duration: Some(1),
            result: "{}".to_owned(),
            args: "{}".into(),
            meta: "{}".into(),
            isolation: None,
        };
        // More than one statement takes; the last one belongs to an instance that is gone.
        let mut rows: Vec<_> = (1..=200).map(|id| trace(id, instance.id, of("e"))).collect();
        rows.push(trace(201, instance.id, of("f")));
        rows.push(trace(202, instance.id, Subject::Script(1)));
        rows.push(trace(203, instance.id + 1, of("e")));
        insert(db, rows).await.unwrap();
        assert_eq!(instances::by_id(db, instance.id).await.unwrap().unwrap().last_trace, 202);

        assert_eq!(keep_newest(db, &of("e"), 50).await.unwrap(), 150);
        assert_eq!(delete_older(db, 160, 100).await.unwrap(), 9);
        let page = Page::from_query(&Query::default(), Ordering::Descending).unwrap();
        let ids = |rows: Vec<Trace>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let kept = of_subject(db, &of("e"), &page).await.unwrap();
        assert_eq!(ids(kept), (160..=200).rev().collect::<Vec<_>>());
        assert_eq!(ids(of_subject(db, &of("f"), &page).await.unwrap()), [201]);
        assert!(one(db, &of("e"), 159).await.unwrap().is_none());
    }
}
