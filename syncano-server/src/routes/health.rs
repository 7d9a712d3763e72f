//! `/health`: whether the server is up, for whoever watches it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::reply;

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    reply::ok(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "isolation": app.runner.isolation().to_string(),
        // Runs and changes that are under way.
        "running": app.gate.inside(),
        // Since the start: the disk was full, or the database out of order.
        "traces_lost": app.traces.lost(),
    }))
}
