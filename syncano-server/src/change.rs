//! One change of what an instance runs: alone in its instance, in one transaction, and what follows from it for calls is
//! put in place when the transaction is through. A crash leaves the old state or the new one.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::MutexGuard;

use crate::app::{App, no_instance};
use crate::catalog::{Instance, SocketRoutes};
use crate::errors::ApiError;
use crate::load;
use crate::store::sockets::SocketRow;
use crate::store::{WriteTransaction, instances, script_endpoints, sockets, state};

/// A change that has begun. Dropped without [`commit`](Change::commit) it leaves nothing behind.
pub(crate) struct Change<'a> {
    pub(crate) app: &'a App,
    pub(crate) instance: &'a Instance,
    write: WriteTransaction,
    /// Routes to put in place; `None` removes them.
    routes: Vec<(String, Option<SocketRoutes>)>,
    _alone: MutexGuard<'a, ()>,
}

impl<'a> Change<'a> {
    pub(crate) async fn begin(app: &'a App, instance: &'a Instance) -> Result<Change<'a>, ApiError> {
        let alone = instance.publishing.lock().await;
        let write = app.store.write().await?;
        if instances::by_id(&write.tx, instance.id).await?.is_none() {
            return Err(no_instance(&instance.name));
        }
        Ok(Change { app, instance, write, routes: Vec::new(), _alone: alone })
    }

    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.write.tx
    }

    /// Puts these routes of a socket in place; `None` removes them.
    pub(crate) fn route(&mut self, socket: impl Into<String>, routes: Option<SocketRoutes>) {
        self.routes.push((socket.into(), routes));
    }

    /// Makes the routes of a socket anew, from what the transaction has made of it.
    pub(crate) async fn reroute(&mut self, socket: &SocketRow) -> Result<(), DbErr> {
        let routes = load::socket_routes(self.db(), self.instance, socket, &self.app.settings).await?;
        self.route(&socket.name, routes);
        Ok(())
    }

    /// The sockets that use one of these script endpoints.
    pub(crate) async fn sockets_using(
        &self,
        endpoints: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<SocketRow>, DbErr> {
        let users = script_endpoints::users(self.db(), endpoints).await?;
        let ids: BTreeSet<i64> = users.into_iter().map(|row| row.socket_id).collect();
        sockets::by_ids(self.db(), ids).await
    }

    pub(crate) async fn commit(self) -> Result<(), ApiError> {
        let number = state::changed(&self.write.tx).await?;
        self.app.seen.announce(number);
        if let Err(error) = self.write.commit().await {
            self.app.seen.withdraw(number);
            return Err(error.into());
        }
        for (socket, routes) in self.routes {
            self.instance.install(&socket, routes);
        }
        Ok(())
    }
}
