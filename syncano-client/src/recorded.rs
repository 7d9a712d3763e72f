//! What the server keeps of runs.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use syncano_core::{RunResult, RunStatus, route};

use crate::{Client, Error, Pages};

/// A run as the server keeps it: the latest hundred of an endpoint or script, for a day.
///
/// ```no_run
/// # async fn run(endpoint: syncano_client::SocketEndpoint) -> Result<(), syncano_client::Error> {
/// for run in endpoint.traces().await? {
///     println!("{}: {} in {:?} ms", run.id, run.status, run.duration);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct RecordedTrace {
    /// Its number.
    pub id: i64,
    /// How it ended.
    pub status: RunStatus,
    /// When it started, UTC; `None` while it waits.
    #[serde(default)]
    pub executed_at: Option<String>,
    /// How long it took in milliseconds; `None` while it waits.
    #[serde(default)]
    pub duration: Option<u64>,
    /// What it printed and answered; `None` where a list left it out for its length: read the trace by itself.
    #[serde(default, deserialize_with = "unless_left_out")]
    pub result: Option<RunResult>,
    /// What it was called with, under `GET` and `POST`; `None` where a list left it out for its length, and for runs that
    /// no endpoint made.
    #[serde(default, deserialize_with = "unless_left_out")]
    pub args: Option<Value>,
    /// What is known of the request.
    #[serde(default)]
    pub meta: Value,
}

/// What is too long for a list is an object that says so.
fn unless_left_out<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::de::DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    if value.get("__error__").is_some() {
        return Ok(None);
    }
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}

/// The list at `path`, newest first.
pub(crate) fn list(client: &Client, path: String) -> Pages<RecordedTrace> {
    Pages::new(client, path, |trace| trace)
}

/// One of the list at `path`.
pub(crate) async fn one(client: &Client, path: &str, id: i64) -> Result<Option<RecordedTrace>, Error> {
    client.find(&route::trace(path, id)).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_list_left_out_is_not_taken_for_an_empty_result() {
        let read = |result: Value| {
            let trace =
                json!({"id": 7, "status": "success", "executed_at": null, "duration": 3, "result": result});
            serde_json::from_value::<RecordedTrace>(trace).unwrap()
        };
        let printed = read(json!({"stdout": "3", "stderr": ""}));
        assert_eq!(printed.result.map(|result| result.stdout).as_deref(), Some("3"));
        assert_eq!(read(json!({"__error__": "too long"})).result, None);
        assert_eq!(read(json!({})).result, Some(RunResult::default()));
    }
}
