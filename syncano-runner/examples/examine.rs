//! Prints what the machine can do to isolate scripts, and how long finding out takes.

use std::time::Instant;

use syncano_runner::{Isolation, Runner};

fn main() -> Result<(), serde_json::Error> {
    for level in [Isolation::None, Isolation::Process, Isolation::Namespace] {
        let start = Instant::now();
        let doctor = Runner::builder().isolation(level).examine();
        println!("{level}: {:?}\n{}", start.elapsed(), serde_json::to_string_pretty(&doctor)?);
    }
    Ok(())
}
