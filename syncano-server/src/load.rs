//! Reads the catalog from the database: at start, and when another process changed something.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use syncano_core::Socket;

use crate::accounts::stored_object;
use crate::app::{App, Settings};
use crate::catalog::{Instance, Routes, SocketRoutes};
use crate::endpoint::compile;
use crate::store::sockets::SocketRow;
use crate::store::{accounts, api_keys, instances, script_endpoints, sockets, state};

/// How often a running server looks for changes of other processes.
const POLL: Duration = Duration::from_secs(1);

/// The routes of what a socket has installed. What can't be read is logged and has none.
pub(crate) async fn socket_routes(
    db: &impl ConnectionTrait,
    instance: &Instance,
    row: &SocketRow,
    settings: &Settings,
) -> Result<Option<SocketRoutes>, DbErr> {
    let Some(installed) = &row.installed else { return Ok(None) };
    let used = script_endpoints::used_by(db, row.id).await?;
    let names = sockets::names_of(db, row.id).await?;
    match serde_json::from_str::<Socket>(installed) {
        Ok(socket) => Ok(Some(compile(instance, row.id, &socket, &used, &names, settings))),
        Err(error) => {
            tracing::error!(instance = instance.name, socket = row.name, %error, "an installed socket can't be used");
            Ok(None)
        }
    }
}

/// The routes of everything that an instance has installed.
pub(crate) async fn instance_routes(
    db: &impl ConnectionTrait,
    instance: &Instance,
    settings: &Settings,
) -> Result<Routes, DbErr> {
    let mut routes = Routes::default();
    for row in sockets::installed(db, instance.id).await? {
        let endpoints = socket_routes(db, instance, &row, settings).await?;
        routes.set(&row.name, endpoints);
    }
    Ok(routes)
}

/// Brings the whole catalog up to what the database says.
pub(crate) async fn everything(app: &App) -> Result<(), DbErr> {
    let db = &app.store.db;
    let change = state::changes(db).await?;
    app.catalog.set_accounts(&accounts::all(db).await?, &app.keys);
    app.catalog.set_api_keys(&api_keys::all(db).await?, &app.keys);
    // Those known before the rows are read: one that is made meanwhile is not among the rows and must stay.
    let known = app.catalog.instances();
    let rows = instances::all(db).await?;
    for known in known.values() {
        if !rows.iter().any(|row| row.id == known.id) {
            app.catalog.remove_instance(known.id);
        }
    }
    for row in rows {
        let instance = match known.values().find(|known| known.id == row.id) {
            Some(known) if known.name == row.name => known.clone(),
            Some(known) => Arc::new(known.renamed(&row.name)),
            None => Arc::new(Instance::new(&row)),
        };
        {
            // No publishing between reading the routes and putting them in place.
            let _alone = instance.publishing.lock().await;
            instance.config.store(Arc::new(stored_object(&row.config)));
            instance.routes.store(Arc::new(instance_routes(db, &instance, &app.settings).await?));
        }
        app.catalog.put_instance(instance);
    }
    app.seen.store(change, Ordering::Release);
    Ok(())
}

/// Follows the changes of other processes, for ever.
pub(crate) async fn follow(app: Arc<App>) {
    loop {
        tokio::time::sleep(POLL).await;
        let result = match state::changes(&app.store.db).await {
            Ok(change) if change != app.seen.load(Ordering::Acquire) => everything(&app).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(%error, "changes of other processes could not be read; the next try is in a second");
        }
    }
}
