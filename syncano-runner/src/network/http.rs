//! What the proxy says to programs that know of proxies: `CONNECT host:port`, and requests for `http://…`.
//!
//! `GET /host:port`, which is for the proxy itself, answers with an alias.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::uri::{Authority, Scheme, Uri};
use ::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::counted::Counted;
use super::outward::Problem;
use super::proxy::Gateway;
use super::target::Target;

/// How long a request's head may take, counted from when it could begin.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The head of a request and that of an answer, in bytes; no more of a body is held at a time either.
const REQUEST_HEAD: usize = 32 * 1024;
const ANSWER_HEAD: usize = 64 * 1024;

/// What is said to the proxy, not to who answers.
const BETWEEN_TWO: [HeaderName; 9] = [
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Has the name of the error that a system call would have.
const ERROR_CODE: HeaderName = HeaderName::from_static("error-code");

type Answer = Response<Either<Full<Bytes>, Incoming>>;

/// What a connection becomes after CONNECT.
type Tunnel = Mutex<Option<(OnUpgrade, Counted)>>;

/// Serves one connection of a script.
pub(super) async fn serve(gateway: Arc<Gateway>, stream: TcpStream) {
    let tunnel = Arc::new(Tunnel::default());
    let service = service_fn(|request| {
        let (gateway, tunnel) = (gateway.clone(), tunnel.clone());
        async move { Ok::<_, io::Error>(answer(&gateway, &tunnel, request).await.unwrap_or_else(refuse)) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(REQUEST_HEAD)
        .preserve_header_case(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    let tunnel = tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Ok(()), Some((upgrade, mut connection))) = (served, tunnel)
        && let Ok(upgraded) = upgrade.await
    {
        // However it ends, both ends are closed.
        let _ = copy_bidirectional(&mut TokioIo::new(upgraded), &mut connection).await;
    }
}

async fn answer(
    gateway: &Gateway,
    tunnel: &Tunnel,
    mut request: Request<Incoming>,
) -> Result<Answer, Problem> {
    if request.method() == Method::CONNECT {
        let target = target(request.uri().authority(), None)?;
        let connection = gateway.connect(&target).await?;
        let upgrade = hyper::upgrade::on(&mut request);
        *tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, connection));
        return Ok(said(StatusCode::OK, String::new()));
    }
    match request.uri().scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => forward(gateway, request).await,
        Some(scheme) => Err(bad(format!("`{scheme}:` goes through this proxy by CONNECT only"))),
        None => {
            let authority = request.uri().path().strip_prefix('/').and_then(|path| path.parse().ok());
            let alias = gateway.alias(target(authority.as_ref(), None)?).await?;
            Ok(said(StatusCode::OK, alias.to_string()))
        }
    }
}

/// Sends the request on, and its answer back. Each request has a connection of its own to the outside.
async fn forward(gateway: &Gateway, request: Request<Incoming>) -> Result<Answer, Problem> {
    let target = target(request.uri().authority(), Some(80))?;
    let failed = |error: hyper::Error| {
        Problem::new(StatusCode::BAD_GATEWAY, "ECONNRESET", format!("`{target}` gave no answer: {error}"))
    };
    let connection = gateway.connect(&target).await?;
    let (mut sender, driver) = hyper::client::conn::http1::Builder::new()
        .preserve_header_case(true)
        .max_buf_size(ANSWER_HEAD)
        .handshake(TokioIo::new(connection))
        .await
        .map_err(failed)?;
    gateway.spawn(async move {
        // What fails here fails the request or the body of its answer.
        let _ = driver.await;
    });
    let (mut head, body) = request.into_parts();
    head.uri = match head.uri.path_and_query() {
        Some(path) => Uri::from(path.clone()),
        None => Uri::from_static("/"),
    };
    head.version = Version::HTTP_11;
    strip(&mut head.headers);
    let host = match target.port {
        80 => target.host.to_string(),
        _ => target.to_string(),
    };
    if let Ok(host) = HeaderValue::try_from(host) {
        head.headers.insert(header::HOST, host);
    }
    let answer = sender.send_request(Request::from_parts(head, body)).await.map_err(failed)?;
    let (mut head, body) = answer.into_parts();
    strip(&mut head.headers);
    Ok(Response::from_parts(head, Either::Right(body)))
}

fn strip(headers: &mut ::http::HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(',').filter_map(|name| name.trim().parse().ok()))
        .collect();
    for name in named.iter().chain(&BETWEEN_TWO) {
        headers.remove(name);
    }
}

fn target(authority: Option<&Authority>, usual_port: Option<u16>) -> Result<Target, Problem> {
    let authority = authority.ok_or_else(|| bad("this is a proxy: name a host and a port"))?;
    Target::parse(authority, usual_port).map_err(bad)
}

fn bad(sentence: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "EINVAL", sentence)
}

/// The sentence is the body, and stands in the first line too, of which clients make an exception when CONNECT fails.
fn refuse(Problem { status, code, sentence }: Problem) -> Answer {
    tracing::debug!(%status, sentence, "a script's connection was refused");
    let reason = ReasonPhrase::try_from(sentence.clone());
    let mut answer = said(status, sentence + "\n");
    answer.headers_mut().insert(ERROR_CODE, HeaderValue::from_static(code));
    if let Ok(reason) = reason {
        answer.extensions_mut().insert(reason);
    }
    answer
}

fn said(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
