//! Reads scripts without running them: syntax errors with line and column, and what a script takes from its callers.
//!
//! Nothing is started and nothing but the given text is read, so the same check serves a procedural macro, whose
//! users see the error at the literal that holds the script, and a command line.
//!
//! ```
//! # #[cfg(feature = "python")] {
//! use syncano_syntax::python::{self, Version};
//!
//! let source = "def main(name):\n    return f\"hello {name}\n";
//! let error = python::check(source, Version::default()).unwrap_err();
//!
//! assert_eq!((error.start.line, error.start.column), (2, 12));
//! assert!(error.render(source, "scripts/hello.py", 1).starts_with(" --> scripts/hello.py:2:12"));
//! # }
//! ```
//!
//! One module, and one feature, per language; [`dedent`] prepares the script of a Rust literal.

mod dedent;
mod diagnostic;
pub mod javascript;
pub mod python;
mod script;
#[cfg(any(feature = "python", feature = "javascript"))]
mod slip;

pub use dedent::{Dedented, dedent};
pub use diagnostic::{Diagnostic, Position};
pub use script::{Literal, Object, Packages, Remark, Script, Severity};
