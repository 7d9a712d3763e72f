//! What there is for a language, or why there is nothing.

use syncano_core::Language;

/// Why there is no interpreter for a language. Its text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct MissingInterpreter {
    /// The language that can't be run.
    pub language: Language,
    text: String,
}

impl MissingInterpreter {
    /// The answer where no Python works.
    pub(crate) fn python(problem: &str) -> MissingInterpreter {
        MissingInterpreter {
            language: Language::Python,
            text: format!(
                "Python scripts can't run: {problem}; install Python 3.8 or later (Debian, Ubuntu: `apt-get install \
                 python3`; Fedora: `dnf install python3`; Alpine: `apk add python3`) or name an interpreter in the \
                 runner's settings, then restart the server"
            ),
        }
    }

    /// The answer for languages that no version of the runner has had so far.
    pub(crate) fn unsupported(language: Language) -> MissingInterpreter {
        let text = format!("{language} scripts can't run yet: this version of the runner has Python only");
        MissingInterpreter { language, text }
    }
}
