//! Questions to the kernel that have no safe wrapper.

use std::io;

use libc::{c_int, c_long, c_ulong};

/// The version of Landlock that the kernel has; below 1 there is none.
pub(super) fn landlock_abi() -> i32 {
    const VERSION: c_ulong = 1;
    // SAFETY: with this flag the kernel reads no attributes and returns a number.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0 as c_ulong, VERSION)
    };
    i32::try_from(abi).unwrap_or(0)
}

/// Whether filters exist: with a null program the kernel gets as far as reading it, or says that it has none.
pub(super) fn has_seccomp() -> bool {
    // SAFETY: the null pointer is what is asked about; the kernel answers EFAULT and installs nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_prctl,
            libc::PR_SET_SECCOMP as c_long,
            libc::SECCOMP_MODE_FILTER as c_ulong,
            std::ptr::null::<libc::sock_fprog>(),
        )
    };
    result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

/// The capabilities that the kernel knows, and whether each is in the bounding set of this process.
pub(super) fn capabilities() -> impl Iterator<Item = (c_int, bool)> {
    (0..64).map_while(|capability| {
        // SAFETY: takes a number.
        let is_there = unsafe {
            libc::syscall(
                libc::SYS_prctl,
                libc::PR_CAPBSET_READ as c_long,
                capability as c_ulong,
                0 as c_ulong,
                0 as c_ulong,
                0 as c_ulong,
            )
        };
        // There is no such capability, nor a later one.
        (is_there >= 0).then_some((capability, is_there == 1))
    })
}
