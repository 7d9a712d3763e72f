//! The check of Python scripts, from outside.

mod errors;
mod hostile;
mod library;
mod panics;
mod takes;
mod valid;
