//! Of scripts with a slip, the check finds what Node finds, and no more.

use std::env;

use syncano_syntax::javascript::{Version, check};

use crate::mutations::{Numbers, Tally, mutate};
use crate::node::{scripts, skipped, verdicts};

const WORDS: [&str; 30] = [
    "const", "let", "return", "await", "async", "function", "class", "if", "else", "for", "of", "in", "new",
    "yield", "import", "export", "default", "break", "(", ")", "{", "}", "[", "]", ",", ";", "=", "=>", "x",
    "1",
];

#[test]
fn finds_what_node_finds() {
    let all = env::var_os("SYNCANO_TEST_ALL").is_some();
    let (count, each) = if all { (1_000, 20) } else { (60, 5) };
    let scripts: Vec<_> =
        scripts().into_iter().filter(|(_, source)| (200..20_000).contains(&source.len())).collect();
    let step = scripts.len().div_ceil(count).max(1);
    let mut names = Vec::new();
    let mut sources = Vec::new();
    for (seed, (name, source)) in (0..).zip(scripts.into_iter().step_by(step)) {
        let mut numbers = Numbers::new(seed);
        for number in 0..each {
            names.push(format!("{name} #{number}"));
            sources.push(mutate(&source, &WORDS, &mut numbers));
        }
    }
    let Some(verdicts) = verdicts(&sources).filter(|_| !sources.is_empty()) else { return skipped() };
    let mut tally = Tally::default();
    for ((name, source), verdict) in names.iter().zip(&sources).zip(&verdicts) {
        let error = check(source, Version::default()).err().map(|error| error.to_string());
        tally.add(name, source, verdict.strip_prefix("error "), error);
    }
    println!(
        "{} mutants: {} right, {} wrong for both; {} missed; recall {:.4}; false alarms: {}",
        sources.len(),
        tally.both_accept,
        tally.both_refuse,
        tally.missed.len(),
        tally.recall(),
        tally.alarms.len(),
    );
    tally.missed.iter().take(20).for_each(|missed| println!("missed {missed}"));
    tally.assert_no_alarm();
    assert!(tally.recall() > 0.97);
}
