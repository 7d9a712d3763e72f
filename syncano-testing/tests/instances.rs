//! A test has a server of its own, and leaves nothing behind.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use syncano_client::{CallError, Error, Method, Socket, socket, sockets};
use syncano_testing::TestInstance;

#[socket(runtime = "python3")]
mod notes {
    #[endpoint("slow", GET, source = "import time\ndef main(): time.sleep(60)")]
    pub async fn slow();

    #[endpoint("count", POST, source = "seen = []\ndef main():\n    seen.append(1)\n    return len(seen)")]
    pub async fn count() -> u32;
}

#[socket(runtime = "python3")]
mod greetings {
    #[endpoint("hello", GET, source = "def main(name): return 'Hello, ' + name")]
    pub async fn hello(name: &str) -> String;
}

sockets![notes, greetings];

/// Tests that run Python scripts need Python: without it they are skipped, in CI they fail.
fn python() -> bool {
    let found =
        ["/usr/bin/python3", "/usr/local/bin/python3"].iter().any(|path| PathBuf::from(path).exists());
    assert!(found || std::env::var_os("CI").is_none(), "CI needs Python: install python3");
    if !found {
        eprintln!("skipped: no python3 in /usr/bin; install it to run this test");
    }
    found
}

#[syncano_testing::test(notes, greetings)]
async fn the_attribute_publishes_what_it_names(instance: TestInstance) -> Result<(), CallError> {
    if python() {
        assert_eq!(greetings::Client::new(&instance).hello("Ada").await?, "Hello, Ada");
        assert_eq!(notes::Client::new(&instance).count().await?, 1);
    }
    Ok(())
}

#[syncano_testing::test]
async fn the_instance_is_empty_otherwise(instance: TestInstance) {
    assert!(instance.sockets().await.unwrap().is_empty());
    assert_eq!(instance.name(), "test-instance");
}

#[syncano_testing::test]
#[should_panic(expected = "this goes through")]
async fn other_attributes_of_tests_go_along() {
    panic!("this goes through");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_share_nothing() {
    let (one, two) = tokio::join!(TestInstance::with(definitions()), TestInstance::new());
    assert_ne!(one.url(), two.url());
    assert!(one.url().starts_with("http://127.0.0.1:"));
    assert_eq!(two.client().instances().await.unwrap().len(), 1);
    assert!(two.socket("notes").await.unwrap().is_none());
}

#[tokio::test]
async fn settings_are_the_test_s_own() {
    let instance = TestInstance::builder()
        .server(|server| server.require_key(true))
        .sockets([greetings::definition()])
        .start()
        .await;
    let refused = instance.without_key().run(Method::Get, "greetings/hello", ()).await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403), "{refused}");
}

#[tokio::test]
async fn the_server_goes_on_while_the_test_blocks_its_thread() {
    use std::io::{Read as _, Write as _};
    let instance = TestInstance::new().await;
    let mut stream = std::net::TcpStream::connect(instance.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
#[should_panic(expected = "the test's socket `9` can't be published")]
async fn a_socket_that_is_refused_fails_the_test() {
    let broken = Socket { name: "9".to_owned(), ..greetings::definition() };
    TestInstance::with([broken]).await;
}

#[socket(runtime = "python3", environment = "science")]
mod statistics {
    #[endpoint("mean", GET, source = "def main(): return 3")]
    pub async fn mean() -> u32;
}

#[tokio::test]
#[should_panic(
    expected = "write `TestInstance::builder().environment(\"science\", path).sockets([…]).start().await` in the test"
)]
async fn a_test_without_the_environment_of_its_socket_says_how_to_give_it() {
    TestInstance::with([statistics::definition()]).await;
}

#[tokio::test]
#[should_panic(expected = "the test server doesn't start")]
async fn a_server_that_does_not_start_fails_the_test() {
    TestInstance::builder().server(|server| server.database("nonsense://")).start().await;
}

/// The processes that this one has started, and the folders of its scripts.
fn traces_on_the_machine() -> HashSet<PathBuf> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let children = tasks.flat_map(|task| {
        let children = std::fs::read_to_string(task.join("children")).unwrap_or_default();
        children.split_whitespace().map(|child| PathBuf::from("/proc").join(child)).collect::<Vec<_>>()
    });
    let folders = std::fs::read_dir(std::env::temp_dir()).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.to_str().is_some_and(|path| path.contains("syncano-runner-")));
    children.chain(folders).collect()
}

#[test]
fn nothing_is_left_after_a_panic_in_the_middle_of_a_call() {
    const INSIDE: &str = "SYNCANO_TEST_INSIDE";
    if !python() {
        return;
    }
    // In a process and a folder of its own: the other tests have servers too.
    if std::env::var_os(INSIDE).is_none() {
        let folder = tempfile::tempdir().unwrap();
        // Scripts run as users of their own, if the test runs as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let test = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "nothing_is_left_after_a_panic_in_the_middle_of_a_call"])
            .env(INSIDE, "1")
            .env("TMPDIR", folder.path())
            .output()
            .unwrap();
        assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stderr));
        return;
    }
    let before = traces_on_the_machine();
    let started = Instant::now();
    let panicked = std::panic::catch_unwind(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let instance = TestInstance::with(definitions()).await;
            let api = notes::Client::new(&instance);
            api.count().await.unwrap();
            let late = api.slow().timeout(Duration::from_millis(200)).await.unwrap_err();
            assert!(matches!(late, CallError::Transport { .. }), "{late}");
            let there: Vec<_> = traces_on_the_machine().difference(&before).cloned().collect();
            assert!(there.iter().any(|path| path.starts_with("/proc")), "{there:?}");
            assert!(there.iter().any(|path| !path.starts_with("/proc")), "{there:?}");
            panic!("in the middle");
        })
    });
    assert!(panicked.is_err());
    assert!(started.elapsed() < Duration::from_secs(20), "the script's minute was waited for");
    let left: Vec<_> = traces_on_the_machine().difference(&before).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_server_s_address_is_gone_with_it() {
    let url = TestInstance::new().await.url().to_owned();
    let error = syncano_client::Client::connect(&url).unwrap().log_in("a@b.c", "d").await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
}
