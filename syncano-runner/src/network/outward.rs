//! What the workers' proxies have in common: the operator's rules, and the making of connections.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use rustix::process::{Resource, getrlimit};
use syncano_core::NetworkPolicy;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Host;

use super::addresses::Addresses;
use super::target::Target;

/// For looking a name up, and for connecting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names that are looked up at a time: each takes a thread, and whoever answers for a name may take long.
const LOOKUPS: usize = 64;

/// Mail from unknown machines is what networks are blocked for.
const MAIL: u16 = 25;

/// The operator's rules for all scripts, and what limits them together.
pub(crate) struct Outward {
    policy: NetworkPolicy,
    addresses: Addresses,
    /// Names whose addresses the operator gives.
    hosts: HashMap<String, Vec<IpAddr>>,
    lookups: Arc<Semaphore>,
    /// Connections of all workers at a time.
    pub(super) places: Arc<Semaphore>,
    /// Those that are made ahead of them.
    pub(super) ahead: Arc<Semaphore>,
}

/// Why there is no connection: a sentence for the script, and what HTTP and system calls call it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) sentence: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, sentence: impl Into<String>) -> Problem {
        Problem { status, code, sentence: sentence.into() }
    }

    fn forbidden(sentence: String) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "EACCES", sentence)
    }

    fn late(sentence: String) -> Problem {
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "ETIMEDOUT", sentence)
    }
}

impl Outward {
    pub(crate) fn new(
        policy: NetworkPolicy,
        addresses: Addresses,
        hosts: HashMap<String, Vec<IpAddr>>,
    ) -> Outward {
        // Each connection takes two descriptors of the server's: an eighth of all it may have, and as much again for those
        // made ahead and half of it.
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
        let places = usize::try_from(descriptors / 16).unwrap_or(usize::MAX).clamp(16, 4096);
        Outward {
            policy,
            addresses,
            hosts,
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            places: Arc::new(Semaphore::new(places)),
            ahead: Arc::new(Semaphore::new(places / 2)),
        }
    }

    /// Connects a script whose socket has `policy`. The addresses that are checked are those that are connected to: nothing
    /// is looked up twice.
    pub(super) async fn connect(
        &self,
        policy: &NetworkPolicy,
        target: &Target,
    ) -> Result<TcpStream, Problem> {
        self.check(policy, target)?;
        let found = self.addresses_of(target).await?;
        let is_mail = target.port == MAIL;
        let permitted = |address: &IpAddr| {
            self.addresses.permits(*address) && (!is_mail || self.addresses.allows(*address))
        };
        let addresses: Vec<SocketAddr> = found
            .iter()
            .copied()
            .filter(permitted)
            .map(|address| SocketAddr::new(address, target.port))
            .collect();
        if addresses.is_empty() {
            return Err(match found.iter().any(|address| self.addresses.permits(*address)) {
                true => Problem::forbidden(format!(
                    "`{target}` is refused: scripts send no mail by port {MAIL}; use a provider's port 587 or 465"
                )),
                false => Problem::forbidden(Addresses::refusal(&target.name())),
            });
        }
        match timeout(PATIENCE, TcpStream::connect(&*addresses)).await {
            Ok(Ok(stream)) => {
                // Small writes are the script's business, not to be held back twice.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
            Ok(Err(error)) => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                code_of(&error),
                format!("`{target}` can't be connected to: {error}"),
            )),
            Err(_) => Err(Problem::late(format!(
                "`{target}` can't be connected to: no answer within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// What the two policies say, before anything is looked up.
    fn check(&self, policy: &NetworkPolicy, target: &Target) -> Result<(), Problem> {
        let name = target.name();
        if !policy.permits(&name, target.port) {
            return Err(Problem::forbidden(match policy {
                NetworkPolicy::None => format!(
                    "`{target}` is refused: the network policy of the script's socket is `none`; change `network` in its \
                     definition"
                ),
                _ => format!(
                    "`{target}` is refused: it is none of the hosts of the socket's network policy; add it to `network` in \
                     its definition"
                ),
            }));
        }
        if !self.policy.permits(&name, target.port) {
            return Err(Problem::forbidden(match self.policy {
                NetworkPolicy::None => {
                    format!("`{target}` is refused: the operator of this server gives scripts no network")
                }
                _ => format!(
                    "`{target}` is refused: it is none of the hosts that the operator of this server allows"
                ),
            }));
        }
        Ok(())
    }

    async fn addresses_of(&self, target: &Target) -> Result<Vec<IpAddr>, Problem> {
        let name = match &target.host {
            Host::Domain(name) => name.clone(),
            _ => return Ok(target.address().into_iter().collect()),
        };
        if let Some(addresses) = self.hosts.get(&name) {
            return Ok(addresses.clone());
        }
        let lookup = async {
            // Never closed.
            let place = self.lookups.clone().acquire_owned().await;
            let name = name.clone();
            let found = tokio::task::spawn_blocking(move || {
                let found =
                    (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|it| it.ip()).collect());
                // Only now: a lookup goes on when nobody waits for it any more.
                drop(place);
                found
            });
            found.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        };
        match timeout(PATIENCE, lookup).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                "ENOTFOUND",
                format!("`{name}` has no address: {error}"),
            )),
            Err(_) => Err(Problem::late(format!(
                "`{name}` has no address: no answer within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

/// What the C library calls it.
fn code_of(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "ECONNREFUSED",
        ErrorKind::HostUnreachable => "EHOSTUNREACH",
        ErrorKind::NetworkUnreachable => "ENETUNREACH",
        ErrorKind::TimedOut => "ETIMEDOUT",
        _ => "ECONNRESET",
    }
}
