//! Finding interpreters.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::interpreter::{Interpreter, InterpreterId, MissingInterpreter};
use crate::recipe::Recipe;

impl Interpreter {
    /// The interpreter at `explicit`, else the first that works: the system's own before whatever `PATH` has, which
    /// may be a shim of 100 ms. `other_users` says that the workers will run as another user than this process.
    pub(crate) fn find(
        recipe: &'static Recipe,
        explicit: Option<&Path>,
        other_users: bool,
    ) -> Result<Interpreter, MissingInterpreter> {
        let executable = recipe.executable;
        let candidates = match explicit {
            Some(path) => vec![path.to_owned()],
            None => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let own = ["/usr/bin", "/usr/local/bin"].map(PathBuf::from).into_iter();
                own.chain(std::env::split_paths(&path)).map(|folder| folder.join(executable)).collect()
            }
        };
        let mut problem = None;
        for candidate in candidates.iter().filter(|path| explicit.is_some() || path.exists()) {
            match known_or_probed(recipe, candidate, other_users) {
                Ok(interpreter) => return Ok(interpreter),
                Err(why) => problem = problem.or(Some(format!("`{}` {why}", candidate.display()))),
            }
        }
        let problem = problem.unwrap_or_else(|| format!("there is no `{executable}` on this machine"));
        Err(MissingInterpreter::of(recipe, &problem))
    }
}

/// What was found so far in this process: starting Node once costs more than the rest of a server's start.
static FOUND: Mutex<Vec<(Key, Interpreter)>> = Mutex::new(Vec::new());

/// A file that was replaced or changed is another one.
#[derive(PartialEq, Eq)]
struct Key {
    path: PathBuf,
    file: (u64, u64, u64),
    changed: (i64, i64),
    other_users: bool,
}

fn known_or_probed(recipe: &'static Recipe, path: &Path, other_users: bool) -> Result<Interpreter, String> {
    let metadata = path.metadata().map_err(|error| format!("can't be started ({error})"))?;
    let key = Key {
        path: path.to_owned(),
        file: (metadata.dev(), metadata.ino(), metadata.size()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
        other_users,
    };
    let known = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, interpreter)) = known().iter().find(|(found, _)| *found == key) {
        return Ok(interpreter.clone());
    }
    let interpreter = probe(recipe, path, other_users)?;
    let mut known = known();
    known.retain(|(found, _)| found.path != key.path || found.other_users != other_users);
    known.push((key, interpreter.clone()));
    Ok(interpreter)
}

/// Starts an interpreter once. The error says what is wrong with it.
pub(crate) fn probe(recipe: &'static Recipe, path: &Path, other_users: bool) -> Result<Interpreter, String> {
    let output = Command::new(path)
        .args(recipe.probe)
        // What a developer's shell makes Node load or say.
        .env_remove("NODE_OPTIONS")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("can't be started ({error})"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let all =
        |name: &'static str| text.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '));
    let (Some(executable), Some(version)) = (all("path").next(), all("version").next()) else {
        return Err(format!("is not a {} that works ({})", recipe.product, output.status));
    };
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < recipe.oldest {
        return Err(format!("is {} {version}, which is too old", recipe.product));
    }
    let executable = PathBuf::from(executable);
    if other_users && let Some(closed) = closed_to_others(&executable) {
        return Err(format!(
            "lies in `{}`, which only its owner may enter, while scripts run as users of their own",
            closed.display()
        ));
    }
    // The root is no library.
    let files = all("file").map(PathBuf::from).filter(|file| file.components().count() > 1).collect();
    let options = all("option").map(str::to_owned).collect();
    let code = all("code").next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
    let version = version.to_owned();
    let id = InterpreterId { language: recipe.language, environment: None };
    Ok(Interpreter { recipe, id, path: executable, version, files, options, variables: Vec::new(), code })
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
