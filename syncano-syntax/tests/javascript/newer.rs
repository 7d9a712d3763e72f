//! Syntax that Node has from some version on, or no longer has.

use syncano_syntax::javascript::{Version, check};

use crate::node::{major, skipped, verdicts};

/// A script, and the versions that take it. Node 18, 20, 22 and 24 said so themselves.
const SCRIPTS: &[(&str, &[&str])] = &[
    ("{ using x = y }", &["24"]),
    ("async function f() { await using x = y }", &["24"]),
    ("for (using x of y) ;", &["24"]),
    ("/a/v", &["20", "22", "24"]),
    ("/[\\p{L}--[a-z]]/v", &["20", "22", "24"]),
    ("/(?i:a)/", &["24"]),
    ("/(?s-i:a)/u", &["24"]),
    ("/(?<a>x)|(?<a>y)/", &["24"]),
    ("/(?<a>x)|(?<b>y)/u", &["18", "20", "22", "24"]),
    ("/[(?i:a)(?<a>b)(?<a>c)]/", &["18", "20", "22", "24"]),
    ("/\\(?i:a/", &["18", "20", "22", "24"]),
    ("/(?<=a)b(?<!c)(?:d)(?=e)(?!f)/", &["18", "20", "22", "24"]),
    ("import x from 'y' with { type: 'json' }", &["18", "20", "22", "24"]),
    ("import x from 'y' assert { type: 'json' }", &["18", "20"]),
    ("export * from 'x' assert { type: 'json' }", &["18", "20"]),
    ("import source x from 'y'", &["24"]),
    ("import defer * as x from 'y'", &[]),
    ("class A { accessor x = 1 }", &[]),
    ("@a class B {}", &[]),
    ("class A { static { } static #p; static has(o) { return #p in o } }", &["18", "20", "22", "24"]),
    ("a ??= b; a ||= b && c; 1_000n; x?.[0]?.()", &["18", "20", "22", "24"]),
    ("export * as 'x y' from 'z'", &["18", "20", "22", "24"]),
    ("var using = 1, accessor = 2, source = using", &["18", "20", "22", "24"]),
    ("const answer = await fetch('x')", &["18", "20", "22", "24"]),
    ("for await (const x of y) console.log(x)", &["18", "20", "22", "24"]),
    ("const x = await a; const x = 1", &[]),
    ("with (a) await b", &[]),
    ("function f() { await b }", &[]),
];

#[test]
fn every_version_takes_its_own_syntax() {
    for (source, versions) in SCRIPTS {
        for version in ["18", "20", "22", "24"] {
            let checked = check(source, version.parse::<Version>().expect("a version"));
            assert_eq!(
                checked.is_ok(),
                versions.contains(&version),
                "{source} for Node {version}: {checked:?}"
            );
        }
    }
}

#[test]
fn this_node_says_the_same() {
    let sources: Vec<String> = SCRIPTS.iter().map(|(source, _)| (*source).to_owned()).collect();
    let (Some(major), Some(verdicts)) = (major(), verdicts(&sources)) else { return skipped() };
    for ((source, versions), verdict) in SCRIPTS.iter().zip(verdicts) {
        let taken = !verdict.starts_with("error ");
        assert_eq!(taken, versions.contains(&major.as_str()), "{source}: {verdict}");
    }
}
