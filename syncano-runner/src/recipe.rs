//! What the runner must know to run a language.

use std::ffi::OsString;
use std::fmt;

use syncano_core::Language;

use crate::interpreter::Interpreter;
use crate::limits::Limits;

/// How an interpreter is found, started and spoken to. There is one of these per language; everything else is the same
/// for all.
pub(crate) struct Recipe {
    pub(crate) language: Language,
    /// What the interpreter is called by people.
    pub(crate) product: &'static str,
    /// What the executable is called.
    pub(crate) executable: &'static str,
    /// Major and minor number of the oldest version that will do.
    pub(crate) oldest: (u32, u32),
    /// The package that has it in Debian, Fedora and Alpine.
    pub(crate) packages: [&'static str; 3],
    /// The arguments with which an interpreter tells about itself, a line each: `path` (the real executable) and
    /// `version`, then any number of `file` (read by it; folders too) and `option` (known to it), and `code` (see
    /// [`Interpreter`]).
    pub(crate) probe: &'static [&'static str],
    /// The arguments of a worker, the bootstrap included.
    pub(crate) arguments: fn(&Interpreter, &Limits) -> Vec<OsString>,
    /// The environment of a worker, beside what every worker has.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// The worker's program, which the bootstrap reads from the channel.
    pub(crate) program: &'static str,
    /// The program of a process that workers are copies of, where the language can do that.
    pub(crate) zygote: Option<ZygoteProgram>,
    /// Addresses that it reserves without using the memory, in bytes.
    pub(crate) reserved: u64,
    /// The stack of the main thread, and of others that don't say otherwise, in bytes.
    pub(crate) stack: u64,
    /// Tidies what a worker that was ended has left in standard error. True: it ran out of memory.
    pub(crate) last_words: fn(&mut String) -> bool,
}

/// What a zygote runs, and what it needs for its workers.
pub(crate) struct ZygoteProgram {
    /// The zygote's own program, which the bootstrap reads from the channel.
    pub(crate) program: &'static str,
    /// The part of a worker's program that runs before there is one.
    pub(crate) definitions: &'static str,
    /// The part that a worker begins with.
    pub(crate) start: &'static str,
}

impl fmt::Debug for Recipe {
    // Its programs are long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipe").field("product", &self.product).finish_non_exhaustive()
    }
}
