//! `…/traces/`: what was recorded of runs.

use axum::response::Response;
use serde_json::{Value, json};
use syncano_core::route;

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

/// A trace as it is shown, with at most so many bytes of each of its parts.
pub(super) fn object(trace: &Trace, path: &str, limit: usize) -> Value {
    let json = |text: &str| -> Value {
        if text.len() > limit {
            return json!({ "__error__": format!("longer than {limit} bytes: read the trace itself") });
        }
        // Only JSON is ever stored there.
        serde_json::from_str(text).unwrap_or_default()
    };
    let mut object = json!({
        "id": trace.id,
        "status": trace.status,
        "executed_at": trace.executed_at.map(time::wire),
        "duration": trace.duration,
        "result": json(&trace.result),
        "links": { "self": route::trace(path, trace.id) },
    });
    if let Some(level) = trace.isolation {
        object["isolation"] = json!(level);
    }
    // A script's own runs have no request.
    if !matches!(trace.subject, Subject::Script(_)) {
        object["meta"] = json(&trace.meta);
        object["args"] = json(&trace.args);
    }
    object
}
