//! Finding Python.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::interpreter::MissingInterpreter;

/// A Python interpreter that has been started once and has told where its parts are.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    /// The executable itself, no shim.
    pub(crate) path: PathBuf,
    /// Folders that it reads its libraries from.
    pub(crate) folders: Vec<PathBuf>,
}

/// Tells the real executable, the version, and the folders. A shim in front of an interpreter starts it just the same,
/// and the interpreter then names itself.
const PROBE: &str = "import os, sys
print(os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable) \
if sys.prefix == sys.base_prefix else os.path.abspath(sys.executable))
print('%d.%d' % sys.version_info[:2])
for folder in sorted({sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}):
    print(folder)";

impl Python {
    /// The interpreter at `explicit`, else the first that works: the system's own before whatever `PATH` has, which
    /// may be a shim of 100 ms. `other_users` says that the workers will run as another user than this process.
    pub(crate) fn find(explicit: Option<&Path>, other_users: bool) -> Result<Python, MissingInterpreter> {
        let candidates = match explicit {
            Some(path) => vec![path.to_owned()],
            None => {
                let mut candidates =
                    vec![PathBuf::from("/usr/bin/python3"), PathBuf::from("/usr/local/bin/python3")];
                let path = std::env::var_os("PATH").unwrap_or_default();
                candidates.extend(std::env::split_paths(&path).map(|folder| folder.join("python3")));
                candidates
            }
        };
        let mut problem = None;
        for candidate in candidates.iter().filter(|path| explicit.is_some() || path.exists()) {
            match probe(candidate, other_users) {
                Ok(python) => return Ok(python),
                Err(why) => problem = problem.or(Some(format!("`{}` {why}", candidate.display()))),
            }
        }
        Err(MissingInterpreter::python(problem.as_deref().unwrap_or("there is no `python3` on this machine")))
    }
}

fn probe(path: &Path, other_users: bool) -> Result<Python, String> {
    let output = Command::new(path)
        .args(["-I", "-B", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("can't be started ({error})"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let (Some(executable), Some(version)) = (lines.next(), lines.next()) else {
        return Err(format!("is not a Python that works ({})", output.status));
    };
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let mut parts = version.split('.');
    if (number(parts.next()), number(parts.next())) < (3, 8) {
        return Err(format!("is Python {version}, which is too old"));
    }
    let executable = PathBuf::from(executable);
    let mut folders: Vec<PathBuf> =
        lines.map(PathBuf::from).filter(|folder| folder.components().count() > 1).collect();
    // Distributions keep the site's own start-up files here.
    folders.push(PathBuf::from(format!("/etc/python{version}")));
    if other_users && let Some(closed) = closed_to_others(&executable) {
        return Err(format!(
            "lies in `{}`, which only its owner may enter, while scripts run as users of their own",
            closed.display()
        ));
    }
    Ok(Python { path: executable, folders })
}

/// The first folder above `path` that other users may not enter.
pub(crate) fn closed_to_others(path: &Path) -> Option<&Path> {
    let mut ancestors: Vec<&Path> = path.ancestors().skip(1).collect();
    ancestors.reverse();
    ancestors.into_iter().find(|folder| match folder.metadata() {
        Ok(metadata) => metadata.permissions().mode() & 0o001 == 0,
        Err(_) => !folder.as_os_str().is_empty(),
    })
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}
