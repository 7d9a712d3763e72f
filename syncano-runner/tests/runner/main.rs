//! What scripts can do, and what they can't. One binary; every test has a runner of its own.

mod support;

mod arguments;
mod exits;
mod fairness;
mod fresh;
mod hostile_files;
mod hostile_processes;
mod javascript;
mod life;
mod pool;
mod responses;
mod styles;
