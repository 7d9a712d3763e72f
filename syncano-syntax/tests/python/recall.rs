//! Of scripts with a slip, the check finds what Python finds, and no more.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use syncano_syntax::python::{Version, check};

use crate::library::collect;
use crate::mutations::{Numbers, Tally, mutate};

const WORDS: [&str; 30] = [
    "def", "return", "await", "async", "class", "if", "else", "for", "in", "while", "not", "yield", "import",
    "from", "lambda", "break", "global", "(", ")", "{", "}", "[", "]", ",", ":", "=", "*", "x", "1", "\n",
];

/// Reads scripts, with a null between two, and prints its version, then of each whether it compiles, or why not.
const JUDGE: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
print("%d.%d" % sys.version_info[:2])
for source in sys.stdin.buffer.read().split(b"\0"):
    try:
        compile(source, "script", "exec", dont_inherit=True)
        print("fine")
    except Exception as error:
        print("error", str(error).split("\n")[0].encode("ascii", "replace").decode())
"#;

#[test]
fn finds_what_python_finds() {
    let all = env::var_os("SYNCANO_TEST_ALL").is_some();
    let (count, each) = if all { (1_000, 20) } else { (60, 5) };
    let mut files = Vec::new();
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in folders.filter(|path| path.to_string_lossy().starts_with("/usr/lib/python3")) {
        collect(&folder, &mut files);
    }
    files.sort();
    let scripts: Vec<(String, String)> = files
        .into_iter()
        .filter_map(|path| Some((path.display().to_string(), fs::read_to_string(path).ok()?)))
        .filter(|(_, source)| {
            (200..20_000).contains(&source.len())
                && !source.contains('\0')
                && check(source, Version::default()).is_ok()
        })
        .collect();
    let step = scripts.len().div_ceil(count).max(1);
    let (mut names, mut sources) = (Vec::new(), Vec::new());
    for (seed, (name, source)) in (0..).zip(scripts.into_iter().step_by(step)) {
        let mut numbers = Numbers::new(seed);
        for number in 0..each {
            names.push(format!("{name} #{number}"));
            sources.push(mutate(&source, &WORDS, &mut numbers));
        }
    }
    let Some((version, verdicts)) = verdicts(&sources).filter(|_| !sources.is_empty()) else {
        assert!(env::var_os("CI").is_none(), "/usr/bin/python3 doesn't answer");
        return println!("skipped: /usr/bin/python3 doesn't answer");
    };
    let mut tally = Tally::default();
    for ((name, source), verdict) in names.iter().zip(&sources).zip(&verdicts) {
        let error = check(source, version).err().map(|error| error.to_string());
        tally.add(name, source, verdict.strip_prefix("error "), error);
    }
    println!(
        "{} mutants with {version}: {} right, {} wrong for both; {} missed; recall {:.4}; false alarms: {}",
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

pub(crate) fn verdicts(sources: &[String]) -> Option<(Version, Vec<String>)> {
    // The one on the path may be any.
    let python = Path::new("/usr/bin/python3");
    let mut python = Command::new(python)
        .args(["-I", "-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let text = sources.join("\0");
    let mut stdin = python.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = python.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let version = lines.next()?.parse().ok()?;
    let verdicts: Vec<String> = lines.map(str::to_owned).collect();
    assert_eq!(verdicts.len(), sources.len(), "Python answers for each");
    Some((version, verdicts))
}
