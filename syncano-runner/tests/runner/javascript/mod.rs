//! JavaScript: what scripts can do, and what they can't.

mod arguments;
mod between_calls;
mod entry_points;
mod exits;
mod hostile_internals;
mod leftovers;
mod machine;
mod modules;
mod network;
mod responses;
mod styles;
mod values;
