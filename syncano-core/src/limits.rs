//! Limits on the shape of one definition or request. They are always on.

/// Characters of a name.
pub const NAME: usize = 64;
/// Characters of a script's label.
pub const LABEL: usize = 80;
/// Characters of a description.
pub const DESCRIPTION: usize = 256;
/// Endpoints of one socket.
pub const ENDPOINTS: usize = 30;
/// Dependencies of one socket.
pub const DEPENDENCIES: usize = 100;
/// Bytes of a script's source (3 MiB).
pub const SOURCE_BYTES: usize = 3 * 1024 * 1024;
/// Keys of a `metadata` object.
pub const METADATA_KEYS: usize = 64;
/// Characters of a key of a `metadata` object.
pub const METADATA_KEY: usize = 64;
/// Bytes of one value of a `metadata` object, as JSON (4 KiB). Schemas are not counted.
pub const METADATA_VALUE_BYTES: usize = 4 * 1024;
/// Bytes of one value of an endpoint's `metadata` object, as JSON (64 KiB): it may document many parameters. Schemas
/// are not counted.
pub const ENDPOINT_METADATA_VALUE_BYTES: usize = 64 * 1024;
/// Bytes of one JSON Schema in an endpoint's metadata (256 KiB).
pub const SCHEMA_BYTES: usize = 256 * 1024;
/// Schemas inside of one JSON Schema, itself included.
pub const SCHEMA_PARTS: usize = 5_000;
/// References and alternatives inside each other, in what a JSON Schema says about one and the same value.
pub const SCHEMA_DEPTH: usize = 32;
/// Bytes of a regular expression in a JSON Schema.
pub const SCHEMA_PATTERN: usize = 1024;
/// Keys of a `config` object.
pub const CONFIG_KEYS: usize = 1024;
/// Characters of a key of a `config` object.
pub const CONFIG_KEY: usize = 64;
/// Bytes of a `config` object as JSON (256 KiB).
pub const CONFIG_BYTES: usize = 256 * 1024;
/// Fields of a class.
pub const CLASS_FIELDS: usize = 32;
/// Indexes of a class.
pub const CLASS_INDEXES: usize = 16;
/// The longest time a script may be given, in seconds.
pub const TIMEOUT_SECONDS: f64 = 300.0;
/// The longest time an answer may be cached, in seconds.
pub const CACHE_SECONDS: u32 = 1800;
/// Levels of objects and lists inside each other, in one field of a definition or in the body of a run.
pub const JSON_DEPTH: usize = 64;
/// Levels of objects and lists inside each other that are read at all.
pub const JSON_LEVELS: usize = 127;
/// Bytes of the body of a run (512 KiB).
pub const RUN_BODY_BYTES: usize = 512 * 1024;
/// Bytes of standard output and standard error of a run together (512 KiB).
pub const OUTPUT_BYTES: usize = 512 * 1024;
/// Bytes of the answer of a run (6 MiB).
pub const RESPONSE_BYTES: usize = 6 * 1024 * 1024;
