//! Calls that are put together at run time: the endpoint's name is a string, the data and the answer are JSON.
//!
//! They are read by the same rules as the calls of generated functions, and differ in this: any type that deserialises
//! can be a result, and the script's own error ([`CallError::App`](crate::CallError::App)) is JSON too.

use serde::Serialize;
use serde_json::Value;
use syncano_core::Method;

use crate::answer::read_json;
use crate::call::Destination;
use crate::encode::Arguments;
use crate::{Call, Client, FromAnswer};

/// With GET and DELETE the data, an object, travels in the query, otherwise it is the body; `()` is none.
#[track_caller]
pub(crate) fn run<T: FromAnswer>(
    client: &Client,
    to: Destination,
    method: Method,
    data: impl Serialize,
) -> Call<T, Value> {
    Call::new(client, to, method, Arguments::data(data), T::reader(), read_json)
}
