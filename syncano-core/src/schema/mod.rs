//! JSON Schemas of arguments, results and errors: made from Rust types, and checked against values.
//!
//! They are published in an endpoint's metadata under the method they belong to (`metadata.GET.inputs`), with
//! `*` for a call that answers every method.

mod accepted;
mod check;
mod compile;
mod explain;
mod generate;
mod reading;

use serde_json::Value;
use thiserror::Error;

use crate::{Map, Method};

pub use check::Mismatch;
pub use compile::CompiledSchema;
pub use generate::{Inputs, Outputs};

/// The keys under which schemas lie in the metadata of a method. Scripts never see them.
pub const SCHEMA_KEYS: [&str; 3] = ["inputs", "outputs", "errors"];

/// Marks a property that doesn't travel where the method would put it.
const PLACEMENT: &str = "x-syncano-in";

/// Lists of keys of an object; of each list one key at least is there. So a field is needed that has aliases.
const REQUIRED: &str = "x-syncano-required";

/// Names the aliases of a field where serde's can't be found.
const ALIASES: &str = "x-syncano-aliases";

/// The keys that the server takes for itself where they stand in a query: a script never sees them there.
pub const TRANSPORT_KEYS: [&str; 7] =
    ["api_key", "apikey", "_api_key", "_user_key", "_method", "__skip_cache", "cache_key"];

/// The schema that an endpoint's metadata has for the method under one of the [`SCHEMA_KEYS`], and the key of the part
/// where it stands.
pub fn published_schema<'a>(
    metadata: &'a Map,
    method: Method,
    word: &str,
) -> Option<(&'static str, &'a Value)> {
    let under = |key: &'static str| {
        let schema = metadata.get(key)?.get(word)?;
        Some((key, schema)).filter(|_| !schema.is_null())
    };
    under(method.as_str()).or_else(|| under("*"))
}

/// Where an argument travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the query for GET and DELETE, else as a key of the JSON body.
    ByMethod,
    /// It is the whole body.
    Body,
    /// In the query whatever the method.
    Query,
}

impl Placement {
    /// The placement that a property's schema asks for.
    pub fn of(schema: &Value) -> Placement {
        match schema.get(PLACEMENT).and_then(Value::as_str) {
            Some("body") => Placement::Body,
            Some("query") => Placement::Query,
            _ => Placement::ByMethod,
        }
    }
}

/// What makes a JSON Schema unusable. Its text says what to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// Something that is no schema.
    #[error("a schema is an object, `true` or `false`")]
    NoSchema,
    /// A keyword's value is of another kind.
    #[error("`{keyword}` must be {expected}")]
    Keyword {
        /// The keyword.
        keyword: &'static str,
        /// What its value must be.
        expected: &'static str,
    },
    /// A type that JSON doesn't have.
    #[error("there is no type `{0}`: use null, boolean, integer, number, string, array or object")]
    Type(String),
    /// A list of schemas where one is expected, as older drafts wrote tuples.
    #[error("`items` is one schema for all items: write `prefixItems` for a list of schemas")]
    ItemsAsList,
    /// A reference that leads out of the schema. Nothing is ever fetched.
    #[error(
        "the reference `{0}` leads out of the schema: use one that begins with `#/`, such as `#/$defs/item`"
    )]
    Outside(String),
    /// A reference to what isn't there.
    #[error("the reference `{0}` leads nowhere")]
    Nowhere(String),
    /// A schema that refers to itself without going into the value.
    #[error("the schema refers to itself for the same value, without end")]
    Endless,
    /// References and alternatives inside each other, for one and the same value.
    #[error("references and alternatives for one value lie more than {0} deep")]
    TooDeep(usize),
    /// A keyword that makes references depend on where they are followed from.
    #[error("`{0}` isn't supported: use `$ref` and `$defs`")]
    Unsupported(&'static str),
    /// A regular expression that can't be used.
    #[error("the pattern can't be used: {0}")]
    Pattern(String),
}
