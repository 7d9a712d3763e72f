//! Compiled schemas of endpoints, and what their checks may take.

use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};
use serde_json::Value;
use syncano_core::{CompiledSchema, Method, Mismatch};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::endpoint::Endpoint;

/// Bytes of all compiled schemas together, roughly.
const BYTES: u64 = 64 << 20;
/// Roughly how many there are.
const ENTRIES: usize = 10_000;
/// Into how many parts the cache is divided: the heaviest schema that may be published must fit into one.
const SHARDS: usize = 4;
/// A value from this size on is checked where other tasks don't wait for it.
const LARGE: usize = 32 * 1024;
/// How many times its text a schema takes as a value, at most: most of it are small objects.
const AS_VALUE: usize = 20;

/// Which of an endpoint's schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Inputs,
    Outputs,
    Errors,
}

impl Kind {
    /// Those that calls are checked by.
    pub(crate) const CHECKED: [Kind; 2] = [Kind::Inputs, Kind::Outputs];

    /// The key in the metadata.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Kind::Inputs => "inputs",
            Kind::Outputs => "outputs",
            Kind::Errors => "errors",
        }
    }
}

/// The edition of the endpoint, the key of its metadata, and the kind.
type Key = (u64, &'static str, Kind);

#[derive(Clone)]
struct Size;

impl Weighter<Key, Arc<Schema>> for Size {
    fn weight(&self, _: &Key, schema: &Arc<Schema>) -> u64 {
        (schema.compiled.size() + AS_VALUE * size(&schema.value)) as u64
    }
}

/// A schema that is in use.
pub(crate) struct Schema {
    /// As it was published.
    pub(crate) value: Value,
    pub(crate) compiled: CompiledSchema,
}

/// Schemas that were compiled when a call first needed them.
pub(crate) struct Schemas(Cache<Key, Arc<Schema>, Size>);

impl Default for Schemas {
    fn default() -> Schemas {
        let mut options = OptionsBuilder::new();
        options.shards(SHARDS).estimated_items_capacity(ENTRIES).weight_capacity(BYTES);
        let options = options.build().expect("it has both capacities");
        Schemas(Cache::with_options(options, Size, Default::default(), Default::default()))
    }
}

impl Schemas {
    /// The endpoint's schema for the method, if it has one.
    pub(crate) fn of(&self, endpoint: &Endpoint, method: Method, kind: Kind) -> Option<Arc<Schema>> {
        let stands_under = endpoint.metadata.schema_key(method, kind)?;
        let key = (endpoint.edition.number(), stands_under, kind);
        if let Some(known) = self.0.get(&key) {
            return Some(known);
        }
        let value = endpoint.metadata.schema(stands_under, kind);
        match CompiledSchema::new(&value) {
            Ok(compiled) => {
                let schema = Arc::new(Schema { value, compiled });
                self.0.insert(key, schema.clone());
                Some(schema)
            }
            // It was published when the rules were others.
            Err(violations) => {
                let (endpoint, reason) = (endpoint.full(), violations.first().map(ToString::to_string));
                tracing::warn!(
                    endpoint,
                    kind = kind.key(),
                    reason,
                    "a schema can't be used: nothing is checked"
                );
                None
            }
        }
    }
}

/// Checks a value that takes `bytes` as JSON.
pub(crate) fn check(schema: &CompiledSchema, value: &Value, bytes: usize) -> Vec<Mismatch> {
    apart(bytes, || schema.check(value, bytes))
}

/// Does work on so many bytes; other tasks go on meanwhile if there are many.
pub(crate) fn apart<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let threads =
        || Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes >= LARGE && threads() { tokio::task::block_in_place(work) } else { work() }
}

/// Bytes that a value takes as JSON, roughly.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => 2 + text.len(),
        Value::Array(items) => items.iter().map(|item| 1 + size(item)).sum::<usize>() + 2,
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| 4 + name.len() + size(value)).sum::<usize>() + 2
        }
    }
}
