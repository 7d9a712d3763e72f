//! The clients, installed into the target folder by what `install/` names, and used again until that changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::folder;
use crate::installed::{Failure, found, node_modules, prepare, run};

/// The system's own first: on some machines the one on `PATH` is a slow front for several.
const PYTHONS: [&str; 3] = ["/usr/bin/python3", "/usr/local/bin/python3", "python3"];

/// The Python that has `syncano` and `syncano-cli`. `None`: skip the test.
pub(crate) fn python() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    found(INSTALLED.get_or_init(install_python))
}

/// The folder of modules that has `syncano`. `None`: skip the test.
pub(crate) fn javascript() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    found(INSTALLED.get_or_init(install_javascript))
}

/// The Python that has a validator of OpenAPI documents and a generator of clients. `None`: skip the test.
pub(crate) fn generator() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    found(INSTALLED.get_or_init(install_generator))
}

/// A Python that can make virtual environments, and its version.
fn system_python() -> Result<(&'static str, String), Failure> {
    let works = |python: &&&str| {
        let mut try_out = Command::new(**python);
        try_out.args(["-c", "import ensurepip, venv"]).output().is_ok_and(|output| output.status.success())
    };
    let python = *PYTHONS.iter().find(works).ok_or_else(|| {
        Failure::Missing(
            "no Python 3 that can make virtual environments: install python3 and python3-venv".into(),
        )
    })?;
    Ok((python, run(Command::new(python).arg("--version"))?))
}

fn make_environment(python: &str, environment: &Path) -> Result<(), Failure> {
    run(Command::new(python).args(["-m", "venv"]).arg(environment)).map(drop)
}

fn pip(environment: &Path, arguments: &str) -> Result<(), Failure> {
    let install = "-m pip install --quiet --disable-pip-version-check --retries 1 --no-deps";
    let mut pip = Command::new(environment.join("bin/python"));
    run(pip.args(install.split(' ')).args(arguments.split(' ')).current_dir(source())).map(drop)
}

fn install_generator() -> Result<PathBuf, Failure> {
    let (python, version) = system_python()?;
    let environment =
        prepare(&source(), &target(), "generator", &version, &["generator.txt"], |environment| {
            make_environment(python, environment)?;
            pip(environment, "--requirement generator.txt")
        })?;
    Ok(environment.join("bin/python"))
}

fn install_python() -> Result<PathBuf, Failure> {
    let (python, version) = system_python()?;
    let files = ["clients.txt", "libraries.txt", "syncano_today.py"];
    let environment = prepare(&source(), &target(), "python", &version, &files, |environment| {
        make_environment(python, environment)?;
        pip(environment, "--requirement libraries.txt")?;
        // Built with the setuptools that the libraries name, which is known to build them.
        pip(environment, "--use-pep517 --no-build-isolation --require-hashes --requirement clients.txt")?;
        run(Command::new(environment.join("bin/python")).arg("syncano_today.py").current_dir(source()))?;
        Ok(())
    })?;
    Ok(environment.join("bin/python"))
}

fn install_javascript() -> Result<PathBuf, Failure> {
    node_modules(&source(), &target(), "javascript")
}

/// This test's part of the target folder.
pub(crate) fn target() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-clients");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where the names and versions are.
fn source() -> PathBuf {
    folder().join("install")
}
