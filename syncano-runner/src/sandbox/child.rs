//! What happens in the child between clone and exec, and the questions to the kernel that have no safe wrapper.
//!
//! Nothing in [`run`] allocates, locks or panics.

use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd;

use libc::{c_char, c_int, c_long, c_uint, c_ulong};

use super::program::MAX_STRINGS;
use super::{CHANNEL, Namespaces, Plan, network};

/// What the parent says when the child may go on.
pub(super) const GO: u8 = 1;

/// A step that failed, and the kernel's number for why.
pub(super) struct Failure {
    step: &'static str,
    error: c_int,
}

/// Carries out `plan`; if that fails, says so on the plan's `report` and ends.
pub(super) fn run(plan: &mut Plan) -> ! {
    let Err(Failure { step, error }) = enter(plan);
    if let Some(report) = &plan.report {
        let (report, number) = (report.as_raw_fd(), error.to_ne_bytes());
        // SAFETY: both are valid for their lengths. If nobody reads them there is nobody left to tell.
        unsafe {
            libc::syscall(libc::SYS_write, report, number.as_ptr(), number.len());
            libc::syscall(libc::SYS_write, report, step.as_ptr(), step.len());
        }
    }
    loop {
        // SAFETY: takes a number, and doesn't return.
        unsafe { libc::syscall(libc::SYS_exit_group, 127 as c_long) };
    }
}

fn enter(plan: &mut Plan) -> Result<std::convert::Infallible, Failure> {
    let report = plan.report.as_ref().map_or(-1, AsRawFd::as_raw_fd);
    for (from, to) in plan.standard.iter().zip(0 as c_int..) {
        // SAFETY: numbers only; what this process had there before isn't used any more.
        step("dup3", unsafe { libc::syscall(libc::SYS_dup3, from.as_raw_fd(), to, 0 as c_long) })?;
    }
    // SAFETY: setsid has no arguments.
    step("setsid", unsafe { libc::syscall(libc::SYS_setsid) })?;
    reset_signals()?;
    // SAFETY: a number.
    step("umask", unsafe { libc::syscall(libc::SYS_umask, 0o022 as c_long) })?;
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
    // Every descriptor but the three; closed by exec rather than now, because the one on which this process reports
    // what failed is among them.
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
    wait_for_parent(report)?;
    match &plan.namespaces {
        None => {
            // SAFETY: a path that ends with a zero.
            step("chdir", unsafe { libc::syscall(libc::SYS_chdir, plan.home.as_ptr()) })?;
            change_user(plan.owner)?;
        }
        Some(namespaces) if namespaces.map.is_some() => {
            // In a user namespace nobody has the server's own user, who could make no files there. There is no root in it
            // either, whose loss would take the capabilities along.
            change_user(plan.owner)?;
            furnish(namespaces, report)?;
        }
        Some(namespaces) => {
            furnish(namespaces, report)?;
            change_user(plan.owner)?;
        }
    }
    if plan.drop_capabilities {
        drop_capabilities(plan.owner.is_some())?;
    }
    // After the change of user, which resets it.
    prctl("PR_SET_PDEATHSIG", libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong)?;
    if parent_is_gone(report) {
        // Before it could be watched.
        return Err(Failure { step: "wait for the server", error: libc::ESRCH });
    }
    if plan.landlock.is_some() || plan.filter.is_some() {
        prctl("PR_SET_NO_NEW_PRIVS", libc::PR_SET_NO_NEW_PRIVS, 1)?;
    }
    if let Some(rules) = &plan.landlock {
        let rules = rules.as_raw_fd();
        if let Some(namespaces) = &plan.namespaces {
            add_rule(rules, namespaces.own_folder)?;
        }
        // SAFETY: `rules` is an open descriptor; no memory is involved.
        let result =
            unsafe { libc::syscall(libc::SYS_landlock_restrict_self, c_long::from(rules), 0 as c_ulong) };
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
    step("execve", result)?;
    Err(Failure { step: "execve", error: libc::EINVAL })
}

/// Makes new namespaces tell nothing of the machine.
fn furnish(namespaces: &Namespaces, report: c_int) -> Result<(), Failure> {
    network::open(report)?;
    namespaces.root.enter()?;
    let name = b"syncano-script";
    // SAFETY: `name` is valid for its length.
    step("sethostname", unsafe { libc::syscall(libc::SYS_sethostname, name.as_ptr(), name.len()) })
}

/// As a new process has them: none blocked, and a broken pipe not ignored (Rust's programs ignore it).
fn reset_signals() -> Result<(), Failure> {
    // The kernel's own `struct sigaction`, which is no larger on any processor: all zero is the default.
    let default = [0u64; 8];
    let none = 0u64;
    // SAFETY: both are valid for what the kernel reads, and outlive the calls; the old values aren't asked for.
    unsafe {
        let old = std::ptr::null_mut::<u64>();
        let result =
            libc::syscall(libc::SYS_rt_sigaction, libc::SIGPIPE, default.as_ptr(), old, size_of::<u64>());
        step("sigaction", result)?;
        let result = libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &none as *const u64,
            old,
            size_of::<u64>(),
        );
        step("sigprocmask", result)
    }
}

