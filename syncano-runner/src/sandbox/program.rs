//! The program that a worker becomes, and the secret by which the filter knows it.
//!
//! The filter is in force before the interpreter is executed, so it must let that one call pass and none later. A filter
//! can't read paths, but it sees at which address a path lies. The interpreter's lies at an address drawn at random; exec
//! replaces the memory around it, and nothing in the new program tells where it was.

use std::ffi::{CString, OsString};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::ptr::NonNull;

use libc::{c_char, c_int, c_void};

/// Addresses among which the path's is drawn: far above what a program without a random base takes, and far below what the
/// kernel hands out by itself.
const ADDRESSES: std::ops::Range<u64> = if cfg!(target_arch = "x86_64") {
    1 << 33..1 << 45
} else {
    // Some kernels have 39 bits of them.
    1 << 33..1 << 38
};

/// What execve is called with.
pub(super) struct Program {
    pub(super) path: HiddenPath,
    pub(super) arguments: Vec<CString>,
    pub(super) environment: Vec<CString>,
}

impl Program {
    /// `arguments` come after the program's own name, which is `path`.
    pub(super) fn new(
        path: &Path,
        arguments: Vec<OsString>,
        environment: Vec<(&str, OsString)>,
    ) -> io::Result<Program> {
        let string = |text: Vec<u8>| CString::new(text).map_err(io::Error::from);
        let arguments = std::iter::once(path.as_os_str().to_owned())
            .chain(arguments)
            .map(|argument| string(argument.into_vec()))
            .collect::<io::Result<Vec<_>>>()?;
        let environment = environment
            .into_iter()
            .map(|(name, value)| string([name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Program { path: HiddenPath::new(path)?, arguments, environment })
    }
}

/// A path in memory of its own, at an address that is hard to guess.
pub(super) struct HiddenPath {
    text: NonNull<c_char>,
    pages: NonNull<c_void>,
    length: usize,
}

// SAFETY: the memory belongs to this value alone and is not written to after `new`.
unsafe impl Send for HiddenPath {}
// SAFETY: as above; sharing it means reading it.
unsafe impl Sync for HiddenPath {}

impl HiddenPath {
    fn new(path: &Path) -> io::Result<HiddenPath> {
        const PAGE: u64 = 1 << 16;
        let path = CString::new(path.as_os_str().as_bytes())?;
        let bytes = path.as_bytes_with_nul();
        // Two of the largest pages that there are, so that the path may begin anywhere in the first one.
        let length = 2 * PAGE as usize;
        if bytes.len() > PAGE as usize {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        for _ in 0..16 {
            let random = RandomState::new().hash_one(bytes);
            let address = ADDRESSES.start + random % (ADDRESSES.end - ADDRESSES.start);
            let (start, offset) = (address & !(PAGE - 1), (address & (PAGE - 1)) as usize);
            // SAFETY: new memory of nobody's: NOREPLACE leaves alone what is mapped there already.
            let pages = unsafe {
                libc::mmap(
                    start as *mut c_void,
                    length,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE,
                    -1,
                    0,
                )
            };
            if pages == libc::MAP_FAILED {
                let error = io::Error::last_os_error();
                if error.raw_os_error() == Some(libc::EEXIST) {
                    continue;
                }
                return Err(error);
            }
            let Some(pages) = NonNull::new(pages) else { continue };
            // SAFETY: `offset` is below one page and the text no longer than one, so all of it lies within the two pages
            // just mapped, which overlap nothing.
            let text = unsafe {
                let text = pages.byte_add(offset).cast::<c_char>();
                std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), text.as_ptr(), bytes.len());
                text
            };
            return Ok(HiddenPath { text, pages, length });
        }
        Err(io::Error::other("no free memory was found for the interpreter's path"))
    }

    /// For execve.
    pub(super) fn as_ptr(&self) -> *const c_char {
        self.text.as_ptr()
    }
}

impl Drop for HiddenPath {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length; nothing else points into it.
        let result: c_int = unsafe { libc::munmap(self.pages.as_ptr(), self.length) };
        debug_assert_eq!(result, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn every_path_lies_elsewhere_and_is_whole() {
        let paths: Vec<_> =
            (0..50).map(|_| HiddenPath::new(Path::new("/usr/bin/interpreter")).unwrap()).collect();
        let mut addresses: Vec<_> = paths.iter().map(|path| path.as_ptr() as u64).collect();
        assert!(addresses.iter().all(|address| ADDRESSES.contains(address)));
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 50);
        for path in &paths {
            // SAFETY: `path` lives, and ends with a zero.
            let text = unsafe { CStr::from_ptr(path.as_ptr()) };
            assert_eq!(text, c"/usr/bin/interpreter");
        }
    }
}
