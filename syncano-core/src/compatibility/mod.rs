//! Whether every value that one JSON Schema admits is admitted by another.
//!
//! Knows the schemas that schemars makes of serde's types: objects, enums in all representations, lists, tuples, maps,
//! numbers and texts with their bounds, references that recurse. What goes beyond counts as different, and is told as
//! such. A schema may come from anybody: the work is bounded, whatever it says.
//!
//! An object that says nothing about further keys is read as serde reads it: keys that the other schema knows don't
//! occur in it unless they are declared; others may.

mod alternative;
mod incompatibility;
mod number;
mod read;
mod value;
mod within;

use serde_json::Value;

pub use incompatibility::{Incompatibility, Reason};

/// Whether every value of `narrow` is one of `wide`.
///
/// # Errors
/// The first place where one may not be, as a path into the value (`*` stands for any item of a list, or key of a map).
///
/// ```
/// use serde_json::json;
/// use syncano_core::fits;
///
/// let before = json!({"type": "object", "properties": {"left": {"type": "integer"}}});
/// let after = json!({"type": "object", "properties": {"left": {"type": "integer"}}, "required": ["left"]});
/// assert!(fits(&after, &before).is_ok());
/// let misfit = fits(&before, &after).unwrap_err();
/// assert_eq!(misfit.to_string(), "at /left: may be missing, and is required");
/// assert_eq!(misfit.witness, Some(json!({})));
/// ```
pub fn fits(narrow: &Value, wide: &Value) -> Result<(), Incompatibility> {
    within::Comparison::new(narrow, wide).run()
}
