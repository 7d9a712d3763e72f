//! https:// is a feature: `cargo test -p syncano-client --features tls --test tls`.

use syncano_client::Client;

#[cfg(not(feature = "tls"))]
#[test]
fn without_the_feature_https_is_refused_with_the_way_out() {
    let error = Client::connect("https://example.com").expect_err("no TLS in this build").to_string();
    assert!(error.contains("https needs the feature `tls` of syncano-client"), "{error}");
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn with_the_feature_https_speaks_tls() {
    use tokio::io::AsyncReadExt as _;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let client = Client::connect(&url).expect("an address");
    let asked = tokio::spawn(async move { client.instance("demo-instance").exists().await });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut first = [0; 2];
    stream.read_exact(&mut first).await.expect("the client speaks first");
    // The record of a TLS handshake.
    assert_eq!(first, [22, 3]);
    drop(stream);
    let error = asked.await.expect("no panic").expect_err("nobody answered");
    assert!(error.is_retryable(), "{error}");
}
