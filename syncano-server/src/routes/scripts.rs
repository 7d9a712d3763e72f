//! `…/snippets/scripts/`: scripts that are run by their numbers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use syncano_core::{Runtime, UnknownRuntime, limits, numbers, route, script_config_violations};
use syncano_runner::Arguments;

use super::traces;
use crate::app::App;
use crate::auth::{Authorized, Segments};
use crate::catalog::Instance;
use crate::errors::ApiError;
use crate::meta::{self, Admin, ExecutedBy, Meta};
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::Fields;
use crate::run::{Recorded, Run};
use crate::runnable::{ENVIRONMENT, Runnable};
use crate::scripts::no_script;
use crate::store::scripts::{self, NewScript, ScriptRow};
use crate::store::traces::Subject;
use crate::time;

/// Lists only scripts whose label begins like this.
const LABEL_FILTER: &str = "label__startswith";
/// Bytes of a source that a list shows.
const LISTED: usize = 64 * 1024;
/// Ends a source that a list has cut.
const CUT: &str = "\n[cut: read the script itself]";

pub(super) async fn list(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let page = Page::with_filters(&request.head.query, Ordering::Ascending, &[LABEL_FILTER])?;
    let label = request.head.query.last(LABEL_FILTER).unwrap_or_default();
    let mut rows = scripts::of_instance(&app.store.db, instance.id, label, LISTED + 1, &page).await?;
    for row in &mut rows {
        if row.source.len() > LISTED {
            row.source.truncate(row.source.floor_char_boundary(LISTED - CUT.len()));
            row.source.push_str(CUT);
        }
    }
    let object = |row: &ScriptRow| object(&instance, row);
    Ok(reply::ok(&page.envelope(request.head.path(), &rows, |row| row.id, object)))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let changes = Changes::read(&request.fields)?;
    changes.check_environment(&app, "")?;
    let runtime = changes.runtime.ok_or_else(|| {
        ApiError::field("runtime_name", "this field is required: it says what runs the script")
    })?;
    let new = NewScript {
        instance_id: instance.id,
        socket_id: None,
        label: changes.label.unwrap_or_default(),
        description: changes.description.unwrap_or_default(),
        runtime,
        source: changes.source.unwrap_or_default(),
        config: changes.config.unwrap_or_else(|| "{}".to_owned()),
    };
    let row = crate::scripts::create(&app, instance.clone(), new).await?;
    Ok(reply::created(&object(&instance, &row)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    Ok(reply::ok(&object(&instance, &row)))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    let changes = Changes::read(&request.fields)?;
    changes.check_environment(&app, &row.runtime)?;
    let edit = move |row: &mut ScriptRow| {
        let ScriptRow { runtime, source, label, description, config, .. } = row;
        for (now, change) in [
            (runtime, changes.runtime),
            (source, changes.source),
            (label, changes.label),
            (description, changes.description),
            (config, changes.config),
        ] {
            *now = change.unwrap_or(std::mem::take(now));
        }
    };
    let row = crate::scripts::update(&app, instance.clone(), names.0.1, edit).await?;
    Ok(reply::ok(&object(&instance, &row)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &names.0.0)?;
    crate::scripts::delete(&app, instance, names.0.1).await?;
    Ok(reply::no_content())
}

/// Starts a run. The answer is its trace, which is `pending`.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    let payload = request.fields.json("payload")?.unwrap_or_else(|| json!({}));
    if !payload.is_object() && !payload.is_array() {
        return Err(ApiError::field("payload", "expected an object or a list"));
    }
    let payload = payload.to_string();
    if payload.len() > limits::RUN_BODY_BYTES {
        return Err(ApiError::Detail(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            format!("the payload is too large: at most {} bytes are allowed", limits::RUN_BODY_BYTES),
        ));
    }
    let name = format!("script-{}", row.id);
    let runnable =
        Runnable::of_script(&instance, &name, &row, &app.settings).map_err(ApiError::bad_request)?;
    let lost = numbers::lost(runnable.script.runtime().language(), &payload);
    if !lost.is_empty() {
        let texts = lost.iter().map(ToString::to_string).collect();
        return Err(ApiError::Fields([("payload".to_owned(), texts)].into()));
    }
    // Whoever manages the instance acts for its owner.
    let admin = app.catalog.account(instance.owner);
    let meta = Meta {
        request: None,
        metadata: None,
        admin: admin.as_deref().map(Admin::new),
        executed_by: ExecutedBy::Codebox,
        executor: row.id.into(),
        instance: &instance.name,
        socket: None,
        api_host: meta::host(&request.head),
        token: runnable.token(&app, &instance),
        r#async: 0,
    };
    let run = Run {
        subject: Subject::Script(row.id),
        name,
        script: runnable.script,
        timeout: runnable.timeout,
        arguments: Arguments::direct(payload),
        meta: meta.to_json(),
        recorded: Recorded::nothing(),
        results: None,
        keep: None,
        instance: instance.clone(),
    };
    let trace = run.start(&app).await?;
    let path = route::script_traces(&instance.name, row.id);
    Ok(reply::ok(&traces::object(&trace, &path, usize::MAX)))
}

pub(super) async fn traces(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    let path = route::script_traces(&instance.name, row.id);
    traces::list(&app, &instance, &Subject::Script(row.id), &path, &request.head).await
}

pub(super) async fn trace(
    State(app): State<Arc<App>>,
    names: Segments<(String, i64, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, id, trace) = names.0;
    let (instance, row) = find(&app, &request, &(instance, id)).await?;
    let path = route::script_traces(&instance.name, row.id);
    traces::show(&app, &instance, &Subject::Script(row.id), &path, &trace).await
}

/// What scripts can be written for, by name. Aliases are left out.
pub(super) async fn runtimes(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    app.instance(&request.account, &instance)?;
    let runtimes = Runtime::ALL.into_iter().filter(|runtime| runtime.canonical() == *runtime);
    let runtimes: Map<String, Value> = runtimes
        .map(|runtime| {
            let interpreter = app.runner.interpreter(runtime.language());
            let object = json!({
                "name": runtime,
                // What runs it here and now, which is newer than its name says. Empty: nothing does.
                "version": interpreter.map_or("", |found| found.version()),
                "library": null,
                "library_version": null,
                "deprecated": false,
                "image": null,
                "packages": [],
            });
            (runtime.to_string(), object)
        })
        .collect();
    Ok(reply::ok(&Value::Object(runtimes)))
}

async fn find(
    app: &App,
    request: &Authorized,
    names: &(String, i64),
) -> Result<(Arc<Instance>, ScriptRow), ApiError> {
    let (instance, id) = names;
    let instance = app.instance(&request.account, instance)?;
    let row = scripts::by_id(&app.store.db, instance.id, *id).await?;
    Ok((instance, row.ok_or_else(|| no_script(*id))?))
}

/// What a request says about a script.
struct Changes {
    runtime: Option<String>,
    source: Option<String>,
    label: Option<String>,
    description: Option<String>,
    config: Option<String>,
}

impl Changes {
    fn read(fields: &Fields) -> Result<Changes, ApiError> {
        let runtime = fields.text("runtime_name")?;
        if let Some(name) = &runtime {
            name.parse::<Runtime>()
                .map_err(|unknown: UnknownRuntime| ApiError::field("runtime_name", unknown.to_string()))?;
        }
        let source = fields.text("source")?;
        let length = source.as_ref().map_or(0, String::len);
        if length > limits::SOURCE_BYTES {
            let text = format!("{length} bytes: at most {} are allowed", limits::SOURCE_BYTES);
            return Err(ApiError::field("source", text));
        }
        let config = fields.checked_object("config", script_config_violations)?;
        Ok(Changes {
            runtime,
            source,
            label: fields.bounded_text("label", limits::LABEL)?,
            description: fields.short_text("description")?,
            config: config.map(|config| Value::Object(config).to_string()),
        })
    }

    /// Refuses a configuration that names an environment which there is not. `stored` is the runtime so far.
    fn check_environment(&self, app: &App, stored: &str) -> Result<(), ApiError> {
        let Some(config) = &self.config else { return Ok(()) };
        let config: Map<String, Value> = serde_json::from_str(config).map_err(ApiError::internal)?;
        let runtime = self.runtime.as_deref().unwrap_or(stored).parse::<Runtime>();
        let (Some(name), Ok(runtime)) = (config.get(ENVIRONMENT).and_then(Value::as_str), runtime) else {
            return Ok(());
        };
        match app.runner.environment(name, runtime.language()) {
            Ok(_) => Ok(()),
            Err(missing) => Err(ApiError::field("config", format!("at /{ENVIRONMENT}: {missing}"))),
        }
    }
}

fn object(instance: &Instance, row: &ScriptRow) -> Value {
    let instance = &instance.name;
    json!({
        "id": row.id,
        "runtime_name": row.runtime,
        "source": row.source,
        "created_at": time::wire(row.created_at),
        "updated_at": time::wire(row.updated_at),
        "config": serde_json::from_str::<Value>(&row.config).unwrap_or_default(),
        "label": row.label,
        "description": row.description,
        "links": {
            "self": route::script(instance, row.id),
            "runtimes": route::runtimes(instance),
            "run": route::script_run(instance, row.id),
            "traces": route::script_traces(instance, row.id),
        },
    })
}
