//! What checking a value by its schema costs beside reading and writing it: `cargo bench -p syncano-core`.
//!
//! All are done in turn in one run: only the ratios count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncano_core::{CompiledSchema, Outputs};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    left: u32,
    price: f64,
    tags: Vec<String>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Kind {
    Plain,
    Sized { width: u32, height: u32 },
}

fn items(count: u32) -> Vec<Item> {
    let item = |left| Item {
        name: format!("item number {left}"),
        left,
        price: f64::from(left) * 1.5,
        tags: vec!["new".to_owned(), "red".to_owned()],
        kind: if left % 2 == 0 { Kind::Plain } else { Kind::Sized { width: left, height: 3 } },
    };
    (0..count).map(item).collect()
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn p50(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn main() {
    let described = Outputs::of::<Vec<Item>>();
    let mut compiling = Vec::new();
    println!("p50 in µs, each in turn:");
    for (count, rounds) in [(1, 20_000), (100, 2_000), (5_000, 100)] {
        let text = serde_json::to_string(&items(count)).expect("it is JSON");
        let value: Value = serde_json::from_str(&text).expect("it is JSON");
        let schema = CompiledSchema::new(&described).expect("the schema is valid");
        assert_eq!(schema.check(&value, text.len()), []);
        let (mut reading, mut checking, mut writing) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            compiling.push(time(|| CompiledSchema::new(&described)));
            reading.push(time(|| serde_json::from_str::<Value>(&text)));
            checking.push(time(|| schema.check(&value, text.len())));
            writing.push(time(|| value.to_string()));
        }
        let (reading, checking, writing) = (p50(reading), p50(checking), p50(writing));
        println!(
            "  {:7} bytes: read {reading:8.1}, check {checking:8.1} ({:.2} × read), write {writing:8.1}",
            text.len(),
            checking / reading
        );
    }
    println!("  the schema, compiled once and kept: {:.1}", p50(compiling));
}
