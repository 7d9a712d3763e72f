//! Python's own library holds no syntax error: what the interpreter accepts, the check must accept, and the `main` that
//! it sees must be the one that is read here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use syncano_syntax::python::{Takes, Version, read};
use syncano_syntax::{Packages, Severity};

const SAMPLE: usize = 300;

/// Prints its version, then for each file whether it compiles, and each parameter of a top-level `main`.
const COMPILE: &str = r#"
import ast, sys, warnings
warnings.simplefilter("ignore")
print("%d.%d" % sys.version_info[:2])
def main_of(tree):
    mains = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == "main"]
    if not mains:
        return "-"
    args = mains[-1].args
    positional = args.posonlyargs + args.args
    defaults = len(positional) - len(args.defaults)
    words = [a.arg + ("=" if i >= defaults else "") for i, a in enumerate(positional)]
    words += [a.arg + ("=" if d is not None else "") for a, d in zip(args.kwonlyargs, args.kw_defaults)]
    return " ".join(["main"] + words + (["**"] if args.kwarg else []))
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            source = file.read()
        compile(source, path, "exec", dont_inherit=True)
        print(main_of(ast.parse(source)))
    except Exception:
        print(0)
"#;

#[test]
fn reads_what_the_interpreter_accepts() {
    let mut files = Vec::new();
    // `SYNCANO_TEST_SCRIPTS=folder` takes all scripts below another folder.
    let other = env::var_os("SYNCANO_TEST_SCRIPTS").map(PathBuf::from);
    match &other {
        Some(folder) => collect(folder, &mut files),
        None => {
            let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
            for folder in folders.filter(|path| path.to_string_lossy().starts_with("/usr/lib/python3")) {
                collect(&folder, &mut files);
            }
        }
    }
    if files.is_empty() {
        assert_eq!(other, None, "no scripts there");
        return println!("skipped: no /usr/lib/python3*");
    }
    files.sort();
    // `SYNCANO_TEST_ALL=1` takes them all.
    let all = other.is_some() || env::var_os("SYNCANO_TEST_ALL").is_some();
    let step = if all { 1 } else { files.len().div_ceil(SAMPLE) };
    let files: Vec<PathBuf> = files.into_iter().step_by(step).collect();

    let mut version = None;
    let mut verdicts = Vec::new();
    // A command line is only so long.
    for files in files.chunks(500) {
        let output = match Command::new("python3").args(["-I", "-c", COMPILE]).args(files).output() {
            Ok(output) if output.status.success() => String::from_utf8(output.stdout).expect("text"),
            other => return println!("skipped: python3 doesn't answer: {other:?}"),
        };
        let mut lines = output.lines().map(str::to_owned);
        version = lines.next().and_then(|line| line.parse::<Version>().ok());
        verdicts.extend(lines);
    }
    let Some(version) = version else {
        return println!("skipped: the version of python3 is unknown here");
    };

    assert_eq!(verdicts.len(), files.len());
    let (mut accepted, mut mains, mut programs, mut unknown) = (0, 0, 0, 0);
    let (mut missed, mut errors, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for (path, verdict) in files.iter().zip(&verdicts) {
        // Other encodings than UTF-8 don't reach the check.
        let Ok(source) = fs::read_to_string(path) else { continue };
        let script = read(&source, version, Packages::Others);
        for remark in script.iter().flat_map(|script| &script.remarks) {
            let told = format!("{}:{}", path.display(), remark.diagnostic);
            // What tests the names of annotations has none on purpose.
            if told.contains("/test/ann_module") {
                continue;
            }
            if remark.severity == Severity::Error { errors.push(told) } else { warnings.push(told) }
        }
        match (verdict.as_str(), script.map(|script| script.takes)) {
            ("0", Ok(_)) => missed.push(path.display().to_string()),
            ("0", Err(_)) => continue,
            (_, Err(error)) => panic!("{}:{error}", path.display()),
            (main, Ok(found)) => {
                accepted += 1;
                match found {
                    Takes::Parameters(_) => mains += 1,
                    Takes::Keys(_) => programs += 1,
                    Takes::Unknown => unknown += 1,
                }
                if let Some(found) = described(&found) {
                    assert_eq!(main, found, "{}", path.display());
                }
            }
        }
    }
    println!(
        "{accepted} files accepted by both with {version}: {mains} with a `main` to call, {programs} programs, \
         {unknown} open; false alarms: 0; not noticed: {missed:?}"
    );
    println!("{} warnings:\n{}", warnings.len(), warnings.join("\n"));
    // What Python's authors publish fails nowhere.
    assert!(other.is_some() || errors.is_empty(), "{} false alarms:\n{}", errors.len(), errors.join("\n"));
    println!("{} errors:\n{}", errors.len(), errors.join("\n"));
    assert!(accepted > 0);
}

/// In the words of [`COMPILE`].
fn described(found: &Takes) -> Option<String> {
    let Takes::Parameters(parameters) = found else { return None };
    let named = parameters.named.iter();
    let named = named.map(|one| format!("{}{}", one.name, if one.has_default { "=" } else { "" }));
    let any = parameters.takes_any.then(|| "**".to_owned());
    Some(["main".to_owned()].into_iter().chain(named).chain(any).collect::<Vec<_>>().join(" "))
}

pub(crate) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}
