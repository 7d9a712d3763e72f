//! `…/endpoints/scripts/`: names under which scripts can be called.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use syncano_core::{Method, NameKind, limits, normalize, route};

use super::{runs, traces};
use crate::answer::Want;
use crate::app::{App, no_instance};
use crate::arguments::{Inputs, merge};
use crate::auth::{self, Authorized, Purpose, Received, Segments};
use crate::body::{self, Content};
use crate::catalog::{Account, Instance};
use crate::errors::{ApiError, quoted};
use crate::keys;
use crate::meta::{self, Admin, ExecutedBy, Meta};
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::{Fields, Head};
use crate::run::{Recorded, Run};
use crate::runnable::Runnable;
use crate::scripts::{self, no_script_endpoint};
use crate::store::script_endpoints::{self, NewScriptEndpoint, ScriptEndpointRow};
use crate::store::traces::Subject;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let page = Page::from_query(&request.head.query, Ordering::Ascending)?;
    let rows = script_endpoints::of_instance(&app.store.db, instance.id, &page).await?;
    let object = |row: &ScriptEndpointRow| object(&app, &instance, row);
    Ok(reply::ok(&page.envelope(request.head.path(), &rows, |row| row.id, object)))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let fields = &request.fields;
    let name = normalize(&fields.required_text("name")?);
    NameKind::ScriptEndpoint.check(&name).map_err(|problem| {
        ApiError::field("name", format!("the name `{}` can't be used: {problem}", quoted(&name)))
    })?;
    let changes = Changes::read(fields)?;
    let new = NewScriptEndpoint {
        instance_id: instance.id,
        socket_id: None,
        name,
        description: changes.description.unwrap_or_default(),
        script_id: changes.script.ok_or_else(|| {
            ApiError::field("script", "this field is required: it is the number of the script to run")
        })?,
        public: changes.public.unwrap_or(false),
    };
    let row = scripts::create_endpoint(&app, instance.clone(), new).await?;
    Ok(reply::created(&object(&app, &instance, &row)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    Ok(reply::ok(&object(&app, &instance, &row)))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let changes = Changes::read(&request.fields)?;
    let edit = move |row: &mut ScriptEndpointRow| {
        row.script_id = changes.script.unwrap_or(row.script_id);
        row.public = changes.public.unwrap_or(row.public);
        row.description = changes.description.unwrap_or(std::mem::take(&mut row.description));
    };
    let row = scripts::update_endpoint(&app, instance.clone(), normalize(name), edit).await?;
    Ok(reply::ok(&object(&app, &instance, &row)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    scripts::delete_endpoint(&app, instance, normalize(name)).await?;
    Ok(reply::no_content())
}

/// Another public link; the one before leads nowhere.
pub(super) async fn reset_link(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let edit = |row: &mut ScriptEndpointRow| row.link_generation += 1;
    let row = scripts::update_endpoint(&app, instance.clone(), normalize(name), edit).await?;
    Ok(reply::ok(&object(&app, &instance, &row)))
}

pub(super) async fn traces(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, row) = find(&app, &request, &names).await?;
    let path = route::script_endpoint_traces(&instance.name, &row.name);
    traces::list(&app, &instance, &Subject::ScriptEndpoint(row.id), &path, &request.head).await
}

pub(super) async fn trace(
    State(app): State<Arc<App>>,
    names: Segments<(String, String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, name, trace) = names.0;
    let (instance, row) = find(&app, &request, &(instance, name)).await?;
    let path = route::script_endpoint_traces(&instance.name, &row.name);
    traces::show(&app, &instance, &Subject::ScriptEndpoint(row.id), &path, &trace).await
}

/// Runs it for the instance's owner.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (instance, name) = names.0;
    let (head, body) = Head::of(request);
    let method = method(&head)?;
    let Received { caller, body } = auth::receive(&app, &head, body, Purpose::Run).await?;
    let manager = caller.ok_or_else(ApiError::no_key)?.manager()?;
    let instance = app.instance(&manager, &instance)?;
    let row = by_name(&app, &instance, &name).await?;
    // Whoever manages the instance acts for its owner.
    let owner = app.catalog.account(instance.owner);
    answer(&app, instance, row, &head, method, body?, owner).await
}

/// Runs a public one for whoever knows the link.
pub(super) async fn run_public(
    State(app): State<Arc<App>>,
    names: Segments<(String, String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (instance, link, name) = names.0;
    by_link(&app, &instance, &link, Some(&name), request).await
}

/// The same without the name, which the link doesn't need.
pub(super) async fn run_link(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (instance, link) = names.0;
    by_link(&app, &instance, &link, None, request).await
}

async fn by_link(
    app: &Arc<App>,
    instance: &str,
    link: &str,
    name: Option<&str>,
    request: Request,
) -> Result<Response, ApiError> {
    let (head, body) = Head::of(request);
    let method = method(&head)?;
    let instance = app.catalog.instance(instance).ok_or_else(|| no_instance(instance))?;
    let row = match keys::parse(link) {
        Some(link) => {
            let id = keys::linked(&link);
            let row = script_endpoints::by_id(&app.store.db, instance.id, id).await?;
            row.filter(|row| app.keys.is_public_link(&link, row.id, row.link_generation))
        }
        None => None,
    };
    // Whoever guesses learns nothing, not even that it exists.
    let row = row
        .filter(|row| row.public && name.is_none_or(|name| normalize(name) == row.name))
        .ok_or_else(|| ApiError::not_found("there is no public script endpoint at this link"))?;
    let body = match app.settings.require_key {
        false => {
            let body = body::read(&head.headers, body, limits::RUN_BODY_BYTES).await?;
            body::parse(&head.headers, body, Purpose::Run).await?
        }
        true => {
            let Received { caller, body } = auth::receive(app, &head, body, Purpose::Run).await?;
            let caller = caller.map(|caller| caller.in_instance(&instance)).transpose()?.flatten();
            caller.ok_or_else(runs::keyless_run)?;
            body?
        }
    };
    answer(app, instance, row, &head, method, body, None).await
}

/// The method of a run. HEAD is none: the router takes it for GET, but whoever only looks must not start anything.
fn method(head: &Head) -> Result<Method, ApiError> {
    head.method.as_str().parse().map_err(|_| ApiError::Method {
        method: head.method.clone(),
        allowed: vec![Method::Get, Method::Post],
    })
}

/// Runs it and answers what its script says.
async fn answer(
    app: &Arc<App>,
    instance: Arc<Instance>,
    row: ScriptEndpointRow,
    head: &Head,
    method: Method,
    body: Option<Content>,
    admin: Option<Arc<Account>>,
) -> Result<Response, ApiError> {
    let name = row.name.clone();
    let bound = script_endpoints::bind(&app.store.db, vec![row]).await?.pop();
    let bound = bound.ok_or_else(|| no_script_endpoint(&name))?;
    let runnable =
        Runnable::of_script(&instance, &name, &bound.script, &app.settings).map_err(ApiError::bad_request)?;
    let language = runnable.script.runtime().language();
    let arguments = merge(method, &head.query, body, Inputs { schema: None, language })?;
    let request = meta::request(head);
    let recorded = Recorded::new(&arguments, &request);
    let meta = Meta {
        request: Some(&request),
        metadata: None,
        admin: admin.as_deref().map(Admin::new),
        executed_by: ExecutedBy::Webhook,
        executor: name.as_str().into(),
        instance: &instance.name,
        socket: None,
        api_host: meta::host(head),
        token: runnable.token(app, &instance),
        r#async: 0,
    };
    let run = Run {
        subject: Subject::ScriptEndpoint(bound.endpoint.id),
        script: runnable.script,
        timeout: runnable.timeout,
        arguments,
        meta: meta.to_json(),
        recorded,
        results: None,
        keep: None,
        name,
        instance,
    };
    run.answer(app, Want::of(head)).await
}

async fn find(
    app: &App,
    request: &Authorized,
    names: &(String, String),
) -> Result<(Arc<Instance>, ScriptEndpointRow), ApiError> {
    let (instance, name) = names;
    let instance = app.instance(&request.account, instance)?;
    let row = by_name(app, &instance, name).await?;
    Ok((instance, row))
}

async fn by_name(app: &App, instance: &Instance, name: &str) -> Result<ScriptEndpointRow, ApiError> {
    let row = script_endpoints::by_name(&app.store.db, instance.id, &normalize(name)).await?;
    row.ok_or_else(|| no_script_endpoint(name))
}

/// What a request says about a script endpoint.
struct Changes {
    script: Option<i64>,
    public: Option<bool>,
    description: Option<String>,
}

impl Changes {
    fn read(fields: &Fields) -> Result<Changes, ApiError> {
        Ok(Changes {
            script: fields.integer("script")?,
            public: fields.boolean("public")?,
            description: fields.short_text("description")?,
        })
    }
}

fn object(app: &App, instance: &Instance, row: &ScriptEndpointRow) -> Value {
    let instance = &instance.name;
    let link = keys::hex(&app.keys.public_link(row.id, row.link_generation));
    json!({
        "name": row.name,
        "description": row.description,
        "script": row.script_id,
        "public": row.public,
        "public_link": link,
        "links": {
            "self": route::script_endpoint(instance, &row.name),
            "run": route::script_endpoint_run(instance, &row.name),
            "reset-link": route::script_endpoint_reset_link(instance, &row.name),
            "script": route::script(instance, row.script_id),
            "public-link": route::public_run(instance, &link, &row.name),
            "traces": route::script_endpoint_traces(instance, &row.name),
        },
    })
}
