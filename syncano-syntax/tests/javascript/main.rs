//! The check of JavaScript, from outside.

mod errors;
mod hostile;
mod library;
#[path = "../mutations/mod.rs"]
mod mutations;
mod newer;
mod node;
mod panics;
mod recall;
mod remarks;
mod takes;
mod valid;
