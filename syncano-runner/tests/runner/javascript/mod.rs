//! JavaScript: what scripts can do, and what they can't.

mod arguments;
mod exits;
mod hostile_internals;
mod responses;
mod styles;
