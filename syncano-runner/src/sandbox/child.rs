//! What happens in the child between fork and exec, and the questions to the kernel that have no safe wrapper.
//!
//! Nothing in [`enter`] allocates, locks or panics.

use std::io;
use std::os::fd::AsRawFd;

use libc::{c_int, c_long, c_ulong};

use super::Plan;

/// Carries out `plan`. A failure is also named on standard error, which the parent reads.
pub(super) fn enter(plan: &mut Plan) -> io::Result<()> {
    // SAFETY: setsid has no arguments.
    step("setsid", unsafe { libc::syscall(libc::SYS_setsid) })?;
    for (resource, limit) in &plan.limits {
        // SAFETY: `limit` outlives the call, which only reads it; the old limit isn't asked for.
        let result = unsafe {
            libc::syscall(
                libc::SYS_prlimit64,
                0 as c_long,
                *resource,
                limit as *const libc::rlimit,
                std::ptr::null_mut::<libc::rlimit>(),
            )
        };
        step("setrlimit", result)?;
    }
    // Every descriptor but the three; closed by exec rather than now, because the channel on which this process
    // reports a failed exec is among them.
    // SAFETY: no memory is involved; marking a descriptor for exec doesn't invalidate it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as c_ulong,
            c_ulong::from(u32::MAX),
            libc::CLOSE_RANGE_CLOEXEC as c_ulong,
        )
    };
    step("close_range", result)?;
    if let Some((uid, gid)) = plan.owner {
        become_user(uid, gid)?;
    }
    if plan.drop_capabilities {
        drop_capabilities(plan.owner.is_some())?;
    }
    // After the change of user, which resets it.
    prctl("PR_SET_PDEATHSIG", libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong)?;
    // SAFETY: getppid has no arguments.
    if unsafe { libc::syscall(libc::SYS_getppid) } != c_long::from(plan.parent) {
        // The server ended before it could be watched.
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    if plan.landlock.is_some() || plan.filter.is_some() {
        prctl("PR_SET_NO_NEW_PRIVS", libc::PR_SET_NO_NEW_PRIVS, 1)?;
    }
    if let Some(rules) = &plan.landlock {
        // SAFETY: `rules` is an open descriptor; no memory is involved.
        let result = unsafe {
            libc::syscall(libc::SYS_landlock_restrict_self, c_long::from(rules.as_raw_fd()), 0 as c_ulong)
        };
        step("landlock_restrict_self", result)?;
    }
    if let Some(filter) = &mut plan.filter {
        // SAFETY: getpid has no arguments.
        let pid = unsafe { libc::syscall(libc::SYS_getpid) };
        filter.fill_in(pid as u32);
        let program = libc::sock_fprog {
            len: filter.program.len() as u16,
            // The two types are both the kernel's `struct sock_filter`; the kernel only reads the program.
            filter: filter.program.as_ptr().cast_mut().cast(),
        };
        // Last: the filter forbids most of the above.
        // SAFETY: `program` and the instructions that it points to outlive the call, and `len` is their number.
        let result = unsafe {
            libc::syscall(
                libc::SYS_prctl,
                libc::PR_SET_SECCOMP as c_long,
                libc::SECCOMP_MODE_FILTER as c_ulong,
                &program as *const libc::sock_fprog,
            )
        };
        step("PR_SET_SECCOMP", result)?;
    }
    Ok(())
}

fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: an empty list of groups: the kernel reads nothing through the null pointer. The raw calls change this
    // thread only, and it is the only one of the child.
    unsafe {
        step("setgroups", libc::syscall(libc::SYS_setgroups, 0 as c_long, std::ptr::null::<libc::gid_t>()))?;
        let gid = c_ulong::from(gid);
        step("setresgid", libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        let capability_limit = 64;
        for capability in 0..capability_limit {
            // Numbers that the kernel doesn't know, or that the server itself has lost, say so.
            libc::syscall(libc::SYS_prctl, libc::PR_CAPBSET_DROP as c_long, capability as c_ulong, 0, 0, 0);
        }
        let uid = c_ulong::from(uid);
        step("setresuid", libc::syscall(libc::SYS_setresuid, uid, uid, uid))
    }
}

/// Without capabilities, now and after exec. A worker that stays root needs an empty bounding set for that.
fn drop_capabilities(bounding_set_is_empty: bool) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;

    // SAFETY: geteuid has no arguments.
    let is_root = unsafe { libc::syscall(libc::SYS_geteuid) } == 0;
    if is_root && !bounding_set_is_empty {
        for capability in 0..64 as c_ulong {
            // SAFETY: PR_CAPBSET_DROP takes numbers only.
            let result = unsafe {
                libc::syscall(libc::SYS_prctl, libc::PR_CAPBSET_DROP as c_long, capability, 0, 0, 0)
            };
            // EINVAL: there is no such capability.
            if result != 0 && io::Error::last_os_error().raw_os_error() != Some(libc::EINVAL) {
                return step("PR_CAPBSET_DROP", result);
            }
        }
    }
    // SAFETY: PR_CAP_AMBIENT takes numbers only. Kernels that lack it have nothing to clear.
    unsafe {
        libc::syscall(
            libc::SYS_prctl,
            libc::PR_CAP_AMBIENT as c_long,
            libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong,
            0,
            0,
            0,
        );
    }
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [const { Data { effective: 0, permitted: 0, inheritable: 0 } }; 2];
    // SAFETY: version 3 reads one header and two sets of data, which is what these are.
    let result = unsafe { libc::syscall(libc::SYS_capset, &header as *const Header, none.as_ptr()) };
    step("capset", result)
}

fn prctl(name: &'static str, option: c_int, value: c_ulong) -> io::Result<()> {
    // SAFETY: the options used here take a number, no pointer.
    let result =
        unsafe { libc::syscall(libc::SYS_prctl, c_long::from(option), value, 0 as c_ulong, 0 as c_ulong, 0) };
    step(name, result)
}

fn step(name: &'static str, result: c_long) -> io::Result<()> {
    if result >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // SAFETY: `name` is valid for its length. If descriptor 2 can't take it, the error number still gets through.
    unsafe { libc::syscall(libc::SYS_write, 2 as c_long, name.as_ptr(), name.len()) };
    Err(error)
}

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
