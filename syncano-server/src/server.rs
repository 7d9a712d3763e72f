//! A running server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

use crate::app::App;
use crate::builder::ServerBuilder;
use crate::routes::Api;
use crate::{connections, load, time};

/// How long a shutdown waits for connections on which nothing runs any more.
const CONNECTIONS_END: Duration = Duration::from_secs(2);

/// The platform, serving. Dropping it stops it at once; [`shutdown`](Server::shutdown) lets calls finish.
///
/// It installs neither a log nor signal handlers: those are the host application's.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), syncano_server::StartError> {
/// use syncano_server::Server;
///
/// let server = Server::builder().listen(([127, 0, 0, 1], 0).into()).database("sqlite::memory:").start().await?;
/// println!("listening on {}", server.url());
/// server.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Server {
    app: Arc<App>,
    api: Arc<Api>,
    address: SocketAddr,
    admin_key: SecretString,
    first_start: bool,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    following: Option<AbortHandle>,
}

impl Server {
    /// The default settings.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    pub(crate) fn serve(
        app: Arc<App>,
        listener: TcpListener,
        admin_key: SecretString,
        first_start: bool,
        shared_database: bool,
    ) -> io::Result<Server> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let api = Arc::new(Api::new(app.clone()));
        let answering = api.clone();
        let answer = move |request, peer| {
            let api = answering.clone();
            async move { Ok(api.answer(request, peer).await) }
        };
        let serving =
            tokio::spawn(connections::serve(listener, app.runner.max_workers(), answer, async move {
                // Dropping the other end means the same.
                let _ = stopped.await;
            }));
        let following = shared_database.then(|| tokio::spawn(load::follow(app.clone())).abort_handle());
        tracing::info!(%address, "listening");
        Ok(Server { app, api, address, admin_key, first_start, stop: Some(stop), serving, following })
    }

    /// The address that the server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS:PORT`, as this machine reaches the server.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// Answers a request that came on no connection of the server's own, as if `peer` had sent it: for programs that serve
    /// other things on the same port, and for what measures the server without a network.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), syncano_server::StartError> {
    /// use bytes::Bytes;
    ///
    /// let server = syncano_server::TestServer::start().await?;
    /// let request = http::Request::get("/health").body(Bytes::new()).expect("a request");
    /// let answer = server.server().answer(request, ([127, 0, 0, 1], 4000).into()).await;
    /// assert_eq!(answer.status(), 200);
    /// # server.stop().await;
    /// # Ok(()) }
    /// ```
    pub async fn answer(&self, request: http::Request<Bytes>, peer: SocketAddr) -> http::Response<Bytes> {
        let (parts, body) = self.api.answer(request.map(Body::from), peer).await.into_parts();
        // All answers are in memory: reading them can't fail.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        http::Response::from_parts(parts, body)
    }

    /// The key of the account that this start made, if it made the database's first one without being told which:
    /// show it to the operator, it isn't stored anywhere.
    pub fn first_start_key(&self) -> Option<&SecretString> {
        self.first_start.then_some(&self.admin_key)
    }

    /// The key of the operator's account, for programs that carry the server inside: the configured account, else
    /// the oldest.
    pub fn admin_key(&self) -> &SecretString {
        &self.admin_key
    }

    pub(crate) fn instance_token(&self, instance: &str) -> Option<SecretString> {
        let instance = self.app.catalog.instance(instance)?;
        Some(self.app.keys.token(instance.id, time::now()))
    }

    /// Stops when the future is done; see [`shutdown`](Server::shutdown).
    pub async fn run_until(mut self, until: impl Future) {
        tokio::select! {
            _ = until => {}
            _ = &mut self.serving => {}
        }
        self.shutdown().await;
    }

    /// Refuses new calls with 503, lets running ones finish, stores their traces, and ends every process.
    pub async fn shutdown(mut self) {
        tracing::info!("shutting down");
        self.app.gate.close().await;
        if let Some(stop) = self.stop.take() {
            // It may have stopped by itself.
            let _ = stop.send(());
        }
        if !self.serving.is_finished()
            && tokio::time::timeout(CONNECTIONS_END, &mut self.serving).await.is_err()
        {
            self.serving.abort();
        }
        if let Some(following) = &self.following {
            following.abort();
        }
        self.app.traces.settled().await;
        self.app.runner.shutdown().await;
        if let Err(error) = self.app.store.close().await {
            tracing::warn!(%error, "the database could not be closed");
        }
        tracing::info!("stopped");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        if let Some(following) = &self.following {
            following.abort();
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
