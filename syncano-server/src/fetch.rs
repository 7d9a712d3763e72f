//! Fetching files from URLs that strangers name. A request goes only where [`Addresses`] permits, whatever names and
//! redirects say, and its size and time are bounded.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http::{Request, Response, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use syncano_runner::Addresses;
use tower::Service;
use url::{Host, Url};

/// How long one file may take.
const TIMEOUT: Duration = Duration::from_secs(15);
const REDIRECTS: usize = 5;

#[cfg(feature = "https")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector<Guard>>;
#[cfg(not(feature = "https"))]
type Connector = HttpConnector<Guard>;

/// Why a file could not be fetched: the rest of a sentence.
#[derive(Debug)]
pub(crate) enum Problem {
    /// There is no such file. Stores of files answer 403 for those.
    Missing(StatusCode),
    Other(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Missing(status) => write!(f, "the answer was {status}"),
            Problem::Other(text) => f.write_str(text),
        }
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Problem {
        Problem::Other(text)
    }
}

/// Fetches files. Not with the HTTP client that ours is made with: what its features do to one user in a program they
/// do to all.
pub(crate) struct Fetcher {
    http: Client<Connector, Body>,
    addresses: Arc<Addresses>,
}

impl Fetcher {
    /// # Errors
    /// When the certificates of this machine can't be read.
    pub(crate) fn new(addresses: Addresses) -> io::Result<Fetcher> {
        let addresses = Arc::new(addresses);
        let mut connector = HttpConnector::new_with_resolver(Guard(addresses.clone()));
        connector.set_connect_timeout(Some(TIMEOUT));
        let connector = secure(connector)?;
        Ok(Fetcher { http: Client::builder(TokioExecutor::new()).build(connector), addresses })
    }

    /// Fetches a file of at most `limit` bytes.
    pub(crate) async fn text(&self, url: &Url, limit: usize) -> Result<String, Problem> {
        match tokio::time::timeout(TIMEOUT, self.follow(url.clone(), limit)).await {
            Ok(result) => result,
            Err(_) => Err(format!("it took longer than {} s", TIMEOUT.as_secs()).into()),
        }
    }

    async fn follow(&self, mut url: Url, limit: usize) -> Result<String, Problem> {
        for _ in 0..=REDIRECTS {
            let response = self.get(&url).await?;
            if !response.status().is_redirection() {
                return read(response, limit).await;
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| format!("the answer was {}", response.status()))?;
            url = url.join(location).map_err(|error| format!("it redirects to `{location}`: {error}"))?;
        }
        Err(format!("it redirects more than {REDIRECTS} times").into())
    }

    async fn get(&self, url: &Url) -> Result<Response<hyper::body::Incoming>, String> {
        check(url, &self.addresses)?;
        let request = Request::get(url.as_str())
            .header(header::USER_AGENT, concat!("syncano-server/", env!("CARGO_PKG_VERSION")))
            .body(Body::empty())
            .map_err(|error| error.to_string())?;
        self.http.request(request).await.map_err(|error| reason(&error))
    }
}

#[cfg(feature = "https")]
fn secure(mut connector: HttpConnector<Guard>) -> io::Result<Connector> {
    connector.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

#[cfg(not(feature = "https"))]
fn secure(connector: HttpConnector<Guard>) -> io::Result<Connector> {
    Ok(connector)
}

async fn read(response: Response<hyper::body::Incoming>, limit: usize) -> Result<String, Problem> {
    match response.status() {
        status if status.is_success() => {}
        status @ (StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) => {
            return Err(Problem::Missing(status));
        }
        status => return Err(format!("the answer was {status}").into()),
    }
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await
    {
        let Ok(part) = frame.map_err(|error| reason(&error))?.into_data() else { continue };
        if body.len() + part.len() > limit {
            return Err(format!("it is larger than {limit} bytes").into());
        }
        body.extend_from_slice(&part);
    }
    String::from_utf8(body).map_err(|_| "it is not UTF-8 text".to_owned().into())
}

/// Whether a request may go to this URL, as far as it says so itself.
fn check(url: &Url, addresses: &Addresses) -> Result<(), String> {
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
    if addresses.permits(address) { Ok(()) } else { Err(Addresses::refusal(&address.to_string())) }
}

/// The innermost reason says most.
fn reason(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

/// Looks names up, and leaves out addresses that must not be reached.
#[derive(Clone)]
struct Guard(Arc<Addresses>);

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.0.clone();
        Box::pin(async move {
            let mut found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            found.retain(|address| addresses.permits(address.ip()));
            match found.is_empty() {
                true => Err(io::Error::other(Addresses::refusal(name.as_str()))),
                false => Ok(found.into_iter()),
            }
        })
    }
}
