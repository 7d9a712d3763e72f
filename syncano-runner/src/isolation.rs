//! How far a script is kept away from everything else.

use std::fmt;

/// How far a script is kept away from the machine it runs on.
///
/// | | `None` | `Process` |
/// |---|---|---|
/// | empty environment, no inherited descriptors, own session, limits, dies with the server | yes | yes |
/// | own user and group (where the server runs as root), no capabilities, nothing set-uid | no | yes |
/// | files: reads the interpreter and its libraries, writes its own temporary folder | no | yes |
/// | child processes, sockets, signals and debugging of others refused | no | yes |
///
/// At `Process` a script has no network and can't start programs, and it still shares the machine's process list,
/// memory and processor with everything else. A level of namespaces above it will lift the first and end the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
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

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isolation::None => "none",
            Isolation::Process => "process",
            Isolation::Namespace => "namespace",
        })
    }
}
