//! The tables. JSON lies in text columns and points in time in microseconds since 1970, so that every database
//! stores the same.

// The derives make public items of everything; the module itself stays inside the crate.
#![allow(unreachable_pub)]

pub(crate) mod account;
pub(crate) mod api_key;
pub(crate) mod class_field;
pub(crate) mod flat_name;
pub(crate) mod instance;
pub(crate) mod script;
pub(crate) mod script_endpoint;
pub(crate) mod server_state;
pub(crate) mod socket;
pub(crate) mod socket_script_endpoint;
pub(crate) mod trace;
