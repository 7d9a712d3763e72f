//! What scripts can do, and what they can't. One binary; every test has a runner of its own.

// The hostile scripts run at each level, from the same files.
#![allow(clippy::duplicate_mod)]
// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod support;

mod arguments;
mod at_namespace;
mod at_namespace_started;
mod at_process;
mod checks;
mod exits;
mod fairness;
mod fresh;
mod javascript;
mod levels;
mod life;
mod network;
mod outside;
mod pool;
mod responses;
mod styles;
mod zygote;
