//! Fetching files from URLs that strangers name. A request goes only where [`Network`] permits, whatever names and
//! redirects say, and its size and time are bounded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use url::{Host, Url};

use crate::network::Network;

/// How long one file may take.
const TIMEOUT: Duration = Duration::from_secs(15);
const REDIRECTS: usize = 5;

/// Why a file could not be fetched: the rest of a sentence.
#[derive(Debug)]
pub(crate) struct Problem(String);

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fetches files.
pub(crate) struct Fetcher {
    http: reqwest::Client,
    network: Arc<Network>,
}

impl Fetcher {
    pub(crate) fn new(network: Network) -> Result<Fetcher, reqwest::Error> {
        let network = Arc::new(network);
        #[cfg(feature = "https")]
        {
            // A program may have chosen a provider already; then that one serves us too.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let of_redirects = network.clone();
        let http = reqwest::Client::builder()
            .user_agent(concat!("syncano-server/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(Policy::custom(move |attempt| follow(attempt, &of_redirects)))
            .dns_resolver(Arc::new(Guard(network.clone())))
            // A proxy would look names up by itself.
            .no_proxy()
            .build()?;
        Ok(Fetcher { http, network })
    }

    /// Fetches a file of at most `limit` bytes.
    pub(crate) async fn text(&self, url: &Url, limit: usize) -> Result<String, Problem> {
        check(url, &self.network).map_err(Problem)?;
        let mut response = self.http.get(url.clone()).send().await.map_err(problem)?;
        if !response.status().is_success() {
            return Err(Problem(format!("the answer was {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(problem)? {
            if body.len() + part.len() > limit {
                return Err(Problem(format!("it is larger than {limit} bytes")));
            }
            body.extend_from_slice(&part);
        }
        String::from_utf8(body).map_err(|_| Problem("it is not UTF-8 text".to_owned()))
    }
}

/// Whether a request may go to this URL, as far as it says so itself.
fn check(url: &Url, network: &Network) -> Result<(), String> {
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "https") => {}
        "https" => return Err("this server was built without https".to_owned()),
        other => return Err(format!("`{other}:` is neither http nor https")),
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err("it names no host".to_owned()),
    };
    if network.permits(address) { Ok(()) } else { Err(refusal(&address.to_string())) }
}

fn follow(attempt: Attempt<'_>, network: &Network) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error(format!("it redirects more than {REDIRECTS} times"));
    }
    match check(attempt.url(), network) {
        Ok(()) => attempt.follow(),
        Err(problem) => attempt.error(problem),
    }
}

fn refusal(host: &str) -> String {
    format!("`{host}` is not a public address; the operator may allow its network")
}

/// Looks names up, and leaves out addresses that must not be reached.
struct Guard(Arc<Network>);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let permitted: Vec<SocketAddr> =
                found.into_iter().filter(|address| network.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(refusal(name.as_str()).into());
            }
            let addresses: Addrs = Box::new(permitted.into_iter());
            Ok(addresses)
        })
    }
}

/// The innermost reason says most.
fn problem(error: reqwest::Error) -> Problem {
    if error.is_timeout() {
        return Problem(format!("it took longer than {} s", TIMEOUT.as_secs()));
    }
    let mut reason: &dyn std::error::Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Problem(reason.to_string())
}
