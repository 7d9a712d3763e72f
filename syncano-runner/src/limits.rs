//! What a script may use.

use std::time::Duration;

use crate::isolation::Isolation;

/// Standard output and error of one call together, in bytes.
pub(crate) const OUTPUT: usize = 512 * 1024;

/// What each of the two files holds: what is more shows that something is left out. Whole pages of any size, since the kernel
/// doesn't write to a part of one.
pub(crate) const OUTPUT_FILE: usize = OUTPUT + 64 * 1024;

/// Of these, what standard error gets however much the script has printed, in bytes: a failure shows where.
pub(crate) const TRACEBACK: usize = 64 * 1024;

/// The body of one answer, in bytes.
pub(crate) const ANSWER: usize = 6 * 1024 * 1024;

/// The head of one answer (status, type and headers as JSON), in bytes; [`crate::Response`] has the finer limits.
pub(crate) const HEAD: usize = 64 * 1024;

/// One call's arguments and metadata, in bytes. The server's own limits are far below.
pub(crate) const REQUEST: usize = 64 * 1024 * 1024;

/// From SIGINT, which lets a script show where it stands, to SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// For an interpreter to start in.
pub(crate) const START: Duration = Duration::from_secs(20);

/// The limits of one worker process that the kernel enforces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Private memory in bytes.
    pub(crate) memory: u64,
    /// Threads; enforced where the worker has a user of its own.
    pub(crate) threads: u64,
    /// Open files.
    pub(crate) files: u64,
    /// The size of one file in bytes.
    pub(crate) file_size: u64,
    /// Bytes in the temporary folder; enforced from the level `namespace` on.
    pub(crate) folder: u64,
    /// Files and folders in it; likewise.
    pub(crate) folder_entries: u64,
}

impl Limits {
    /// What `RLIMIT_DATA` counts: the memory, and the `code` that an interpreter maps whether it has any or not.
    pub(crate) fn data(&self, code: u64) -> u64 {
        self.memory.saturating_add(code)
    }

    /// All the memory that a process can take at a level of isolation, with `code` as above.
    pub(crate) fn of_process(&self, code: u64, isolation: Isolation) -> u64 {
        // Elsewhere it is on a disk.
        let folder = if isolation >= Isolation::Namespace { self.folder } else { 0 };
        self.data(code).saturating_add(folder)
    }

    /// All addresses of the process (`RLIMIT_AS`). Shared mappings are not private memory: without a limit on
    /// addresses one of them takes the whole machine. `reserved` is what the interpreter and its threads reserve and
    /// don't use.
    pub(crate) fn addresses(&self, reserved: u64) -> u64 {
        self.memory.saturating_mul(2).saturating_add(reserved)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 200 * 1024 * 1024,
            threads: 32,
            files: 1024,
            file_size: 50_000_000,
            folder: 50_000_000,
            folder_entries: 5_000,
        }
    }
}
