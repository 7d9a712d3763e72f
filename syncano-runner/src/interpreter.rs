//! What there is for a language, or why there is nothing.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use syncano_core::Language;

use crate::recipe::Recipe;

/// Tells the interpreters of a runner apart: each has processes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct InterpreterId {
    pub(crate) language: Language,
    /// The place of the environment among the runner's, for an interpreter that has one.
    pub(crate) environment: Option<usize>,
}

/// An interpreter that has been started once and has told what it is.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// How it runs scripts.
    pub(crate) recipe: &'static Recipe,
    pub(crate) id: InterpreterId,
    /// The executable itself, no shim.
    pub(crate) path: PathBuf,
    pub(crate) version: String,
    /// Files and folders that it reads its libraries from.
    pub(crate) files: Vec<PathBuf>,
    /// Options that not every version knows, and this one does.
    pub(crate) options: Vec<String>,
    /// What it finds in its environment, beside what every interpreter of its language finds there.
    pub(crate) variables: Vec<(&'static str, OsString)>,
    /// Memory for machine code that it maps when it starts, used or not, in bytes.
    pub(crate) code: u64,
}

impl Interpreter {
    /// The language that it runs.
    pub fn language(&self) -> Language {
        self.recipe.language
    }

    /// Whether its processes can be copies of one. Packages of an environment run with a script's rights only, and such a process
    /// has more.
    pub(crate) fn is_copyable(&self) -> bool {
        self.recipe.zygote.is_some() && self.id.environment.is_none()
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version as it says it itself: `3.11.7`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at `{}`", self.recipe.product, self.version, self.path.display())
    }
}

/// Why there is no interpreter for a language. Its text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct MissingInterpreter {
    /// The language that can't be run.
    pub language: Language,
    text: String,
}

impl MissingInterpreter {
    /// The answer where no interpreter works.
    pub(crate) fn of(recipe: &Recipe, problem: &str) -> MissingInterpreter {
        let Recipe { language, product, oldest: (major, minor), packages, .. } = recipe;
        let oldest = if *minor == 0 { major.to_string() } else { format!("{major}.{minor}") };
        let [debian, fedora, alpine] = packages;
        MissingInterpreter {
            language: *language,
            text: format!(
                "{language} scripts can't run: {problem}; install {product} {oldest} or later (Debian, Ubuntu: \
                 `apt-get install {debian}`; Fedora: `dnf install {fedora}`; Alpine: `apk add {alpine}`) or name an \
                 interpreter in the runner's settings, then restart the server"
            ),
        }
    }

    /// The answer for languages that no version of the runner has had so far.
    pub(crate) fn unsupported(language: Language) -> MissingInterpreter {
        let interpreter = match language {
            Language::Python => "python3",
            Language::JavaScript => "node",
            Language::Ruby => "ruby",
            Language::Go => "go",
            Language::Swift => "swift",
            Language::Php => "php",
        };
        let text = format!(
            "{language} scripts can't run: their interpreter is `{interpreter}`, and this version of the runner runs \
             Python and JavaScript only"
        );
        MissingInterpreter { language, text }
    }
}
