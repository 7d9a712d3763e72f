//! The response that a script set, as the result of a call.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::de::DeserializeOwned;

/// An HTTP response that a script made: a page, an image, a redirect.
///
/// As the result type of a function it takes the response as it is, whatever its status: a 404 that the script set is a value
/// here, unless the function declares an `error` that the body is. For a script that sets no response it holds what came
/// instead: what `main` returned as JSON (`application/json`), or what the script printed (`text/plain`).
///
/// ```
/// use syncano_client::{CustomResponse, socket};
///
/// #[socket(runtime = "python3")]
/// mod pages {
///     use syncano_client::CustomResponse;
///
///     #[endpoint("page", GET, source = r#"
///         def main(name: str):
///             set_response(HttpResponse(200, f"<p>{name}</p>", "text/html"))
///     "#)]
///     pub async fn page(name: &str) -> CustomResponse;
/// }
///
/// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::CallError> {
/// let page: CustomResponse = pages::Client::new(&instance).page("Ada").await?;
/// assert_eq!((page.status.as_u16(), page.content_type.as_str()), (200, "text/html"));
/// assert_eq!(page.text(), Ok("<p>Ada</p>"));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CustomResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `Content-Type`; empty if the script set none.
    pub content_type: String,
    /// The other headers that the script set, in its order. Those of the server and of the connection aren't among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl CustomResponse {
    /// Makes a response without further headers, for a fake to answer.
    pub fn new(
        status: StatusCode,
        content_type: impl Into<String>,
        body: impl Into<Bytes>,
    ) -> CustomResponse {
        let (content_type, body) = (content_type.into(), body.into());
        CustomResponse { status, content_type, headers: HeaderMap::new(), body }
    }

    /// Returns the body as text.
    ///
    /// # Errors
    /// The body is no UTF-8.
    pub fn text(&self) -> Result<&str, std::str::Utf8Error> {
        std::str::from_utf8(&self.body)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// The body is no JSON, or of another type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Makes one of what a server sent.
    pub(crate) fn received(status: StatusCode, headers: &HeaderMap, body: Bytes) -> CustomResponse {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let own = headers.iter().filter(|(name, _)| !belongs_to_transport(name));
        let headers = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        CustomResponse { status, content_type: content_type.unwrap_or_default(), headers, body }
    }

    /// Makes one of the JSON that `main` returned.
    pub(crate) fn json_text(json: &[u8]) -> CustomResponse {
        CustomResponse::new(StatusCode::OK, "application/json", Bytes::copy_from_slice(json))
    }

    /// Makes one of the text that a program printed.
    pub(crate) fn printed(text: &[u8]) -> CustomResponse {
        CustomResponse::new(StatusCode::OK, "text/plain; charset=utf-8", Bytes::copy_from_slice(text))
    }
}

impl fmt::Debug for CustomResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        let mut shown = f.debug_struct("CustomResponse");
        shown.field("status", &self.status).field("content_type", &self.content_type);
        shown.field("headers", &self.headers);
        match self.text() {
            Ok(text) if text.len() <= SHOWN => shown.field("body", &text),
            _ => shown.field("body", &format_args!("{} bytes", self.body.len())),
        };
        shown.finish()
    }
}

/// Whether a header speaks of the connection, or is the server's or a proxy's own.
fn belongs_to_transport(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 13] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::DATE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::SERVER,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::VIA,
        header::ALT_SVC,
    ];
    let begins = |start: &str| name.as_str().starts_with(start);
    NAMES.contains(name) || name == "keep-alive" || begins("syncano-") || begins("access-control-")
}
