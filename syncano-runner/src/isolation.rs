//! How far a script is kept away from everything else.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How far a script is kept away from the machine it runs on.
///
/// | | `None` | `Process` | `Namespace` |
/// |---|---|---|---|
/// | empty environment, no inherited descriptors, own session, limits, dies with the server | yes | yes | yes |
/// | own user and group (where the server runs as root), no capabilities, nothing set-uid | no | yes | yes |
/// | files: reads the interpreter and its libraries, writes its own temporary folder | no | yes | yes |
/// | child processes, sockets but TCP to the proxy, signals and debugging of others refused | no | yes | yes |
/// | a network | the machine's | none | through the server's proxy |
/// | own root: the machine's other files, processes and name are out of sight | no | no | yes |
/// | own processes, network, message queues and control groups: nothing to reach, were it not refused | no | no | yes |
/// | the temporary folder is in memory, its size and its number of files limited | no | no | yes |
///
/// At none of the last two can a script start programs; at both it shares the machine's memory and
/// processors with everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Isolation {
    /// Nothing that needs the kernel's help: scripts may do what the server's user may do. For one's own scripts only.
    None,
    /// Landlock, seccomp and, where the server runs as root, a user for each worker.
    #[default]
    Process,
    /// Beside that, namespaces of its own and a root that has the interpreter's files and nothing else.
    Namespace,
}

impl Isolation {
    const ALL: [Isolation; 3] = [Isolation::None, Isolation::Process, Isolation::Namespace];

    /// Its name: `none`, `process`, `namespace`.
    pub fn as_str(self) -> &'static str {
        match self {
            Isolation::None => "none",
            Isolation::Process => "process",
            Isolation::Namespace => "namespace",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no level of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use none, process or namespace")]
pub struct UnknownIsolation;

impl FromStr for Isolation {
    type Err = UnknownIsolation;

    fn from_str(word: &str) -> Result<Isolation, UnknownIsolation> {
        Isolation::ALL.into_iter().find(|level| level.as_str() == word).ok_or(UnknownIsolation)
    }
}

/// What a runner was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Exactly(Isolation),
    AtLeast(Isolation),
}

impl Wanted {
    pub(crate) fn least(self) -> Isolation {
        match self {
            Wanted::Exactly(level) | Wanted::AtLeast(level) => level,
        }
    }

    pub(crate) fn allows(self, level: Isolation) -> bool {
        match self {
            Wanted::Exactly(exactly) => level == exactly,
            Wanted::AtLeast(least) => level >= least,
        }
    }
}
