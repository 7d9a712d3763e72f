//! Queries about script endpoints, and about which of them sockets use.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder,
};
use syncano_core::{NameKind, limits};

use super::entity::script_endpoint::{ActiveModel, Column, Entity};
use super::entity::{script, socket_script_endpoint as usage};
pub(crate) use super::entity::{
    script_endpoint::Model as ScriptEndpointRow, socket_script_endpoint::Model as UsageRow,
};
use super::scripts::{self, ScriptRow};
use super::traces::{self, Kind};
use crate::pagination::Page;
use crate::time;

/// A script endpoint that is about to be made.
#[derive(Debug)]
pub(crate) struct NewScriptEndpoint {
    pub(crate) instance_id: i64,
    /// The socket that owns it; `None` for a person's.
    pub(crate) socket_id: Option<i64>,
    /// In its normal form.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) script_id: i64,
    pub(crate) public: bool,
}

/// A script endpoint with its script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) endpoint: ScriptEndpointRow,
    pub(crate) script: ScriptRow,
}

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    new: NewScriptEndpoint,
) -> Result<ScriptEndpointRow, DbErr> {
    let now = time::now();
    ActiveModel {
        instance_id: Set(new.instance_id),
        socket_id: Set(new.socket_id),
        name: Set(new.name),
        description: Set(new.description),
        script_id: Set(new.script_id),
        public: Set(new.public),
        link_generation: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub(crate) async fn by_id(
    db: &impl ConnectionTrait,
    instance: i64,
    id: i64,
) -> Result<Option<ScriptEndpointRow>, DbErr> {
    Entity::find_by_id(id).filter(Column::InstanceId.eq(instance)).one(db).await
}

/// By its name in its normal form.
pub(crate) async fn by_name(
    db: &impl ConnectionTrait,
    instance: i64,
    name: &str,
) -> Result<Option<ScriptEndpointRow>, DbErr> {
    Entity::find().filter(Column::InstanceId.eq(instance).and(Column::Name.eq(name))).one(db).await
}

pub(crate) async fn of_instance(
    db: &impl ConnectionTrait,
    instance: i64,
    page: &Page<i64>,
) -> Result<Vec<ScriptEndpointRow>, DbErr> {
    page.read(db, Entity::find().filter(Column::InstanceId.eq(instance)), Column::Id).await
}

/// The script endpoints that run a script.
pub(crate) async fn of_script(
    db: &impl ConnectionTrait,
    script: i64,
) -> Result<Vec<ScriptEndpointRow>, DbErr> {
    Entity::find().filter(Column::ScriptId.eq(script)).order_by_asc(Column::Id).all(db).await
}

/// Writes the row back.
pub(crate) async fn update(
    db: &impl ConnectionTrait,
    mut row: ScriptEndpointRow,
) -> Result<ScriptEndpointRow, DbErr> {
    row.updated_at = time::now();
    row.into_active_model().reset_all().update(db).await
}

pub(crate) async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await.map(drop)
}

/// Values that are named in one statement: SQLite takes 32,766.
const MOST_VALUES: usize = 10_000;

/// With their scripts, which a foreign key keeps there.
pub(crate) async fn bind(
    db: &impl ConnectionTrait,
    rows: Vec<ScriptEndpointRow>,
) -> Result<Vec<Bound>, DbErr> {
    let ids = Vec::from_iter(BTreeSet::from_iter(rows.iter().map(|row| row.script_id)));
    let mut scripts: HashMap<i64, ScriptRow> = HashMap::new();
    for ids in ids.chunks(MOST_VALUES) {
        let filter = script::Column::Id.is_in(ids.iter().copied());
        let found = script::Entity::find().filter(filter).all(db).await?;
        scripts.extend(found.into_iter().map(|row| (row.id, row)));
    }
    let bound = rows
        .into_iter()
        .filter_map(|endpoint| Some(Bound { script: scripts.get(&endpoint.script_id)?.clone(), endpoint }));
    Ok(bound.collect())
}

/// The first of `name`, `name-2`, `name-3`, … that isn't taken.
pub(crate) fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number: u64| {
        let suffix = format!("-{number}");
        let start: String = name.chars().take(limits::NAME - suffix.len()).collect();
        start + &suffix
    });
    // There are more numbers than rows in any table.
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// A name for another script endpoint, as close to `name` as possible.
pub(crate) async fn another_name(
    db: &impl ConnectionTrait,
    instance: i64,
    name: &str,
) -> Result<String, DbErr> {
    // Every candidate starts like this.
    let start: String = name.chars().take(limits::NAME / 2).collect();
    let filter = Column::InstanceId.eq(instance).and(Column::Name.starts_with(start));
    let taken: HashSet<String> =
        Entity::find().filter(filter).all(db).await?.into_iter().map(|row| row.name).collect();
    Ok(free_name(name, |name| taken.contains(name) || NameKind::ScriptEndpoint.check(name).is_err()))
}

