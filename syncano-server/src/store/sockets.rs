//! Queries about sockets and the short names of their endpoints.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

pub(crate) use super::entity::socket::Model as SocketRow;
use super::entity::{flat_name, socket};
use crate::pagination::Page;
use crate::time;

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    instance: i64,
    name: &str,
    definition: String,
    install_url: Option<String>,
) -> Result<SocketRow, DbErr> {
    let now = time::now();
    socket::ActiveModel {
        instance_id: Set(instance),
        name: Set(name.to_owned()),
        definition: Set(definition),
        installed: Set(None),
        status: Set(syncano_core::SocketStatus::Checking.to_string()),
        status_info: Set(String::new()),
        warnings: Set("[]".to_owned()),
        revision: Set(1),
        install_url: Set(install_url),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
    .insert(db)
    .await
}

/// Writes the row back.
pub(crate) async fn update(db: &impl ConnectionTrait, row: SocketRow) -> Result<SocketRow, DbErr> {
    row.into_active_model().reset_all().update(db).await
}

pub(crate) async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    socket::Entity::delete_by_id(id).exec(db).await.map(drop)
}

pub(crate) async fn by_name(
    db: &impl ConnectionTrait,
    instance: i64,
    name: &str,
) -> Result<Option<SocketRow>, DbErr> {
    socket::Entity::find()
        .filter(socket::Column::InstanceId.eq(instance).and(socket::Column::Name.eq(name)))
        .one(db)
        .await
}

pub(crate) async fn of_instance(
    db: &impl ConnectionTrait,
    instance: i64,
    page: &Page<i64>,
) -> Result<Vec<SocketRow>, DbErr> {
    let select = socket::Entity::find().filter(socket::Column::InstanceId.eq(instance));
    page.read(db, select, socket::Column::Id).await
}

/// What a socket has installed.
pub(crate) struct Installed {
    pub(crate) id: i64,
    pub(crate) instance_id: i64,
    pub(crate) name: String,
    pub(crate) definition: String,
}

impl Installed {
    pub(crate) fn of(row: &SocketRow) -> Option<Installed> {
        let definition = row.installed.clone()?;
        Some(Installed { id: row.id, instance_id: row.instance_id, name: row.name.clone(), definition })
    }
}

/// The first sockets, by their ids after `after`, that have something installed; only those of one instance, if one is named.
pub(crate) async fn installed(
    db: &impl ConnectionTrait,
    only: Option<i64>,
    after: i64,
    limit: u64,
) -> Result<Vec<Installed>, DbErr> {
    use socket::Column::{Id, Installed as Definition, InstanceId, Name};
    let mut select = socket::Entity::find()
        .select_only()
        .columns([Id, InstanceId, Name, Definition])
        .order_by_asc(Id)
        .limit(limit);
    select = select.filter(Id.gt(after).and(Definition.is_not_null()));
    if let Some(instance) = only {
        select = select.filter(InstanceId.eq(instance));
    }
    let rows: Vec<(i64, i64, String, String)> = select.into_tuple().all(db).await?;
    let row = |(id, instance_id, name, definition)| Installed { id, instance_id, name, definition };
    Ok(rows.into_iter().map(row).collect())
}

pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<SocketRow>, DbErr> {
    socket::Entity::find().filter(socket::Column::Id.is_in(ids)).all(db).await
}

/// The sockets of all instances that have this status.
pub(crate) async fn with_status(
    db: &impl ConnectionTrait,
    status: syncano_core::SocketStatus,
) -> Result<Vec<SocketRow>, DbErr> {
    socket::Entity::find().filter(socket::Column::Status.eq(status.to_string())).all(db).await
}

/// Those of these names that other sockets have, each with that socket's name.
pub(crate) async fn taken_names(
    db: &impl ConnectionTrait,
    instance: i64,
    socket: i64,
    names: &[String],
) -> Result<BTreeMap<String, String>, DbErr> {
    let filter = flat_name::Column::InstanceId
        .eq(instance)
        .and(flat_name::Column::SocketId.ne(socket))
        .and(flat_name::Column::Name.is_in(names));
    let rows = flat_name::Entity::find().filter(filter).all(db).await?;
    let owners = by_ids(db, rows.iter().map(|row| row.socket_id).collect::<BTreeSet<_>>()).await?;
    let owners: HashMap<i64, String> = owners.into_iter().map(|row| (row.id, row.name)).collect();
    // A foreign key holds the two together.
    Ok(rows.into_iter().filter_map(|row| Some((row.name, owners.get(&row.socket_id)?.clone()))).collect())
}

/// The names that sockets have, by the sockets' ids.
pub(crate) async fn names_of_all(
    db: &impl ConnectionTrait,
    sockets: &[i64],
) -> Result<HashMap<i64, BTreeSet<String>>, DbErr> {
    let filter = flat_name::Column::SocketId.is_in(sockets.iter().copied());
    let mut names: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for row in flat_name::Entity::find().filter(filter).all(db).await? {
        names.entry(row.socket_id).or_default().insert(row.name);
    }
    Ok(names)
}

/// Gives the socket these names and no others.
pub(crate) async fn claim_names(
    db: &impl ConnectionTrait,
    instance: i64,
    socket: i64,
    names: impl IntoIterator<Item = String>,
) -> Result<(), DbErr> {
    flat_name::Entity::delete_many().filter(flat_name::Column::SocketId.eq(socket)).exec(db).await?;
    let rows = names.into_iter().map(|name| flat_name::ActiveModel {
        instance_id: Set(instance),
        name: Set(name),
        socket_id: Set(socket),
    });
    flat_name::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}
