//! What Node accepts, the check must accept: its own library and npm's.

use std::env;

use syncano_syntax::javascript::{Takes, Version, read};
use syncano_syntax::{Packages, Severity};

use crate::mutations::Tally;
use crate::node::{scripts, skipped, verdicts};

const SAMPLE: usize = 300;

#[test]
fn reads_what_node_accepts() {
    let all = env::var_os("SYNCANO_TEST_ALL").is_some() || env::var_os("SYNCANO_TEST_SCRIPTS").is_some();
    let scripts = scripts();
    let step = if all { 1 } else { scripts.len().div_ceil(SAMPLE).max(1) };
    let (names, sources): (Vec<String>, Vec<String>) = scripts.into_iter().step_by(step).unzip();
    let Some(verdicts) = verdicts(&sources).filter(|verdicts| !verdicts.is_empty()) else { return skipped() };
    let mut tally = Tally::default();
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let (mut modules, mut functions, mut programs, mut unknown) = (0, 0, 0, 0);
    for ((name, source), verdict) in names.iter().zip(&sources).zip(&verdicts) {
        let script = read(source, Version::default(), Packages::Others);
        for remark in script.iter().flat_map(|script| &script.remarks) {
            let told = format!("{name}:{}", remark.diagnostic);
            if remark.severity == Severity::Error { errors.push(told) } else { warnings.push(told) }
        }
        let taken = script.map(|script| script.takes);
        match &taken {
            Ok(Takes::Keys(keys)) if keys.is_function => functions += 1,
            Ok(Takes::Keys(_)) => programs += 1,
            Ok(Takes::Unknown) => unknown += 1,
            Err(_) => {}
        }
        modules += usize::from(verdict == "module");
        tally.add(name, source, verdict.strip_prefix("error "), taken.err().map(|error| error.to_string()));
    }
    println!(
        "{} files accepted by both, {modules} of them modules: {functions} with a function to call, {programs} programs, \
         {unknown} open; refused by both: {}; false alarms: {}; not noticed: {:?}",
        tally.both_accept,
        tally.both_refuse,
        tally.alarms.len(),
        tally.missed
    );
    println!("{} warnings:\n{}", warnings.len(), warnings.join("\n"));
    println!("{} errors:\n{}", errors.len(), errors.join("\n"));
    tally.assert_no_alarm();
    // What is published and used fails nowhere.
    assert!(env::var_os("SYNCANO_TEST_SCRIPTS").is_some() || errors.is_empty(), "{errors:?}");
    assert!(tally.both_accept > 0);
}
