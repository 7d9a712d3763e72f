//! What a database keeps, and how a server starts.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use syncano_server::{Server, ServerBuilder, StartError};

use super::{World, http, python, run, socket, sockets};

struct Database(tempfile::TempDir);

impl Database {
    fn new() -> Database {
        Database(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> std::path::PathBuf {
        // Characters that would mean something in an URL.
        self.0.path().join("a b?c%20#d.db")
    }

    fn of(&self, server: ServerBuilder) -> ServerBuilder {
        server.database(format!("sqlite://{}", self.file().display()))
    }

    async fn start(&self) -> Result<Server, StartError> {
        self.of(Server::builder().listen(([127, 0, 0, 1], 0).into())).start().await
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let database = Database::new();
    let world = World::with(|server| database.of(server)).await;
    let key = world.key.clone();
    let object = world.publish(socket("s", "e", "print(META['request']['REQUEST_METHOD'])")).await;
    let failed = world.post(&sockets(), socket("t", "e", "print(2)")).await.json;
    assert_eq!(failed["status"], "error");
    if python() {
        world.run(Method::GET, "e/", None).await;
    }
    for file in std::fs::read_dir(database.0.path()).unwrap() {
        let file = file.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
    world.server.stop().await;

    let world = World::with(|server| database.of(server)).await;
    assert_eq!(world.key, key);
    assert_eq!(world.get(&format!("{}s/", sockets())).await.json, object);
    assert_eq!(world.get(&format!("{}t/", sockets())).await.json, failed);
    if python() {
        assert_eq!(world.get(&run("e/traces/1/")).await.json["result"]["stdout"], "GET");
        let reply = world.run(Method::PUT, "s/e/", None).await;
        assert_eq!((&reply.json["id"], &reply.json["result"]["stdout"]), (&json!(2), &json!("PUT")));
    }
    // The names are still taken.
    let reply = world.post(&sockets(), socket("u", "e", "print(3)")).await;
    assert_eq!(
        reply.json["status_info"],
        "endpoint \"e\" already belongs to socket \"s\": rename it, or start the server with `--flat-names alias`"
    );
}

#[tokio::test]
async fn the_first_start_makes_an_account_and_tells_its_key_once() {
    let database = Database::new();
    let first = database.start().await.unwrap();
    let key = first.first_start_key().expect("the first start tells it").expose_secret().to_owned();
    assert_eq!(first.admin_key().expose_secret(), key);
    first.shutdown().await;
    let second = database.start().await.unwrap();
    assert!(second.first_start_key().is_none());
    assert_eq!(second.admin_key().expose_secret(), key);
    second.shutdown().await;
}

#[tokio::test]
async fn a_configured_account_is_made_unless_it_exists() {
    let database = Database::new();
    let start = |password: &'static str| {
        let server = database.of(Server::builder()).listen(([127, 0, 0, 1], 0).into());
        server.admin("Ann@example.org", password.into()).start()
    };
    let first = start("one").await.unwrap();
    assert!(first.first_start_key().is_none());
    let key = first.admin_key().expose_secret().to_owned();
    first.shutdown().await;
    let second = start("two").await.unwrap();
    assert_eq!(second.admin_key().expose_secret(), key);
    let login = |password: &'static str| {
        let url = format!("{}/v1.1/account/auth/", second.url());
        let body = json!({ "email": "ann@example.org", "password": password });
        async move { http().post(url).json(&body).send().await.unwrap().status().as_u16() }
    };
    // The password of an account that exists stays as it is.
    assert_eq!((login("one").await, login("two").await), (200, 401));
    second.shutdown().await;
}

#[tokio::test]
async fn a_lost_or_another_secret_is_noticed() {
    let database = Database::new();
    let first = database.start().await.unwrap();
    let key = first.admin_key().expose_secret().to_owned();
    first.shutdown().await;
    let mut file = database.file().into_os_string();
    file.push(".secret");
    let secret = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();

    let error = database.start().await.unwrap_err();
    assert!(matches!(error, StartError::Secret { .. }), "{error}");
    assert!(error.to_string().contains("put it back"), "{error}");
    assert!(!std::path::Path::new(&file).exists());

    let given = |secret: &str| {
        let server = database.of(Server::builder()).listen(([127, 0, 0, 1], 0).into());
        server.secret(secret.into())
    };
    let error = given("guessable").start().await.unwrap_err();
    assert!(
        matches!(error, StartError::ShortSecret { .. }) && !error.to_string().contains("guessable"),
        "{error}"
    );
    let error = given("another one than before").start().await.unwrap_err();
    assert!(matches!(error, StartError::OtherSecret), "{error}");
    let same = given(&secret).start().await.unwrap();
    assert_eq!(same.admin_key().expose_secret(), key);
    same.shutdown().await;
    let new = given("another one than before").accept_new_secret(true).start().await.unwrap();
    assert_ne!(new.admin_key().expose_secret(), key);
    new.shutdown().await;
    given("another one than before").start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_start_that_cannot_be_says_what_to_do() {
    let server = Server::builder().database("sqlite::memory:").listen(([127, 0, 0, 1], 0).into());
    let running = server.clone().start().await.unwrap();
    let error = server.clone().listen(running.addr()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }));
    assert!(error.to_string().contains(&running.addr().to_string()), "{error}");

    let error = server.clone().database("sqlite:///nowhere/at/all.db").start().await.unwrap_err();
    assert!(matches!(error, StartError::Database { .. }));
    assert!(error.to_string().contains("/nowhere/at/all.db"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.db");
    std::fs::write(&file, "no database at all, but long enough to be read as one".repeat(50)).unwrap();
    let error = server.clone().database(format!("sqlite://{}", file.display())).start().await.unwrap_err();
    assert!(matches!(error, StartError::Database { .. }), "{error}");

    for url in ["postgres://host/db", "sqlite://", "file.db"] {
        let error = server.clone().database(url).start().await.unwrap_err();
        assert!(error.to_string().contains("sqlite://PATH"), "{error}");
    }
    let error = server.clone().admin("nobody", "x".into()).start().await.unwrap_err();
    assert!(error.to_string().contains("nobody"), "{error}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_server_notices_what_another_one_changed() {
    let database = Database::new();
    let one = World::with(|server| database.of(server)).await;
    let two = World::with(|server| database.of(server)).await;
    assert_eq!(one.key, two.key);
    one.publish(socket("s", "e", "print(1)")).await;
    let mut appeared = false;
    for _ in 0..50 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if two.run(Method::GET, "e/", None).await.status == 200 {
            appeared = true;
            break;
        }
    }
    assert!(appeared, "the other server doesn't know the endpoint");
    two.delete(&format!("{}s/", sockets())).await;
    two.run(Method::GET, "e/", None).await.detail(404);
    for _ in 0..50 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if one.run(Method::GET, "e/", None).await.status == 404 {
            return;
        }
    }
    panic!("the first server still runs what is gone");
}
