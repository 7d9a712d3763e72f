//! Hostile scripts at the level `process`.

use syncano_runner::{Isolation, RunnerBuilder};

const LEVEL: Isolation = Isolation::Process;

fn at_level(builder: RunnerBuilder) -> RunnerBuilder {
    builder.isolation(LEVEL)
}

#[path = "environments.rs"]
mod environments;
#[path = "hostile_files.rs"]
mod hostile_files;
#[path = "hostile_inventions.rs"]
mod hostile_inventions;
#[path = "hostile_processes.rs"]
mod hostile_processes;
#[path = "javascript/hostile_files.rs"]
mod javascript_files;
#[path = "javascript/hostile_inventions.rs"]
mod javascript_inventions;
#[path = "javascript/hostile_processes.rs"]
mod javascript_processes;
