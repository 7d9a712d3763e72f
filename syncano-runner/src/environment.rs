//! Packages beside the standard library: environments that the operator has prepared.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncano_core::Language;

use crate::interpreter::Interpreter;

/// A folder of packages that scripts may name: a virtual environment of Python's, or a `node_modules` of Node's.
#[derive(Debug, Clone)]
pub struct Environment {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// What runs the scripts that name it.
    pub(crate) interpreter: Arc<Interpreter>,
}

impl Environment {
    /// The name by which scripts ask for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its packages are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The language of the scripts that can use it.
    pub fn language(&self) -> Language {
        self.interpreter.language()
    }

    /// What runs them. A virtual environment has an interpreter of its own, which may be of another version than the one
    /// that runs every other script.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at `{}`", self.name, self.path.display())
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environments(pub(crate) Vec<Environment>);

impl Environments {
    /// The one of that name for that language, or what there is instead.
    pub(crate) fn get(&self, name: &str, language: Language) -> Result<&Environment, MissingEnvironment> {
        let mut of_language = self.0.iter().filter(|environment| environment.language() == language);
        of_language.clone().find(|environment| environment.name == name).ok_or_else(|| {
            let other = self.0.iter().find(|environment| environment.name == name);
            let there_are: Vec<String> =
                of_language.by_ref().map(|environment| format!("`{}`", environment.name)).collect();
            MissingEnvironment {
                name: name.to_owned(),
                language,
                of_another_language: other.map(Environment::language),
                there_are,
            }
        })
    }
}

/// A script names an environment that the server doesn't have. The text says which ones it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingEnvironment {
    name: String,
    language: Language,
    of_another_language: Option<Language>,
    there_are: Vec<String>,
}

impl std::error::Error for MissingEnvironment {}

impl fmt::Display for MissingEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MissingEnvironment { name, language, of_another_language, there_are } = self;
        match of_another_language {
            Some(other) => write!(f, "the environment `{name}` is one of {other}, not of {language}: ")?,
            None => write!(f, "there is no environment `{name}` on this server: ")?,
        }
        match &there_are[..] {
            [] => write!(f, "it has none for {language}"),
            there_are => write!(f, "for {language} it has {}", there_are.join(", ")),
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) mod find {
    //! Looking at what the operator has named, before any script asks for it.

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::find::{closed_to_others, probe};
    use crate::isolation::Isolation;
    use crate::node::NODE;
    use crate::python::PYTHON;
    use crate::runner::Interpreters;

    /// How workers will look at the files.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Viewer {
        pub(crate) isolation: Isolation,
        /// As users of their own, who need the right to read.
        pub(crate) own_users: bool,
        /// Through the folders above, which they need the right to enter.
        pub(crate) from_outside: bool,
    }

    /// The environments at these paths. The error names the one that can't be used, and says why.
    pub(crate) fn all(
        named: &[(String, PathBuf)],
        interpreters: &Interpreters,
        viewer: Viewer,
    ) -> Result<Environments, (String, PathBuf, String)> {
        let mut found = Environments::default();
        for (name, path) in named {
            let environment = one(name, path, interpreters, viewer, found.0.len())
                .and_then(|environment| match found.get(name, environment.language()) {
                    Ok(first) => Err(format!("`{}` has that name already", first.path.display())),
                    Err(_) => Ok(environment),
                })
                .map_err(|problem| (name.clone(), path.clone(), problem))?;
            found.0.push(environment);
        }
        Ok(found)
    }

    fn one(
        name: &str,
        path: &Path,
        interpreters: &Interpreters,
        viewer: Viewer,
        place: usize,
    ) -> Result<Environment, String> {
        let is_fitting = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_fitting) {
            return Err("a name has 1 to 64 lower-case letters, digits, `_` and `-`".to_owned());
        }
        // Scripts see it under this very path.
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        let mut interpreter = if path.join("pyvenv.cfg").is_file() {
            python(&path)?
        } else if path.is_dir() && path.file_name().is_some_and(|name| name == "node_modules") {
            node(&path, interpreters)?
        } else {
            return Err(
                "it is neither a virtual environment of Python's (there is no `pyvenv.cfg` in it) nor a \
                        folder called `node_modules`"
                    .to_owned(),
            );
        };
        for file in &interpreter.files {
            if viewer.isolation >= Isolation::Namespace && file.starts_with("/tmp") {
                return Err(format!(
                    "`{}` can't be shown to scripts, which have `/tmp` for themselves: move it elsewhere",
                    file.display()
                ));
            }
            if viewer.from_outside
                && let Some(closed) = closed_to_others(file)
            {
                return Err(format!(
                    "`{}` can't be entered by the users that scripts run as",
                    closed.display()
                ));
            }
        }
        let mode = path.metadata().map_err(|error| error.to_string())?.permissions().mode();
        if viewer.own_users && mode & 0o005 != 0o005 {
            return Err(format!(
                "it can't be read by the users that scripts run as: `chmod -R a+rX {}`",
                path.display()
            ));
        }
        interpreter.id.environment = Some(place);
        Ok(Environment { name: name.to_owned(), path, interpreter: Arc::new(interpreter) })
    }

    /// The interpreter that the virtual environment was made for, which finds its packages by itself.
    fn python(path: &Path) -> Result<Interpreter, String> {
        let executable = path.join("bin/python");
        let again = |problem: &str| {
            format!(
                "its interpreter `{}` {problem}: make the environment again with `python3 -m venv`",
                executable.display()
            )
        };
        // Who may enter which folder is looked at for all of its files.
        let interpreter = probe(&PYTHON, &executable, false).map_err(|problem| again(&problem))?;
        if interpreter.files.iter().any(|file| file == path) {
            Ok(interpreter)
        } else {
            Err(again("is none of this environment"))
        }
    }

    /// Node as for every script, and told where to look.
    fn node(path: &Path, interpreters: &Interpreters) -> Result<Interpreter, String> {
        let node = interpreters.get(NODE.language).map_err(|missing| missing.to_string())?;
        let mut interpreter = Interpreter::clone(node);
        interpreter.files.push(path.to_owned());
        interpreter.variables.push(("NODE_PATH", path.into()));
        Ok(interpreter)
    }
}
