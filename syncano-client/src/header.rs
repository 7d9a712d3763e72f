//! The names of the headers that calls send and read: looked at once, not with each call.

use http::HeaderName;
use syncano_core::headers;

pub(crate) static KEY: HeaderName = HeaderName::from_static("x-api-key");
pub(crate) static WANT: HeaderName = HeaderName::from_static(headers::WANT);
pub(crate) static CONTRACT: HeaderName = HeaderName::from_static(headers::CONTRACT);
pub(crate) static STATUS: HeaderName = HeaderName::from_static(headers::STATUS);
pub(crate) static RESULT: HeaderName = HeaderName::from_static(headers::RESULT);
pub(crate) static TRACE: HeaderName = HeaderName::from_static(headers::TRACE);
pub(crate) static LIMITS: HeaderName = HeaderName::from_static(headers::LIMITS);
