//! Queries about traces.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

pub(crate) use super::entity::trace::Model as TraceRow;
use super::entity::trace::{Column, Entity};
use super::{entity::socket, instances};
use crate::pagination::Page;

/// Rows of one statement: a statement has a limited number of values.
const ROWS: usize = 64;

/// Stores finished runs. Those of sockets that are gone are left out.
pub(crate) async fn insert(db: &impl ConnectionTrait, traces: Vec<TraceRow>) -> Result<(), DbErr> {
    let sockets: BTreeSet<i64> = traces.iter().map(|trace| trace.socket_id).collect();
    let present: BTreeSet<i64> = socket::Entity::find()
        .select_only()
        .column(socket::Column::Id)
        .filter(socket::Column::Id.is_in(sockets))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut last = BTreeMap::new();
    let mut rows = Vec::new();
    for trace in traces {
        let highest = last.entry(trace.instance_id).or_insert(trace.id);
        *highest = std::cmp::max(trace.id, *highest);
        if present.contains(&trace.socket_id) {
            rows.push(trace.into_active_model());
        }
    }
    while !rows.is_empty() {
        let chunk = rows.split_off(rows.len().saturating_sub(ROWS));
        Entity::insert_many(chunk).exec_without_returning(db).await?;
    }
    for (instance, trace) in last {
        instances::raise_last_trace(db, instance, trace).await?;
    }
    Ok(())
}

/// The runs of one endpoint.
pub(crate) async fn of_endpoint(
    db: &impl ConnectionTrait,
    socket: i64,
    endpoint: &str,
    page: &Page<i64>,
) -> Result<Vec<TraceRow>, DbErr> {
    let filter = Column::SocketId.eq(socket).and(Column::Endpoint.eq(endpoint));
    page.read(db, Entity::find().filter(filter), Column::Id).await
}

pub(crate) async fn one(
    db: &impl ConnectionTrait,
    socket: i64,
    endpoint: &str,
    id: i64,
) -> Result<Option<TraceRow>, DbErr> {
    let filter = Column::SocketId.eq(socket).and(Column::Endpoint.eq(endpoint)).and(Column::Id.eq(id));
    Entity::find().filter(filter).one(db).await
}

/// Deletes traces that started before `oldest`, and tells how many.
pub(crate) async fn delete_older(db: &impl ConnectionTrait, oldest: i64) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::ExecutedAt.lt(oldest)).exec(db).await?.rows_affected)
}

/// Keeps the newest `keep` traces of an endpoint, and tells how many others it deleted.
pub(crate) async fn keep_newest(
    db: &impl ConnectionTrait,
    socket: i64,
    endpoint: &str,
    keep: u64,
) -> Result<u64, DbErr> {
    let of_endpoint = Column::SocketId.eq(socket).and(Column::Endpoint.eq(endpoint));
    let first_too_many: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(of_endpoint.clone())
        .order_by_desc(Column::Id)
        .offset(keep)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let Some(id) = first_too_many else { return Ok(0) };
    let deleted = Entity::delete_many().filter(of_endpoint.and(Column::Id.lte(id))).exec(db).await?;
    Ok(deleted.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pagination::Ordering;
    use crate::request::Query;
    use crate::store::accounts::NewAccount;
    use crate::store::instances::NewInstance;
    use crate::store::{Location, Store, accounts, sockets};

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
        let socket = sockets::insert(db, instance.id, "s", "{}".to_owned()).await.unwrap();
        let trace = |id: i64, socket_id: i64, endpoint: &str| TraceRow {
            instance_id: instance.id,
            id,
            socket_id,
            endpoint: endpoint.to_owned(),
            status: "success".to_owned(),
            executed_at: Some(id),
            duration: Some(1),
            result: "{}".to_owned(),
            args: "{}".to_owned(),
            meta: "{}".to_owned(),
        };
        // More than one statement takes; the last one belongs to a socket that is gone.
        let mut rows: Vec<_> = (1..=200).map(|id| trace(id, socket.id, "e")).collect();
        rows.push(trace(201, socket.id, "f"));
        rows.push(trace(202, socket.id + 1, "e"));
        insert(db, rows).await.unwrap();
        assert_eq!(instances::by_id(db, instance.id).await.unwrap().unwrap().last_trace, 202);

        assert_eq!(keep_newest(db, socket.id, "e", 50).await.unwrap(), 150);
        assert_eq!(delete_older(db, 160).await.unwrap(), 9);
        let page = Page::from_query(&Query::default(), Ordering::Descending).unwrap();
        let ids = |rows: Vec<TraceRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let kept = of_endpoint(db, socket.id, "e", &page).await.unwrap();
        assert_eq!(ids(kept), (160..=200).rev().collect::<Vec<_>>());
        assert_eq!(ids(of_endpoint(db, socket.id, "f", &page).await.unwrap()), [201]);
        assert!(one(db, socket.id, "e", 159).await.unwrap().is_none());
    }
}
