//! Connections: how many there may be, and how long one may keep a place without asking for anything.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How long a connection may take to send a request's head, counted from when it could.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Descriptors that connections leave to the database and the host application.
const RESERVED_DESCRIPTORS: u64 = 128;
/// And to each worker: its process, both ends of its calls, the channel, outputs, its proxy's listener, one more while it starts.
const DESCRIPTORS_OF_WORKER: u64 = 8;
/// Connections at the most, where the system allows more.
const MOST_CONNECTIONS: u64 = 16 * 1024;
/// How long to wait when the system can't accept.
const PAUSE: Duration = Duration::from_millis(100);

/// Has requests answered, each with who is connected, until `until` is done, then lets those under way finish.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    workers: usize,
    answer: impl Fn(http::Request<Body>, SocketAddr) -> F + Clone + Send + 'static,
    until: impl Future,
) where
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(capacity(workers)));
    let open = GracefulShutdown::new();
    let mut until = std::pin::pin!(until);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            _ = &mut until => break,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut until => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or the caller was gone before it was served.
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = open.watch(connection(stream, peer, answer.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Callers that go away in the middle, or never said anything.
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop(place);
        });
    }
    // New callers are refused by the system from here on.
    drop(listener);
    open.shutdown().await;
}

fn connection<F>(
    stream: TcpStream,
    peer: SocketAddr,
    answer: impl Fn(http::Request<Body>, SocketAddr) -> F + Send + 'static,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send
where
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let service = service_fn(move |request: http::Request<Incoming>| answer(request.map(Body::new), peer));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}

/// How many connections may be open at a time.
fn capacity(workers: usize) -> usize {
    let reserved = RESERVED_DESCRIPTORS + DESCRIPTORS_OF_WORKER * workers as u64;
    let free = open_files().map_or(MOST_CONNECTIONS, |limit| {
        // Of a small limit, half.
        limit.saturating_sub(reserved).max(limit / 2)
    });
    usize::try_from(free.clamp(1, MOST_CONNECTIONS)).unwrap_or(1)
}

/// How many descriptors this process may have; `None`: any number.
#[cfg(target_os = "linux")]
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// The server doesn't start here.
#[cfg(not(target_os = "linux"))]
fn open_files() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::StatusCode;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// The clock is stopped and jumps ahead whenever nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_for_nothing_loses_its_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let nothing = |_, _| async { Ok(StatusCode::NOT_FOUND.into_response()) };
        tokio::spawn(serve(listener, 16, nothing, std::future::pending::<()>()));
        for said in ["", "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(said.as_bytes()).await.expect("the server listens");
            let mut answer = String::new();
            let started = tokio::time::Instant::now();
            stream.read_to_string(&mut answer).await.expect("the server closes it");
            assert!(started.elapsed() >= HEAD_TIMEOUT, "{said:?}");
            // A request was answered before the connection became idle.
            assert_eq!(answer.starts_with("HTTP/1.1 404"), said.ends_with("\r\n\r\n"), "{answer}");
        }
    }
}
