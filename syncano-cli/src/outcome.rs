//! The ends that a command can come to.

use std::process::ExitCode;

/// The exit status of the command, the same for all subcommands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The command did what it was asked to do, and found nothing wrong.
    Ok = 0,
    /// The command couldn't do it: no file, no server, no permission.
    Trouble = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `check` has findings.
    Findings = 3,
    /// `plan` has changes that break callers.
    BreaksCallers = 4,
    /// The program that reads the output has ended. A shell shows this number for a program that SIGPIPE has ended.
    ReaderGone = 141,
}

/// The table for the help text.
pub(crate) const TABLE: &str = "Exit status:
  0  all is well
  1  trouble: a file, the server or the database can't be used
  2  the command line is wrong
  3  `check` has findings
  4  `plan` has changes that break callers";

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome as u8)
    }
}
