//! The check of Python scripts, from outside.

mod errors;
mod hostile;
mod library;
#[path = "../mutations/mod.rs"]
mod mutations;
mod panics;
mod recall;
mod remarks;
mod takes;
mod valid;
mod verdicts;
