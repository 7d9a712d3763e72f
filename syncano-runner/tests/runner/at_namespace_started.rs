//! Hostile scripts at the level `namespace`, where processes are started and not copied. (Those of Node always are.)

use syncano_runner::{Isolation, RunnerBuilder};

const LEVEL: Isolation = Isolation::Namespace;

fn at_level(builder: RunnerBuilder) -> RunnerBuilder {
    builder.isolation(LEVEL).zygotes(false)
}

#[path = "hostile_files.rs"]
mod hostile_files;
#[path = "hostile_inventions.rs"]
mod hostile_inventions;
#[path = "hostile_processes.rs"]
mod hostile_processes;
