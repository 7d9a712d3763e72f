//! Scripts in Python that talk to others, and whom they may talk to.

use std::net::IpAddr;

use syncano_core::RunStatus;
use syncano_runner::{Isolation, Outcome, Runner, RunnerBuilder, Script};

use crate::outside::Outside;
use crate::support::{call, runner_or_skip, script, value};

/// The level that has a network, on a machine whose operator lets scripts reach the test's own server.
pub(crate) fn local(builder: RunnerBuilder) -> RunnerBuilder {
    builder
        .isolation(Isolation::Namespace)
        .allow_network("127.0.0.1/32".parse().unwrap())
        .host("outside.example", [IpAddr::from([127, 0, 0, 1])])
        .host("inside.example", [IpAddr::from([127, 0, 0, 2])])
}

async fn with_port(runner: &Runner, outside: &Outside, script: &Script) -> Outcome {
    runner.run(script, call(&format!(r#"{{"port": {}}}"#, outside.port()))).await
}

const FETCH: &str = "
import urllib.request

def main(port, url='http://outside.example:{}/path?q=1'):
    return urllib.request.urlopen(url.format(port), timeout=20).read().decode()
";

#[tokio::test]
async fn urllib_fetches() {
    let runner = runner_or_skip!(local);
    let outside = Outside::start().await;
    let outcome = with_port(&runner, &outside, &script(FETCH)).await;
    let answer = value(&outcome).as_str().unwrap().to_owned();
    let head = format!("GET /path?q=1 HTTP/1.1\r\n");
    assert!(answer.starts_with(&head), "{answer}");
    assert!(answer.contains(&format!("Host: outside.example:{}\r\n", outside.port())), "{answer}");
    assert!(!answer.to_lowercase().contains("proxy"), "{answer}");
    assert!(outcome.traffic.sent > 50 && outcome.traffic.received > 50, "{:?}", outcome.traffic);
    assert_eq!(outcome.status, RunStatus::Success);
}