/// Until it has done what a process can't do for itself.
fn wait_for_parent(report: c_int) -> Result<(), Failure> {
    let mut byte = 0u8;
    // SAFETY: `byte` has room for the one byte that is asked for.
    let result = unsafe { libc::syscall(libc::SYS_read, report, &mut byte as *mut u8, 1 as c_ulong) };
    step("read", result)?;
    if byte == GO { Ok(()) } else { Err(Failure { step: "wait for the server", error: libc::ESRCH }) }
}

/// Whether the other end has been closed. (In a PID namespace nothing tells who the parent is.)
fn parent_is_gone(report: c_int) -> bool {
    let mut byte = 0u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let nobody = std::ptr::null_mut::<u8>();
    // SAFETY: `byte` has room for the one byte that is asked for; the sender's address isn't.
    let result = unsafe {
        libc::syscall(libc::SYS_recvfrom, report, &mut byte as *mut u8, 1 as c_ulong, flags, nobody, nobody)
    };
    result == 0
}

/// Lets the worker use its own folder, which is its working directory by now.
fn add_rule(rules: c_int, access: u64) -> Result<(), Failure> {
    /// The kernel's `struct landlock_path_beneath_attr`.
    #[repr(C, packed)]
    struct PathBeneath {
        access: u64,
        folder: c_int,
    }
    const PATH_BENEATH: c_long = 1;
    // SAFETY: a path that ends with a zero.
    let folder = unsafe {
        libc::syscall(
            libc::SYS_openat,
            libc::AT_FDCWD,
            c".".as_ptr(),
            libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC,
            0 as c_uint,
        )
    };
    step("open", folder)?;
    let rule = PathBeneath { access, folder: folder as c_int };
    // SAFETY: `rule` outlives the call, which only reads it; `rules` and `folder` are open. The latter is closed by exec.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            c_long::from(rules),
            PATH_BENEATH,
            &rule as *const PathBeneath,
            0 as c_ulong,
        )
    };
    step("landlock_add_rule", result)
}

/// Gives the channel its number, and keeps it open. Another descriptor of that number isn't needed any more: the one on
/// which this process reports has a higher one.
fn open_channel(channel: c_int) -> Result<(), Failure> {
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

fn change_user(owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let Some((uid, gid)) = owner else { return Ok(()) };
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
fn drop_capabilities(bounding_set_is_empty: bool) -> Result<(), Failure> {
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
            // One that is gone already takes no right to drop.
            // SAFETY: PR_CAPBSET_READ and PR_CAPBSET_DROP take numbers only.
            let result = unsafe {
                match libc::syscall(libc::SYS_prctl, libc::PR_CAPBSET_READ as c_long, capability, 0, 0, 0) {
                    1 => libc::syscall(libc::SYS_prctl, libc::PR_CAPBSET_DROP as c_long, capability, 0, 0, 0),
                    other => other,
                }
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

fn prctl(name: &'static str, option: c_int, value: c_ulong) -> Result<(), Failure> {
    // SAFETY: the options used here take a number, no pointer.
    let result =
        unsafe { libc::syscall(libc::SYS_prctl, c_long::from(option), value, 0 as c_ulong, 0 as c_ulong, 0) };
    step(name, result)
}

pub(super) fn step(step: &'static str, result: c_long) -> Result<(), Failure> {
    if result >= 0 {
        return Ok(());
    }
    Err(Failure { step, error: io::Error::last_os_error().raw_os_error().unwrap_or(0) })
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
