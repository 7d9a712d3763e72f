//! An instance's endpoints as OpenAPI 3.1, for whom no client of ours is at hand. Made of the schemas that calls are checked with.

mod components;
mod described;

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};
use syncano_core::{Method, Outputs, Placement, Trace, headers, published_schema, route};

use crate::acl;
use crate::app::App;
use crate::auth::Caller;
use crate::catalog::Instance;
use crate::decode::Schema;
use crate::endpoint::Endpoint;
use crate::errors::ApiError;
use crate::schemas::Kind;
use components::Components;
use described::Described;

/// The endpoints of the instance that the caller may run.
///
/// # Errors
///
/// If the endpoints' schemas are too large, or refer to each other too deeply, for one document.
pub(crate) fn document(app: &App, instance: &Instance, caller: &Caller) -> Result<Value, ApiError> {
    let mut document = Document { components: Components::default(), operations: BTreeSet::new() };
    let trace = document.components.lift("Trace", &Outputs::of::<Trace>());
    let base = route::instance(&instance.name);
    let mut paths = Map::new();
    for endpoint in instance.routes.load().all() {
        let acl = &endpoint.acl;
        let metadata = endpoint.metadata.whole();
        let methods = endpoint.allowed().into_iter();
        let methods = methods.filter(|method| acl.is_empty() || acl::permits(acl, caller, *method));
        let mut item = Map::new();
        for method in methods {
            let private = endpoint.call(method).is_some_and(|call| call.private);
            let needs_key = private || !acl.is_empty() || app.settings.require_key;
            let operation = document.operation(endpoint, &metadata, method, needs_key);
            item.insert(method.as_str().to_lowercase(), operation);
        }
        if document.components.is_too_much() {
            return Err(ApiError::Detail(
                StatusCode::BAD_REQUEST,
                format!(
                    "the schemas up to those of endpoint `{}` are too large for one document, or refer to each other too deeply",
                    endpoint.full()
                ),
            ));
        }
        if !item.is_empty() {
            let path = route::run(&instance.name, &endpoint.socket, &endpoint.flat);
            // Below the server's URL: one client serves every instance that has the endpoint.
            let path = path.strip_prefix(base.as_str()).unwrap_or(&path);
            paths.insert(format!("/{path}"), Value::Object(item));
        }
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": instance.name, "version": "1.1" },
        "servers": [
            { "url": base.trim_end_matches('/'), "description": "this instance" },
            {
                "url": "/v1.1/instances/{instance}",
                "description": "an instance with the same endpoints",
                "variables": { "instance": { "default": instance.name } },
            },
        ],
        "paths": paths,
        "components": {
            "schemas": document.components.into_map(),
            "responses": {
                "Refused": response("Nothing ran: what is wrong, by argument, or as `detail`.", &json!({
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
                    },
                })),
                "Failed": response("The run failed (500), wasn't let run (503), or took too long (504).", &trace),
            },
            "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } },
        },
    }))
}

fn response(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": content(schema) })
}

fn content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

struct Document {
    components: Components,
    /// Names that are taken.
    operations: BTreeSet<String>,
}

impl Document {
    fn operation(
        &mut self,
        endpoint: &Endpoint,
        metadata: &Map<String, Value>,
        method: Method,
        needs_key: bool,
    ) -> Value {
        let id = self.operation_id(endpoint, method);
        let schema = |kind: Kind| published_schema(metadata, method, kind.key()).map(|(_, schema)| schema);
        let inputs = schema(Kind::Inputs);
        let mut parameters = vec![json!({
            "name": "Syncano-Want",
            "in": "header",
            "required": false,
            "description": "Asks for the answers that are described here. Without it what the script printed is \
                            answered as a trace, and a failed run with 200, as clients of 2016 expect.",
            "schema": { "type": "string", "enum": [headers::WANT_VALUE], "default": headers::WANT_VALUE },
        })];
        let mut body = Map::new();
        let mut whole = None;
        for (name, schema) in
            inputs.and_then(|inputs| inputs.get("properties")?.as_object()).into_iter().flatten()
        {
            let required = is_required(inputs, name);
            let lifted = self.components.lift_part(&id, schema, inputs.unwrap_or(schema));
            match Placement::of(schema) {
                Placement::Body => whole = Some((lifted, required)),
                Placement::ByMethod if method.has_body() => {
                    body.insert(name.clone(), lifted);
                }
                Placement::ByMethod | Placement::Query => {
                    let schema = Schema::new(schema, inputs.unwrap_or(schema));
                    let how = if schema.travels_as_json() { "content" } else { "schema" };
                    let what = if how == "content" { content(&lifted) } else { lifted };
                    parameters.push(json!({ "name": name, "in": "query", "required": required, how: what }));
                }
            }
        }
        let mut responses = Map::new();
        let described = Described::of(metadata, method);
        let outputs = schema(Kind::Outputs);
        let results = self.components.lift(&format!("{id}_result"), outputs.unwrap_or(&Value::Bool(true)));
        let answers = described.answers(outputs, results);
        let answered = json!({ "description": "What the script answered.", "content": answers });
        responses.insert("200".to_owned(), answered);
        responses.insert("400".to_owned(), json!({ "$ref": "#/components/responses/Refused" }));
        if let Some(errors) = schema(Kind::Errors) {
            let errors = self.components.lift(&format!("{id}_error"), errors);
            responses.insert("422".to_owned(), response("The script's own error.", &errors));
        }
        for status in ["500", "503", "504"] {
            responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Failed" }));
        }
        let mut operation = json!({
            "operationId": id,
            "tags": [endpoint.socket],
            "parameters": parameters,
            "responses": responses,
            "security": if needs_key { json!([{ "key": [] }]) } else { json!([{}, { "key": [] }]) },
        });
        if let (Some(summary), Some(description)) = (described.summary(), described.description()) {
            operation["summary"] = summary.into();
            operation["description"] = description.into();
        }
        if method.has_body() {
            operation["requestBody"] = match (whole, inputs) {
                (Some((schema, required)), _) => json!({ "required": required, "content": content(&schema) }),
                (None, Some(inputs)) => {
                    let required: Vec<&String> =
                        body.keys().filter(|name| is_required(Some(inputs), name)).collect();
                    let mut schema = json!({ "type": "object", "required": required, "properties": body });
                    if inputs.get("additionalProperties") == Some(&Value::Bool(false)) {
                        schema["additionalProperties"] = false.into();
                    }
                    json!({ "required": true, "content": content(&schema) })
                }
                (None, None) => json!({ "content": content(&json!({})) }),
            };
        }
        operation
    }

    /// A name for the function of a generated client.
    fn operation_id(&mut self, endpoint: &Endpoint, method: Method) -> String {
        let name = format!("{}_{}_{}", endpoint.socket, endpoint.flat, method.as_str().to_lowercase());
        let name = name.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        let mut free = name.clone();
        let mut number = 2;
        while !self.operations.insert(free.clone()) {
            free = format!("{name}_{number}");
            number += 1;
        }
        free
    }
}

fn is_required(inputs: Option<&Value>, name: &str) -> bool {
    let required = inputs.and_then(|inputs| inputs.get("required")?.as_array());
    required.into_iter().flatten().any(|required| required == name)
}
