//! What tests install from package registries, once, and use again until it changes. Other tests have this file too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What package managers say when there is no network.
const OFFLINE: [&str; 8] = [
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "ENOTFOUND",
    "ETIMEDOUT",
];

/// Why something isn't there.
#[derive(Clone)]
pub(crate) enum Failure {
    /// This machine lacks something.
    Missing(String),
    /// The installation itself is at fault.
    Broken(String),
}

/// `None`: skip the test.
pub(crate) fn found(installed: &Result<PathBuf, Failure>) -> Option<PathBuf> {
    match installed {
        Ok(path) => Some(path.clone()),
        Err(Failure::Broken(text)) => panic!("{text}"),
        Err(Failure::Missing(text)) => {
            assert!(std::env::var_os("CI").is_none(), "CI needs this test: {text}");
            eprintln!("skipped: {text}");
            None
        }
    }
}

/// The folder of modules that `source` names in a `package.json` and its lock; they are installed into `parent`.
pub(crate) fn node_modules(source: &Path, parent: &Path, name: &str) -> Result<PathBuf, Failure> {
    let version = |program: &str| {
        run(Command::new(program).arg("--version"))
            .map_err(|_| Failure::Missing(format!("no {program}: install nodejs and npm")))
    };
    let versions = version("node")? + &version("npm")?;
    let files = ["package.json", "package-lock.json"];
    let modules = prepare(source, parent, name, &versions, &files, |modules| {
        for file in files {
            fs::copy(source.join(file), modules.join(file)).unwrap();
        }
        let ci = "ci --ignore-scripts --no-audit --no-fund --fetch-retries 1";
        run(Command::new("npm").args(ci.split(' ')).current_dir(modules))?;
        Ok(())
    })?;
    Ok(modules.join("node_modules"))
}

/// The folder with what was installed; made anew unless it was made of the same before. Other tests wait meanwhile,
/// in this process and in others.
pub(crate) fn prepare(
    source: &Path,
    parent: &Path,
    name: &str,
    versions: &str,
    files: &[&str],
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    fs::create_dir_all(parent).unwrap();
    let folder = parent.join(name);
    let ready = folder.join("installed-from");

    // A virtual environment names its own place.
    let mut wanted = format!("{}\n{versions}", folder.display());
    for file in files {
        wanted += &fs::read_to_string(source.join(file)).unwrap();
    }
    let lock = File::create(parent.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&ready).is_ok_and(|made_from| made_from == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir(&folder).unwrap();
    install(&folder)?;
    fs::write(&ready, wanted).unwrap();
    Ok(folder)
}

/// What the command printed.
pub(crate) fn run(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.output().map_err(|error| Failure::Missing(format!("{command:?} can't start: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let text =
        format!("{command:?}: {}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    if OFFLINE.iter().any(|sign| text.contains(sign)) {
        return Err(Failure::Missing(format!("no network to install from\n{text}")));
    }
    Err(Failure::Broken(text))
}
