//! What scripts talk to: a server of the test's own on this machine, and what is said to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// An HTTP/1.1 server. It answers
///
/// * `/redirect?LOCATION` by sending elsewhere,
/// * `/flood` with bytes for as long as somebody takes them,
/// * `/hang` never,
/// * everything else with the request as it came.
pub(crate) struct Outside {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
}

/// The name by which scripts reach it.
pub(crate) const NAME: &str = "outside.example";

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    open: AtomicUsize,
    flooded: AtomicUsize,
}

impl Outside {
    /// Over plain TCP.
    pub(crate) async fn start() -> Outside {
        Outside::serve(None).await
    }

    /// Over TLS, with a certificate for [`NAME`], which is returned too.
    pub(crate) async fn start_tls() -> (Outside, String) {
        let own = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("it signs");
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("it is a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .expect("they belong together");
        (Outside::serve(Some(Arc::new(config).into())).await, own.cert.pem())
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Outside {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let seen = Arc::<Seen>::default();
        let shared = seen.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("it accepts");
                let (seen, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    seen.open.fetch_add(1, Ordering::SeqCst);
                    let _ = match tls {
                        None => serve(stream, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &seen).await,
                            // Who doesn't know the certificate goes away.
                            Err(_) => Ok(()),
                        },
                    };
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Outside { address, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far, each with its body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("nobody panics with it").clone()
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// Bytes that somebody took of `/flood`.
    pub(crate) fn flooded(&self) -> usize {
        self.seen.flooded.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    pub(crate) async fn asked(&self, requests: usize) {
        while self.requests().len() < requests {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Waits until nobody is connected.
    pub(crate) async fn alone(&self) {
        while self.open() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Seen) -> std::io::Result<()> {
    let mut received = Vec::new();
    loop {
        let Some(request) = request(&mut stream, &mut received).await? else { return Ok(()) };
        seen.requests.lock().expect("nobody panics with it").push(request.clone());
        let path = request.split(' ').nth(1).unwrap_or_default();
        if let Some(location) = path.strip_prefix("/redirect?") {
            let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
        } else if path == "/flood" {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                let sent = stream.write(&[b'x'; 65536]).await?;
                seen.flooded.fetch_add(sent, Ordering::SeqCst);
            }
        } else if path == "/hang" {
            // Until the other end goes away.
            while stream.read(&mut [0; 64]).await? > 0 {}
            return Ok(());
        } else {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{request}", request.len());
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// The next request: its head and its body, whose length stands in the head.
async fn request(
    stream: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
) -> std::io::Result<Option<String>> {
    loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
            let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
            let total =
                end + 4 + length.map_or(0, |length| length.parse::<usize>().expect("a length is a number"));
            if received.len() >= total {
                let request = received.drain(..total).collect::<Vec<_>>();
                return Ok(Some(String::from_utf8_lossy(&request).into_owned()));
            }
        }
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
}
