//! What goes wrong says which endpoint and why, and leaves nothing half-done.

use secrecy::ExposeSecret as _;
use syncano_client::{CallError, Client, Error, Methods, Runtime, Socket, socket};

use crate::{World, python};

#[socket(name = "wrong", runtime = "python3")]
pub(crate) mod wrong {
    #[endpoint("garbage", GET, source = "print('no number')")]
    pub async fn garbage() -> u32;

    #[endpoint("garbage", POST, source = "def main(): return {'a': 1}")]
    pub async fn wrong_shape() -> Vec<u32>;

    #[endpoint(
        "raises",
        GET,
        source = r#"
        def helper():
            raise ValueError("this one")

        print("so far")
        helper()
    "#
    )]
    pub async fn raises();

    #[endpoint("lacks", POST, source = "def main(other): return other\nmain = main")]
    pub async fn lacks(argument: u8) -> u8;

    #[endpoint("ruby", GET, runtime = "ruby", source = "puts 1")]
    pub async fn ruby() -> u32;

    #[endpoint("large", POST, source = "def main(text): return len(text)")]
    pub async fn large(text: &str) -> u32;
}

#[socket(name = "lenient", runtime = "python3", results = "warn")]
pub(crate) mod lenient {
    #[endpoint("levels", GET, source = "def main(): return [[1], ['x']]")]
    pub async fn levels() -> Vec<Vec<u32>>;
}

async fn published() -> (World, wrong::Client) {
    let world = World::new().await;
    wrong::publish(&world.instance).await.unwrap();
    let api = wrong::Client::new(&world.instance);
    (world, api)
}

#[tokio::test]
async fn a_result_of_another_type_names_the_place() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let error = api.garbage().await.unwrap_err();
    let CallError::Mismatch(mismatch) = &error else { panic!("{error:?}") };
    assert_eq!((mismatch.endpoint.as_str(), mismatch.stdout.as_str()), ("wrong/garbage", "no number"));
    assert!(error.to_string().contains("at /: expected JSON, found `no number`"), "{error}");
    let error = api.wrong_shape().await.unwrap_err();
    let CallError::Mismatch(mismatch) = &error else { panic!("{error:?}") };
    assert_eq!(mismatch.mismatches[0].to_string(), "at /: expected a list, found an object");
    assert_eq!(mismatch.response.as_ref().unwrap().content, r#"{"a":1}"#);
    // The run is recorded as failed.
    assert!(
        mismatch.stderr.ends_with("the endpoint's schema: at /: expected a list, found an object"),
        "{error}"
    );
}

#[tokio::test]
async fn where_results_only_warn_the_client_tells_what_it_cannot_read() {
    if !python() {
        return;
    }
    let world = World::new().await;
    lenient::publish(&world.instance).await.unwrap();
    let api = lenient::Client::new(&world.instance);
    let error = api.levels().await.unwrap_err();
    let CallError::Decode { endpoint, pointer, body, .. } = &error else { panic!("{error:?}") };
    assert_eq!((endpoint.as_str(), pointer.as_str()), ("lenient/levels", "/1/0"));
    assert_eq!(body.as_ref(), br#"[[1],["x"]]"#);
}

#[tokio::test]
async fn a_failing_script_tells_where() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let error = api.raises().await.unwrap_err();
    let CallError::Script(failure) = &error else { panic!("{error:?}") };
    assert_eq!(failure.stdout, "so far");
    assert!(
        failure.stderr.contains("line 2, in helper") && failure.stderr.ends_with("ValueError: this one"),
        "{failure}"
    );
    assert!(error.to_string().contains("`wrong/raises`"), "{error}");
    let error = api.lacks(1).await.unwrap_err();
    assert!(matches!(&error, CallError::Script(failure) if failure.stderr.contains("argument")), "{error}");
}

#[tokio::test]
async fn a_runtime_that_is_not_there_is_a_failure_that_says_so() {
    let (_world, api) = published().await;
    let error = api.ruby().await.unwrap_err();
    let CallError::Script(failure) = &error else { panic!("{error:?}") };
    assert!(failure.stderr.contains("Ruby"), "{failure}");
}

#[tokio::test]
async fn too_large_a_body_is_refused_with_the_limit() {
    let (_world, api) = published().await;
    let error = api.large(&"x".repeat(600 * 1024)).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(413), "{error}");
    assert!(error.to_string().contains("wrong/large") && error.to_string().contains("524288"), "{error}");
}

#[tokio::test]
async fn keys_that_are_wrong_or_missing_are_refused() {
    let world = World::new().await;
    let url = world.server.url();
    for client in [
        Client::connect(&url).unwrap(),
        Client::connect(&url).unwrap().account_key("0".repeat(40)),
        Client::connect(&url).unwrap().account_key("nonsense"),
    ] {
        let error = client.create_or_open_instance("other-instance").await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(403), "{error}");
    }
    let error = Client::connect(&url)
        .unwrap()
        .account_key("a\nb")
        .create_instance("other-instance")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Key), "{error}");
    // A key never shows in what is printed.
    let key = world.server.account_key().expose_secret().to_owned();
    assert!(!format!("{:?}", world.client).contains(&key));
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_at_once() {
    for (url, reason) in [
        ("localhost:80", "http://"),
        ("not a url", "http://"),
        ("ftp://host", "http://"),
        ("http://host/v1.1/", "path"),
    ] {
        let error = Client::connect(url).unwrap_err();
        assert!(matches!(&error, Error::Url { .. }) && error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_transport_error() {
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = Client::connect(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = wrong::Client::new(&client.instance("demo-instance")).garbage().await.unwrap_err();
    assert!(matches!(error, CallError::Transport { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named() {
    let world = World::new().await;
    let error = wrong::Client::new(&world.instance).garbage().await.unwrap_err();
    assert!(matches!(&error, CallError::ContractMismatch(mismatch) if mismatch.endpoint == "wrong/garbage"));
    assert!(error.to_string().contains("there is no such endpoint"), "{error}");
    let error = wrong::Client::new(&world.client.instance("no-such-instance")).garbage().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error}");
}

#[tokio::test]
async fn sockets_of_another_runtime_can_be_published() {
    let world = World::new().await;
    let socket = Socket::builder("other")
        .script("a", Runtime::NodeJsV12, "console.log(1)")
        .script("b", Runtime::Ruby, "puts 1")
        .call("e", "a", Methods::Any)
        .call("f", "b", Methods::Any)
        .build()
        .unwrap();
    world.instance.publish(&socket).await.unwrap();
}
