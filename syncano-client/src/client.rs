//! The connection to a server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::contract::Accepted;
use crate::{ApiError, Error, header};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for an answer unless the call says otherwise: scripts may take 300 s.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(310);

/// A server, and with a key the rights that the key gives. Cheap to clone.
///
/// ```no_run
/// # async fn run() -> Result<(), syncano_client::Error> {
/// use syncano_client::Client;
///
/// let client = Client::connect("http://127.0.0.1:8080")?.account_key("0123456789abcdef…");
/// let instance = client.create_or_open_instance("my-app").await?;
/// # let _ = instance; Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Scheme and authority, and `/` for a path.
    base: Arc<Url>,
    key: Option<Arc<SecretString>>,
    /// Which other contracts calls go by.
    pub(crate) accepted: Arc<Accepted>,
    #[cfg(feature = "fake")]
    fake: Option<Arc<crate::fake::Answers>>,
}

impl Client {
    /// A client of the server at `url`, without a key: it can call endpoints that are not private.
    ///
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Url`] when `url` is no `http://` or `https://` address.
    pub fn connect(url: &str) -> Result<Client, Error> {
        let refuse = |reason: &str| Error::Url { url: url.to_owned(), reason: reason.to_owned() };
        let parsed = match Url::parse(url) {
            Ok(parsed) => parsed,
            Err(_) if !url.contains("://") => return Err(refuse("it must start with http:// or https://")),
            Err(error) => return Err(refuse(&error.to_string())),
        };
        match parsed.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(refuse("https needs the feature `tls` of syncano-client")),
            _ => return Err(refuse("it must start with http:// or https://")),
        }
        if parsed.path() != "/" || parsed.query().is_some() {
            return Err(refuse("leave out the path: the client adds it"));
        }
        #[cfg(feature = "tls")]
        {
            // An application may have chosen a provider already; then that one serves us too.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("syncano-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Transport { request: format!("connect to {url}"), error })?;
        Ok(Client {
            http,
            base: Arc::new(parsed),
            key: None,
            accepted: Arc::default(),
            #[cfg(feature = "fake")]
            fake: None,
        })
    }

    /// A client that reaches no server: its calls get these answers.
    #[cfg(feature = "fake")]
    pub(crate) fn fake(answers: Arc<crate::fake::Answers>) -> Client {
        let client = Client::connect("http://fake.invalid").expect("an address");
        Client { fake: Some(answers), ..client }
    }

    /// What answers in place of a server.
    #[cfg(feature = "fake")]
    pub(crate) fn answers(&self) -> Option<&crate::fake::Answers> {
        self.fake.as_deref()
    }

    /// The same client with an account key: 40 hexadecimal digits, shown by the server when the account is made. It
    /// manages what the account owns. See also [`log_in`](Client::log_in).
    pub fn account_key(self, key: impl Into<String>) -> Client {
        self.with_key(SecretString::from(key.into()))
    }

    /// The same client with an API key of an instance: 40 hexadecimal digits. It calls the private endpoints of that
    /// instance, and manages nothing. See [`Instance::create_api_key`](crate::Instance::create_api_key).
    pub fn api_key(self, key: impl Into<String>) -> Client {
        self.with_key(SecretString::from(key.into()))
    }

    pub(crate) fn with_key(self, key: SecretString) -> Client {
        Client { key: Some(Arc::new(key)), ..self }
    }

    pub(crate) fn without_key(&self) -> Client {
        Client { key: None, ..self.clone() }
    }

    /// The key that is sent, to be kept for the next time: after [`log_in`](Client::log_in), say.
    pub fn key(&self) -> Option<&SecretString> {
        self.key.as_deref()
    }

    /// The address of a path on the server, which may have a query behind it.
    pub(crate) fn url(&self, path: &str) -> Url {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        // Cheaper than to read the whole address again.
        let mut url = Url::clone(&self.base);
        url.set_path(path);
        if query.is_some() {
            url.set_query(query);
        }
        url
    }

    /// Reads what is at `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.exchange(Method::GET, path, None).await
    }

    /// Reads what is at `path`; `None` when the server says that nothing is.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Api(error)) if error.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates something, or does something: `{}` is sent where nothing is to be said.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl Serialize,
    ) -> Result<T, Error> {
        self.exchange(Method::POST, path, Some(json!(body))).await
    }

    /// Replaces what is at `path`.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl Serialize,
    ) -> Result<T, Error> {
        self.exchange(Method::PUT, path, Some(json!(body))).await
    }

    /// Changes what is at `path`: what the body doesn't mention stays.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl Serialize,
    ) -> Result<T, Error> {
        self.exchange(Method::PATCH, path, Some(json!(body))).await
    }

    /// Deletes what is at `path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        self.exchange(Method::DELETE, path, None).await
    }

    /// Sends a management request and reads the JSON answer.
    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Error> {
        let (request, body) = self.answered(method, path, body).await?;
        // An answer without content, to a DELETE say, is `null`.
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(text).map_err(|source| Error::Decode {
            request,
            source,
            body: Bytes::clone(&body),
        })
    }

    /// What was asked, and what a management request is answered with.
    async fn answered(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(String, Bytes), Error> {
        let request = format!("{method} {path}");
        #[cfg(feature = "fake")]
        if self.fake.is_some() {
            return Err(Error::Fake { request });
        }
        let mut builder = self.request(method, self.url(path)).ok_or(Error::Key)?;
        if let Some(body) = body {
            builder = builder.header(http::header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let transport = |error: reqwest::Error| Error::Transport {
            request: format!("{request} at {}", self.base.as_str().trim_end_matches('/')),
            error: error.without_url(),
        };
        let response = builder.send().await.map_err(transport)?;
        let status = response.status();
        let body = response.bytes().await.map_err(transport)?;
        if !status.is_success() {
            return Err(ApiError::read(status, request, &body).into());
        }
        Ok((request, body))
    }

    /// A request with the key on it; `None` when the key can't stand in a header.
    pub(crate) fn request(&self, method: Method, url: Url) -> Option<reqwest::RequestBuilder> {
        let mut builder = self.http.request(method, url);
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(key.expose_secret()).ok()?;
            value.set_sensitive(true);
            builder = builder.header(&header::KEY, value);
        }
        Some(builder)
    }
}
