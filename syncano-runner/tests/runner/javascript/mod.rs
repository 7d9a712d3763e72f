//! JavaScript: what scripts can do, and what they can't.

mod arguments;
mod between_calls;
mod exits;
mod hostile_internals;
mod network;
mod responses;
mod styles;
