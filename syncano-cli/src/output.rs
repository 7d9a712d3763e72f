//! Everything that commands write to standard output and standard error.
//!
//! The macros of the standard library panic where nobody reads any more, so clippy refuses them in this program.

use std::fmt::{self, Display};
use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

use crate::outcome::Outcome;

/// The program that was reading the output has ended.
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

impl std::error::Error for ReaderGone {}

/// Writes the text to standard output as it is, line ends included.
///
/// The error is [`ReaderGone`] where nobody reads it: commands pass it on and end without a word.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Tells people something on standard error. Where nobody reads that, there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes what clap answers in place of a command: help, the version, or what is wrong with the command line.
pub(crate) fn answer(answer: &clap::Error) -> anyhow::Result<Outcome> {
    let is_wrong = answer.use_stderr();
    let done = answer.print();
    if is_wrong {
        return Ok(Outcome::Usage);
    }
    written(done)?;
    Ok(Outcome::Ok)
}

fn written(done: io::Result<()>) -> anyhow::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        done => done.context("standard output can't be written"),
    }
}
