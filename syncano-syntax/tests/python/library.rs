//! Python's own library holds no syntax error: what the interpreter accepts, the check must accept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use syncano_syntax::python::{Version, check};

const SAMPLE: usize = 300;

/// Prints its version, then for each file whether it compiles.
const COMPILE: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
print("%d.%d" % sys.version_info[:2])
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec", dont_inherit=True)
        print(1)
    except Exception:
        print(0)
"#;

#[test]
fn accepts_what_the_interpreter_accepts() {
    let mut files = Vec::new();
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in folders.filter(|path| path.to_string_lossy().starts_with("/usr/lib/python3")) {
        collect(&folder, &mut files);
    }
    if files.is_empty() {
        return println!("skipped: no /usr/lib/python3*");
    }
    files.sort();
    // `SYNCANO_TEST_ALL=1` takes them all.
    let step = if env::var_os("SYNCANO_TEST_ALL").is_some() { 1 } else { files.len().div_ceil(SAMPLE) };
    let files: Vec<PathBuf> = files.into_iter().step_by(step).collect();

    let output = match Command::new("python3").args(["-I", "-c", COMPILE]).args(&files).output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).expect("text"),
        other => return println!("skipped: python3 doesn't answer: {other:?}"),
    };
    let mut lines = output.lines();
    let Some(Ok(version)) = lines.next().map(str::parse::<Version>) else {
        return println!("skipped: the version of python3 is unknown here");
    };

    let mut accepted = 0;
    let mut missed = Vec::new();
    for (path, compiles) in files.iter().zip(lines) {
        // Other encodings than UTF-8 don't reach the check.
        let Ok(source) = fs::read_to_string(path) else { continue };
        match (compiles, check(&source, version)) {
            ("1", Err(error)) => panic!("{}:{error}", path.display()),
            ("1", Ok(())) => accepted += 1,
            (_, Ok(())) => missed.push(path.display().to_string()),
            (_, Err(_)) => {}
        }
    }
    println!("{accepted} files accepted by both with {version}; not noticed: {missed:?}");
    assert!(accepted > 0);
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}
