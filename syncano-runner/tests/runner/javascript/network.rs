//! Scripts in JavaScript that talk to others.

use syncano_core::RunStatus;
use syncano_runner::{Outcome, Runner, Script};

use crate::network::local;
use crate::outside::Outside;
use crate::support::{call, javascript, node_or_skip, value};

async fn with_port(runner: &Runner, outside: &Outside, script: &Script) -> Outcome {
    runner.run(script, call(&format!(r#"{{"port": {}}}"#, outside.port()))).await
}

const FETCH: &str = "export default async ({ port }) => {
    const answer = await fetch(`http://outside.example:${port}/path?q=1`);
    return [answer.status, await answer.text()];
}";

#[tokio::test]
async fn fetch_fetches() {
    let runner = node_or_skip!(local);
    let outside = Outside::start().await;
    let script = javascript(FETCH);
    for _ in 0..3 {
        let outcome = with_port(&runner, &outside, &script).await;
        assert_eq!(outcome.status, RunStatus::Success, "{}", outcome.stderr);
        let [status, text] = serde_json::from_value(value(&outcome)).unwrap();
        let (status, text): (serde_json::Value, serde_json::Value) = (status, text);
        assert_eq!(status, 200);
        let text = text.as_str().unwrap();
        assert!(text.starts_with("GET /path?q=1 HTTP/1.1\r\n"), "{text}");
        assert!(
            text.to_lowercase().contains(&format!("host: outside.example:{}\r\n", outside.port())),
            "{text}"
        );
    }
}