/// What a socket uses, by the names in its calls.
pub(crate) async fn used_by(
    db: &impl ConnectionTrait,
    socket: i64,
) -> Result<BTreeMap<String, (Bound, UsageRow)>, DbErr> {
    Ok(used_by_all(db, &[socket]).await?.remove(&socket).unwrap_or_default())
}

/// The same of several sockets, by their ids.
pub(crate) async fn used_by_all(
    db: &impl ConnectionTrait,
    sockets: &[i64],
) -> Result<HashMap<i64, BTreeMap<String, (Bound, UsageRow)>>, DbErr> {
    let filter = usage::Column::SocketId.is_in(sockets.iter().copied());
    let used = usage::Entity::find().filter(filter).all(db).await?;
    let ids = Vec::from_iter(BTreeSet::from_iter(used.iter().map(|row| row.script_endpoint_id)));
    let mut bound: HashMap<i64, Bound> = HashMap::new();
    for ids in ids.chunks(MOST_VALUES) {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?;
        bound.extend(bind(db, rows).await?.into_iter().map(|bound| (bound.endpoint.id, bound)));
    }
    let mut by_socket: HashMap<i64, BTreeMap<_, _>> = HashMap::new();
    for row in used {
        // Two names may mean one script endpoint.
        let Some(bound) = bound.get(&row.script_endpoint_id).cloned() else { continue };
        by_socket.entry(row.socket_id).or_default().insert(row.name.clone(), (bound, row));
    }
    Ok(by_socket)
}

/// Who uses these script endpoints.
pub(crate) async fn users(
    db: &impl ConnectionTrait,
    endpoints: impl IntoIterator<Item = i64>,
) -> Result<Vec<UsageRow>, DbErr> {
    usage::Entity::find()
        .filter(usage::Column::ScriptEndpointId.is_in(endpoints))
        .order_by_asc(usage::Column::SocketId)
        .all(db)
        .await
}

/// Makes the socket use these and no others.
pub(crate) async fn use_only(
    db: &impl ConnectionTrait,
    socket: i64,
    rows: impl IntoIterator<Item = UsageRow>,
) -> Result<(), DbErr> {
    usage::Entity::delete_many().filter(usage::Column::SocketId.eq(socket)).exec(db).await?;
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    let rows: Vec<usage::ActiveModel> = rows.map(|row: usage::ActiveModel| row.reset_all()).collect();
    usage::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Lets go of what the socket owns and doesn't use any more: another socket that uses it gets it, what nobody uses
/// is deleted.
pub(crate) async fn release_unused(db: &impl ConnectionTrait, socket: i64) -> Result<(), DbErr> {
    let owned = Entity::find().filter(Column::SocketId.eq(socket)).all(db).await?;
    for row in owned {
        let users = users(db, [row.id]).await?;
        if users.iter().any(|user| user.socket_id == socket) {
            continue;
        }
        match users.first() {
            Some(heir) => {
                update(db, ScriptEndpointRow { socket_id: Some(heir.socket_id), ..row }).await?;
            }
            None => {
                traces::delete_of(db, Kind::ScriptEndpoint, [row.id]).await?;
                delete(db, row.id).await?;
            }
        }
    }
    for script in scripts::owned(db, socket).await? {
        let endpoints = of_script(db, script.id).await?;
        if endpoints.iter().any(|endpoint| endpoint.socket_id == Some(socket)) {
            continue;
        }
        match endpoints.first() {
            // To a socket, or to the person who made the script endpoint.
            Some(heir) => {
                scripts::update(db, ScriptRow { socket_id: heir.socket_id, ..script }).await?;
            }
            None => {
                traces::delete_of(db, Kind::Script, [script.id]).await?;
                scripts::delete(db, script.id).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Location, Store};

    /// More than one statement may name.
    #[tokio::test]
    async fn sockets_may_use_any_number_of_script_endpoints() {
        let store = Store::open(&Location::Memory).await.unwrap();
        let write = store.write().await.unwrap();
        write.tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await.unwrap();
        let numbers =
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 33000)";
        for insert in [
            "INSERT INTO script SELECT n, 1, NULL, n, 'python3', '', '{}', 0, 0, '' FROM numbers",
            "INSERT INTO script_endpoint SELECT n, 1, NULL, n, '', n, 0, 0, 0, 0 FROM numbers",
            "INSERT INTO socket_script_endpoint SELECT n % 2, n, n, 0 FROM numbers",
        ] {
            write.tx.execute_unprepared(&format!("{numbers} {insert}")).await.unwrap();
        }
        let used = used_by_all(&write.tx, &[0, 1]).await.unwrap();
        assert_eq!((used[&0].len(), used[&1].len()), (16_500, 16_500));
    }

    #[test]
    fn a_free_name_is_numbered_and_not_too_long() {
        assert_eq!(free_name("a", |_| false), "a");
        assert_eq!(free_name("a", |name| ["a", "a-2"].contains(&name)), "a-3");
        let long = "x".repeat(limits::NAME);
        let free = free_name(&long, |name| name == long);
        assert_eq!(free, format!("{}-2", "x".repeat(limits::NAME - 2)));
    }
}
