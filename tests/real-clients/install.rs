//! The clients, installed into the target folder by what `install/` names, and used again until that changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::folder;

/// The system's own first: on some machines the one on `PATH` is a slow front for several.
const PYTHONS: [&str; 3] = ["/usr/bin/python3", "/usr/local/bin/python3", "python3"];

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

/// Why a client isn't there.
#[derive(Clone)]
enum Failure {
    /// This machine lacks something.
    Missing(String),
    /// The installation itself is at fault.
    Broken(String),
}

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

fn found(installed: &Result<PathBuf, Failure>) -> Option<PathBuf> {
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
    let environment = prepare("generator", &version, &["generator.txt"], |environment| {
        make_environment(python, environment)?;
        pip(environment, "--requirement generator.txt")
    })?;
    Ok(environment.join("bin/python"))
}

fn install_python() -> Result<PathBuf, Failure> {
    let (python, version) = system_python()?;
    let files = ["clients.txt", "libraries.txt", "syncano_today.pth", "syncano_today.py"];
    let environment = prepare("python", &version, &files, |environment| {
        make_environment(python, environment)?;
        pip(environment, "--requirement libraries.txt")?;
        // Built with the setuptools that the libraries name, which is known to build them.
        pip(environment, "--use-pep517 --no-build-isolation --require-hashes --requirement clients.txt")?;
        let packages = run(Command::new(environment.join("bin/python"))
            .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
        for file in ["syncano_today.py", "syncano_today.pth"] {
            fs::copy(source().join(file), Path::new(packages.trim()).join(file)).unwrap();
        }
        Ok(())
    })?;
    Ok(environment.join("bin/python"))
}

fn install_javascript() -> Result<PathBuf, Failure> {
    let version = |program: &str| {
        run(Command::new(program).arg("--version"))
            .map_err(|_| Failure::Missing(format!("no {program}: install nodejs and npm")))
    };
    let versions = version("node")? + &version("npm")?;
    let files = ["package.json", "package-lock.json"];
    let modules = prepare("javascript", &versions, &files, |modules| {
        for file in files {
            fs::copy(source().join(file), modules.join(file)).unwrap();
        }
        let ci = "ci --ignore-scripts --no-audit --no-fund --fetch-retries 1";
        run(Command::new("npm").args(ci.split(' ')).current_dir(modules))?;
        Ok(())
    })?;
    Ok(modules.join("node_modules"))
}

/// The folder with what was installed; made anew unless it was made of the same before. Other tests wait meanwhile,
/// in this process and in others.
fn prepare(
    name: &str,
    versions: &str,
    files: &[&str],
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let parent = target();
    let folder = parent.join(name);
    let ready = folder.join("installed-from");

    // A virtual environment names its own place.
    let mut wanted = format!("{}\n{versions}", folder.display());
    for file in files {
        wanted += &fs::read_to_string(source().join(file)).unwrap();
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

/// What the command printed.
fn run(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.output().map_err(|error| Failure::Missing(format!("{command:?} can't start: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let text =
        format!("{command:?}: {}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    if OFFLINE.iter().any(|sign| text.contains(sign)) {
        return Err(Failure::Missing(format!("no network to install the clients from\n{text}")));
    }
    Err(Failure::Broken(text))
}
