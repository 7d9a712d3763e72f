//! `…/traces/`: what was recorded of runs.

use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use syncano_core::{RunStatus, route};
use syncano_runner::Isolation;

use crate::app::App;
use crate::catalog::Instance;
use crate::errors::{ApiError, quoted};
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::Head;
use crate::store::traces::{self, Subject, Trace};
use crate::time;

/// Bytes of a result, or of arguments, that a list shows.
const LISTED: usize = 64 * 1024;

/// The runs of a subject; `path` is where they are listed.
pub(super) async fn list(
    app: &App,
    instance: &Instance,
    subject: &Subject,
    path: &str,
    head: &Head,
) -> Result<Response, ApiError> {
    let page = Page::from_query(&head.query, Ordering::Descending)?;
    // First those that run: one that ends meanwhile is stored by the time that the others are read.
    let running = instance.running.of(subject);
    app.traces.settled().await;
    let mut rows = traces::of_subject(&app.store.db, subject, &page).await?;
    if !running.is_empty() {
        let stored: Vec<i64> = rows.iter().map(|trace| trace.id).collect();
        rows.extend(running.into_iter().filter(|trace| !stored.contains(&trace.id)));
        rows = page.cut(rows, |trace| trace.id);
    }
    let object = |trace: &Trace| object(trace, path, LISTED);
    Ok(reply::ok(&page.envelope(head.path(), &rows, |trace| trace.id, object)))
}

/// One run of a subject.
pub(super) async fn show(
    app: &App,
    instance: &Instance,
    subject: &Subject,
    path: &str,
    id: &str,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found(format!("there is no trace `{}`", quoted(id)));
    let number = id.parse().map_err(|_| missing())?;
    let trace = match instance.running.one(subject, number) {
        Some(running) => Some(running),
        None => {
            app.traces.settled().await;
            traces::one(&app.store.db, subject, number).await?
        }
    };
    Ok(reply::ok(&object(&trace.ok_or_else(missing)?, path, usize::MAX)))
}

/// A trace as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    id: i64,
    status: RunStatus,
    executed_at: Option<String>,
    duration: Option<i64>,
    result: Box<RawValue>,
    links: Links,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<Isolation>,
    /// A script's own runs have no request.
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
}

/// A trace as it is shown, with at most so many bytes of each of its parts: those as they were written.
pub(super) fn object(trace: &Trace, path: &str, limit: usize) -> Shown {
    let json = |text: &str| -> Box<RawValue> {
        if text.len() > limit {
            let error = format!("longer than {limit} bytes: read the trace itself");
            return to_raw_value(&json!({ "__error__": error })).expect("it is written to memory");
        }
        // Only JSON is ever stored there.
        RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
    };
    let has_request = !matches!(trace.subject, Subject::Script(_));
    Shown {
        id: trace.id,
        status: trace.status,
        executed_at: trace.executed_at.map(time::wire),
        duration: trace.duration,
        result: json(&trace.result),
        links: Links { own: route::trace(path, trace.id) },
        isolation: trace.isolation,
        meta: has_request.then(|| json(&trace.meta)),
        args: has_request.then(|| json(&trace.args)),
    }
}
