//! The proxy of one worker.
//!
//! It listens in the worker's own network, on the loopback address, and works for the script that the worker has got, for as
//! long as a call runs: what is still open when the call ends is closed. Two ways lead through it. Programs that know
//! of proxies speak HTTP to it (see [`super::http`]). For others a host and a port get an *alias*, an address of the loopback
//! network that leads there: whoever connects to it, at the proxy's port, is connected to that host.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use syncano_core::NetworkPolicy;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::counted::{Counted, Counters};
use super::http;
use super::outward::{Outward, Problem};
use super::target::Target;
use crate::outcome::Traffic;

/// Where it listens, on 127.0.0.1 and on every alias.
pub(crate) const PORT: u16 = 3128;

/// Connections of one worker at a time. Further ones wait.
const CONNECTIONS: usize = 64;

/// Aliases of one call that lead somewhere; the oldest go first.
const ALIASES: usize = 1024;

/// How long a connection waits for a place among those of all workers.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait when the system can't accept.
const PAUSE: Duration = Duration::from_millis(100);

/// The proxy of a worker that has got its script. Dropping it closes everything.
pub(crate) struct Proxy {
    gateway: Arc<Gateway>,
    acceptor: AbortHandle,
}

impl Proxy {
    /// Serves `listener`, a socket of the worker's network, by the rules for its script.
    pub(crate) fn open(listener: OwnedFd, outward: Arc<Outward>, policy: NetworkPolicy) -> io::Result<Proxy> {
        let listener = std::net::TcpListener::from(listener);
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let gateway = Arc::new(Gateway {
            outward,
            policy,
            counters: Arc::default(),
            state: Mutex::new(State {
                is_open: false,
                connections: JoinSet::new(),
                aliases: VecDeque::new(),
                first: 0,
            }),
        });
        let acceptor = tokio::spawn(accept(gateway.clone(), listener)).abort_handle();
        Ok(Proxy { gateway, acceptor })
    }

    /// A call begins.
    pub(crate) fn begin(&self) {
        self.gateway.counters.sent.store(0, Ordering::Relaxed);
        self.gateway.counters.received.store(0, Ordering::Relaxed);
        self.gateway.state().is_open = true;
    }

    /// Whether anything went through it since the call began, or is open.
    pub(crate) fn is_used(&self) -> bool {
        let Counters { sent, received } = &*self.gateway.counters;
        let state = self.gateway.state();
        let is_open = !state.connections.is_empty() || !state.aliases.is_empty();
        is_open || sent.load(Ordering::Relaxed) > 0 || received.load(Ordering::Relaxed) > 0
    }

    /// What went through it since the call began. Another call follows, without a pause.
    pub(crate) fn traffic(&self) -> Traffic {
        let Counters { sent, received } = &*self.gateway.counters;
        Traffic { sent: sent.swap(0, Ordering::Relaxed), received: received.swap(0, Ordering::Relaxed) }
    }

    /// The call has ended: nothing of it is open when this returns.
    pub(crate) async fn end(&self) -> Traffic {
        let mut connections = {
            let mut state = self.gateway.state();
            state.close();
            match state.connections.is_empty() {
                true => None,
                false => Some(std::mem::take(&mut state.connections)),
            }
        };
        if let Some(connections) = &mut connections {
            connections.shutdown().await;
        }
        self.traffic()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
        let mut state = self.gateway.state();
        state.close();
        state.connections.abort_all();
    }
}

/// What its connections share.
pub(super) struct Gateway {
    outward: Arc<Outward>,
    policy: NetworkPolicy,
    counters: Arc<Counters>,
    state: Mutex<State>,
}

struct State {
    /// A call runs.
    is_open: bool,
    connections: JoinSet<()>,
    aliases: VecDeque<Alias>,
    /// The number of the first of them. They aren't counted anew for each call, so that what one call has kept doesn't lead
    /// elsewhere in the next.
    first: u16,
}

/// What an address of the loopback network leads to.
struct Alias {
    target: Target,
    /// The connection for the first one who comes, made when the alias was asked for, so that a failure could be told.
    ready: Option<(Counted, OwnedSemaphorePermit)>,
}

impl State {
    fn close(&mut self) {
        self.is_open = false;
        self.first = self.first.wrapping_add(self.aliases.len() as u16);
        self.aliases.clear();
    }
}

impl Gateway {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `work` go on for as long as the call runs.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        while state.connections.try_join_next().is_some() {}
        if state.is_open {
            state.connections.spawn(work);
        }
    }

    pub(super) async fn connect(&self, target: &Target) -> Result<Counted, Problem> {
        let stream = self.outward.connect(&self.policy, target).await?;
        Ok(Counted::new(stream, self.counters.clone()))
    }

    /// An address of the loopback network that leads to `target`.
    pub(super) async fn alias(&self, target: Target) -> Result<Ipv4Addr, Problem> {
        let connection = self.connect(&target).await?;
        // If too many are waiting already, one is made when it is needed.
        let ready = self.outward.ahead.clone().try_acquire_owned().ok().map(|place| (connection, place));
        let mut state = self.state();
        if state.aliases.len() == ALIASES {
            state.aliases.pop_front();
            state.first = state.first.wrapping_add(1);
        }
        let number = state.first.wrapping_add(state.aliases.len() as u16);
        state.aliases.push_back(Alias { target, ready });
        let [high, low] = number.to_be_bytes();
        Ok(Ipv4Addr::new(127, 1, high, low))
    }

    /// What an address of the loopback network leads to, if it is an alias.
    fn take(&self, address: IpAddr) -> Option<Alias> {
        let IpAddr::V4(address) = address else { return None };
        let [127, 1, high, low] = address.octets() else { return None };
        let mut state = self.state();
        let index = u16::from_be_bytes([high, low]).wrapping_sub(state.first);
        let alias = state.aliases.get_mut(usize::from(index))?;
        Some(Alias { target: alias.target.clone(), ready: alias.ready.take() })
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(address) = stream.local_addr() else { return };
        if address.ip() == Ipv4Addr::LOCALHOST {
            return http::serve(self, stream).await;
        }
        let Some(Alias { target, ready }) = self.take(address.ip()) else { return };
        let connection = match ready {
            Some((connection, _)) => Ok(connection),
            None => self.connect(&target).await,
        };
        if let Ok(mut connection) = connection {
            // However it ends, both ends are closed.
            let _ = copy_bidirectional(&mut stream, &mut connection).await;
        }
    }
}

async fn accept(gateway: Arc<Gateway>, listener: TcpListener) {
    let own = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Never closed.
        let Ok(own) = own.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a script's connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if !gateway.state().is_open {
            continue;
        }
        let Ok(Ok(place)) = timeout(PATIENCE, gateway.outward.places.clone().acquire_owned()).await else {
            tracing::warn!("a script's connection is refused: the server has as many as it may");
            continue;
        };
        let connection = gateway.clone().serve(stream);
        gateway.spawn(async move {
            connection.await;
            drop((own, place));
        });
    }
}
