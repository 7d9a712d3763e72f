//! Standard output and error of a worker: files in memory that the server shares.
//!
//! Unlike a pipe such a file never blocks the script, needs no reader while it runs, and keeps what was written
//! when the process is killed. Their size is sealed: a script can't fill the machine's memory through them.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{FallocateFlags, MemfdFlags, OFlags, SealFlags, fcntl_getfl, fcntl_setfl};

use crate::limits;

/// Both outputs.
pub(crate) struct Outputs {
    out: File,
    err: File,
}

impl Outputs {
    /// Empty outputs.
    pub(crate) fn new() -> io::Result<Outputs> {
        // Flags that change nothing for a file in memory, and that nothing has which a script opens without meaning to: a worker
        // tells by them whether its outputs are these.
        let out = sealed_file("stdout", OFlags::NOATIME)?;
        Ok(Outputs { out, err: sealed_file("stderr", OFlags::NOATIME | OFlags::NONBLOCK)? })
    }

    /// Descriptors for the worker. They share their offsets with ours: the offset is how much was written.
    pub(crate) fn for_child(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok((self.out.try_clone()?.into(), self.err.try_clone()?.into()))
    }

    /// Whether anything was written to them since then, as far as one can tell.
    pub(crate) fn are_written(&mut self) -> bool {
        [&mut self.out, &mut self.err].into_iter().any(|file| file.stream_position().unwrap_or(0) > 0)
    }

    /// What one call wrote, and empties both for the next one.
    pub(crate) fn take(&mut self) -> io::Result<Output> {
        let (out, err) = (take_bytes(&mut self.out)?, take_bytes(&mut self.err)?);
        let is_cut = out.len() > limits::OUTPUT;
        // Of what prints without end the traceback is seen all the same.
        let reserved = if is_cut { err.len().min(limits::TRACEBACK) } else { 0 };
        let stdout = text(out, limits::OUTPUT - reserved);
        let stderr = text(err, limits::OUTPUT - stdout.len());
        Ok(Output { stdout, stderr, is_cut })
    }
}

/// What one call wrote, as text without trailing newlines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Standard output took all that there may be, and what came after that is lost.
    pub(crate) is_cut: bool,
}

fn sealed_file(name: &str, mark: OFlags) -> io::Result<File> {
    let file = File::from(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.set_len(limits::OUTPUT_FILE as u64)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    fcntl_setfl(&file, fcntl_getfl(&file)? | mark)?;
    Ok(file)
}

fn take_bytes(file: &mut File) -> io::Result<Vec<u8>> {
    let written = file.stream_position()?.min(limits::OUTPUT_FILE as u64);
    if written == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; written as usize];
    file.read_exact_at(&mut bytes, 0)?;
    rustix::fs::fallocate(&*file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, written)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(bytes)
}

/// At most `limit` bytes of text; what isn't UTF-8 is replaced, and trailing newlines go.
fn text(bytes: Vec<u8>, limit: usize) -> String {
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    if text.len() > limit {
        let end = (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn stdout_comes_first_in_the_common_limit_but_for_a_traceback() {
        let mut outputs = Outputs::new().unwrap();
        let (out, err) = outputs.for_child().unwrap();
        File::from(out).write_all(&vec![b'o'; limits::OUTPUT - 10]).unwrap();
        File::from(err).write_all(&[b'e'; 20]).unwrap();
        let taken = outputs.take().unwrap();
        assert_eq!((taken.stdout.len(), &*taken.stderr), (limits::OUTPUT - 10, "eeeeeeeeee"));
        assert!(!taken.is_cut);
        assert_eq!(outputs.take().unwrap(), Output::default());
        let (out, err) = outputs.for_child().unwrap();
        File::from(out).write_all(&vec![b'o'; limits::OUTPUT]).unwrap();
        let taken = outputs.take().unwrap();
        assert_eq!((taken.stdout.len(), taken.is_cut), (limits::OUTPUT, false));
        let (out, _) = outputs.for_child().unwrap();
        File::from(out).write_all(&vec![b'o'; limits::OUTPUT_FILE]).unwrap();
        File::from(err).write_all(&vec![b'e'; limits::OUTPUT]).unwrap();
        let taken = outputs.take().unwrap();
        assert_eq!(taken.stdout.len(), limits::OUTPUT - limits::TRACEBACK);
        assert_eq!(taken.stderr.len(), limits::TRACEBACK);
        assert!(taken.is_cut);
    }

    #[test]
    fn nothing_fits_beyond_the_limit() {
        let outputs = Outputs::new().unwrap();
        let mut out = File::from(outputs.for_child().unwrap().0);
        assert!(out.write_all(&vec![b'o'; limits::OUTPUT_FILE + 1]).is_err());
    }

    #[test]
    fn a_character_is_never_cut() {
        assert_eq!(text("ab\u{20ac}".into(), 4), "ab");
        assert_eq!(text(b"ab\xff\n\n".to_vec(), 100), "ab\u{fffd}");
    }
}
