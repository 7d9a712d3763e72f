//! Reads the catalog from the database: at start, and when another process changed something.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use syncano_core::Socket;

use crate::accounts::stored_object;
use crate::app::{App, Settings};
use crate::catalog::{Instance, Routes, SocketRoutes};
use crate::endpoint::compile;
use crate::store::script_endpoints::{Bound, UsageRow};
use crate::store::sockets::{Installed, SocketRow};
use crate::store::{accounts, api_keys, instances, script_endpoints, sockets, state};

/// How often a running server looks for changes of other processes.
const POLL: Duration = Duration::from_secs(1);
/// Sockets that are read at a time, by a few queries: what reading takes of memory beside its result.
const BATCH: u64 = 500;

/// The routes of what a socket has installed. What can't be read is logged and has none.
pub(crate) async fn socket_routes(
    db: &impl ConnectionTrait,
    instance: &Instance,
    row: &SocketRow,
    settings: &Settings,
) -> Result<Option<SocketRoutes>, DbErr> {
    let Some(installed) = Installed::of(row) else { return Ok(None) };
    let mut used = script_endpoints::used_by_all(db, &[row.id]).await?;
    let mut names = sockets::names_of_all(db, &[row.id]).await?;
    Ok(routes(instance, &installed, take(&mut used, row.id), take(&mut names, row.id), settings))
}

/// The routes of everything that these instances have installed, by their ids.
pub(crate) async fn instance_routes(
    db: &impl ConnectionTrait,
    instances: &[Arc<Instance>],
    settings: &Settings,
) -> Result<HashMap<i64, Routes>, DbErr> {
    let mut all: HashMap<i64, (&Instance, Routes)> =
        instances.iter().map(|instance| (instance.id, (&**instance, Routes::default()))).collect();
    // One instance's may be few among many.
    let only = match instances {
        [instance] => Some(instance.id),
        _ => None,
    };
    let mut after = 0;
    loop {
        let batch = sockets::installed(db, only, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        let ids: Vec<i64> = batch.iter().map(|socket| socket.id).collect();
        let mut used = script_endpoints::used_by_all(db, &ids).await?;
        let mut names = sockets::names_of_all(db, &ids).await?;
        for socket in &batch {
            // One that was made after the instances were read is not among them.
            let Some((instance, found)) = all.get_mut(&socket.instance_id) else { continue };
            let (used, names) = (take(&mut used, socket.id), take(&mut names, socket.id));
            found.set(&socket.name, routes(instance, socket, used, names, settings));
        }
    }
    Ok(all.into_iter().map(|(id, (_, routes))| (id, routes)).collect())
}

fn take<T: Default>(of: &mut HashMap<i64, T>, socket: i64) -> T {
    of.remove(&socket).unwrap_or_default()
}

fn routes(
    instance: &Instance,
    socket: &Installed,
    used: BTreeMap<String, (Bound, UsageRow)>,
    names: BTreeSet<String>,
    settings: &Settings,
) -> Option<SocketRoutes> {
    match Socket::from_written(&socket.definition) {
        Ok(definition) => Some(compile(instance, socket.id, &definition, &used, &names, settings)),
        Err(error) => {
            tracing::error!(instance = instance.name, socket = socket.name, %error, "an installed socket can't be used");
            None
        }
    }
}

/// Brings the whole catalog up to what the database says.
pub(crate) async fn everything(app: &App) -> Result<(), DbErr> {
    let db = &app.store.db;
    let change = state::changes(db).await?;
    app.catalog.set_accounts(&accounts::all(db).await?, &app.keys);
    app.catalog.set_api_keys(&api_keys::all(db).await?, &app.keys);
    // Those known before the rows are read: one that is made meanwhile is not among the rows and must stay.
    let known: HashMap<i64, Arc<Instance>> =
        app.catalog.instances().values().map(|instance| (instance.id, instance.clone())).collect();
    let rows = instances::all(db).await?;
    let there: HashSet<i64> = rows.iter().map(|row| row.id).collect();
    for gone in known.keys().filter(|id| !there.contains(id)) {
        app.catalog.remove_instance(*gone);
    }
    let instances: Vec<Arc<Instance>> = rows
        .iter()
        .map(|row| match known.get(&row.id) {
            Some(known) if known.name == row.name => known.clone(),
            Some(known) => Arc::new(known.renamed(&row.name)),
            None => Arc::new(Instance::new(row)),
        })
        .collect();
    {
        // No publishing between reading the routes and putting them in place. Whoever publishes holds the lock of one
        // instance and waits for no other.
        let mut alone = Vec::with_capacity(instances.len());
        for (instance, row) in instances.iter().zip(&rows) {
            alone.push(instance.publishing.lock().await);
            instance.config.store(Arc::new(stored_object(&row.config)));
        }
        let mut routes = instance_routes(db, &instances, &app.settings).await?;
        for instance in &instances {
            instance.routes.store(Arc::new(routes.remove(&instance.id).unwrap_or_default()));
        }
    }
    app.catalog.put_instances(instances);
    app.seen.read(change);
    Ok(())
}

/// Follows the changes of other processes, for ever.
pub(crate) async fn follow(app: Arc<App>) {
    loop {
        tokio::time::sleep(POLL).await;
        let result = match state::changes(&app.store.db).await {
            Ok(change) if app.seen.lacks(change) => everything(&app).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(%error, "changes of other processes could not be read; the next try is in a second");
        }
    }
}
