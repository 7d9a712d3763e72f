//! The check of JavaScript, from outside.

mod errors;
mod hostile;
mod library;
#[path = "../mutations/mod.rs"]
mod mutations;
mod node;
mod panics;
mod recall;
mod takes;
mod valid;
