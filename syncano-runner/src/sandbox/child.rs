//! What happens in the child between fork and exec, and the questions to the kernel that have no safe wrapper.
//!
//! Nothing in [`enter`] allocates, locks or panics.

use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd;

use libc::{c_char, c_int, c_long, c_ulong};

use super::program::MAX_STRINGS;
use super::{CHANNEL, Plan};

/// Carries out `plan`: returns only if that fails. The failure is also named on standard error, which the parent reads.
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
    open_channel(plan.channel.as_raw_fd())?;
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
    let arguments = pointers(&plan.program.arguments);
    let environment = pointers(&plan.program.environment);
    // SAFETY: the path and all the strings end with a zero, both lists with a null pointer, and all of them live for as
    // long as the call needs them.
    let result = unsafe {
        libc::syscall(libc::SYS_execve, plan.program.path.as_ptr(), arguments.as_ptr(), environment.as_ptr())
    };
    step("execve", result)
}

/// Gives the channel its number, and keeps it open. Another descriptor of that number is no loss: the last one that this
/// process still needs is the one on which it would report a failed exec, and that failure has two more witnesses.
fn open_channel(channel: c_int) -> io::Result<()> {
    let (call, argument, flags) =
        if channel == CHANNEL { (libc::SYS_fcntl, libc::F_SETFD, 0) } else { (libc::SYS_dup3, CHANNEL, 0) };
    // SAFETY: numbers only. The descriptor that CHANNEL may have been before isn't used any more.
    let result =
        unsafe { libc::syscall(call, c_long::from(channel), c_long::from(argument), flags as c_long) };
    step("dup3", result)
}

/// A list of strings as execve wants it; on the stack, since nothing may be allocated here.
fn pointers(strings: &[CString]) -> [*const c_char; MAX_STRINGS] {
    let mut pointers = [std::ptr::null(); MAX_STRINGS];
    // The last one stays null; `Program::new` has made sure that there are fewer.
    for (pointer, string) in pointers.iter_mut().take(MAX_STRINGS - 1).zip(strings) {
        *pointer = string.as_ptr();
    }
    pointers
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
