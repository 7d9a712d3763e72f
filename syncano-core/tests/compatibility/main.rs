//! Whether one schema's values fit another: what is claimed is held against values, and against another's reading of
//! JSON Schema.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod hostile;
mod properties;
mod rust_types;
mod types;
