//! Answers that say what is wrong.

use std::collections::BTreeMap;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use sea_orm::DbErr;
use serde_json::json;
pub(crate) use syncano_core::quoted;
use syncano_core::{Contract, Method, Violation, headers};

use crate::reply;

/// The key of errors that belong to no field.
pub(crate) const NO_FIELD: &str = "non_field_errors";

/// Why a request has no other answer than this.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// `{"detail": text}`.
    Detail(StatusCode, String),
    /// 400 with texts by field.
    Fields(BTreeMap<String, Vec<String>>),
    /// 405 with the methods that would have done.
    Method { method: http::Method, allowed: Vec<Method> },
    /// 404, and not because of anything else in the URL.
    NoEndpoint(String),
    /// 412: the caller was built with another contract than this.
    Contract(Box<Contract>),
}

impl ApiError {
    pub(crate) fn bad_request(text: impl Into<String>) -> ApiError {
        ApiError::Detail(StatusCode::BAD_REQUEST, text.into())
    }

    /// No key, or one that doesn't open this.
    pub(crate) fn forbidden(text: impl Into<String>) -> ApiError {
        ApiError::Detail(StatusCode::FORBIDDEN, text.into())
    }

    pub(crate) fn not_found(text: impl Into<String>) -> ApiError {
        ApiError::Detail(StatusCode::NOT_FOUND, text.into())
    }

    /// No key where one is needed.
    pub(crate) fn no_key() -> ApiError {
        ApiError::forbidden("this needs an account key: send it in the header X-API-KEY")
    }

    /// The URL leads nowhere.
    pub(crate) fn no_such_url() -> ApiError {
        ApiError::not_found(
            "there is nothing at this URL: those of the API begin with /v1.1/ or /v2/ and end in a slash",
        )
    }

    pub(crate) fn shutting_down() -> ApiError {
        ApiError::Detail(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down".to_owned())
    }

    pub(crate) fn field(field: &str, text: impl Into<String>) -> ApiError {
        ApiError::Fields(BTreeMap::from([(field.to_owned(), vec![text.into()])]))
    }

    /// A fault of the server: the log says which, the caller only learns that there was one.
    pub(crate) fn internal(error: impl fmt::Display) -> ApiError {
        tracing::error!(%error, "a request failed");
        ApiError::Detail(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server failed to do this; its log says why".to_owned(),
        )
    }

    /// Broken rules of a definition, grouped by the field they are in.
    pub(crate) fn violations(violations: &[Violation]) -> ApiError {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for violation in violations {
            let field = violation.path.split_field().map_or(NO_FIELD, |(field, _)| field);
            fields.entry(field.to_owned()).or_default().push(violation.to_string());
        }
        ApiError::Fields(fields)
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        ApiError::internal(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            ApiError::Detail(status, text) => reply::json(status, &json!({ "detail": text })),
            ApiError::Fields(fields) => reply::json(StatusCode::BAD_REQUEST, &fields),
            ApiError::NoEndpoint(text) => {
                let mut response = ApiError::not_found(text).into_response();
                let none = HeaderValue::from_static(headers::NO_CONTRACT);
                response.headers_mut().insert(headers::CONTRACT, none);
                response
            }
            ApiError::Contract(contract) => {
                let text = "the caller was built with another contract than the one that is published";
                let body = json!({ "detail": text, "contract": contract });
                let mut response = reply::json(StatusCode::PRECONDITION_FAILED, &body);
                if let Ok(fingerprint) = HeaderValue::try_from(contract.fingerprint()) {
                    response.headers_mut().insert(headers::CONTRACT, fingerprint);
                }
                response
            }
            ApiError::Method { method, allowed } => {
                let allowed: Vec<_> = allowed.into_iter().map(Method::as_str).collect();
                let text = format!("{method} is not allowed here; use {}", allowed.join(", "));
                let mut response = reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "detail": text }));
                if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
                response
            }
        }
    }
}
