//! The check of JavaScript, from outside.

mod errors;
mod hostile;
mod panics;
mod takes;
mod valid;
