//! What a worker gives up, each as steps of a plan. Their order is [`super::Sandbox`]'s.

use std::ffi::CStr;

use libc::{c_int, c_long, c_ulong};
use rustix::process::geteuid;

use super::CALLS;
use super::kernel;
use super::plan::{ANY_ERROR, Argument, Open, Plan};
use super::program::Program;
use super::seccomp::Filter;

/// A user and a group.
pub(super) type Owner = (u32, u32);

/// Standard input, output and error.
pub(super) fn standard(plan: &mut Plan, descriptors: [Open; 3]) {
    for (descriptor, to) in descriptors.into_iter().zip(0..) {
        plan.call("dup3", libc::SYS_dup3, [descriptor.into(), Argument::Number(to), 0.into()]);
    }
}

/// A session of its own.
pub(super) fn session(plan: &mut Plan) {
    plan.call("setsid", libc::SYS_setsid, []);
    plan.call("umask", libc::SYS_umask, [0o022.into()]);
}

/// Doesn't interrupt the server when it wakes up: it waits for an idle processor, or until whoever runs has had its share.
pub(super) fn give_way(plan: &mut Plan) {
    let no_priority = [0u64];
    // What it costs to do without is time only.
    plan.call_or(
        ANY_ERROR,
        "sched_setscheduler",
        libc::SYS_sched_setscheduler,
        [0.into(), libc::SCHED_BATCH.into(), no_priority.as_slice().into()],
    );
}

/// Signals as a new process has them: none blocked, and a broken pipe not ignored (Rust's programs ignore it).
pub(super) fn signals(plan: &mut Plan) {
    // The kernel's own `struct sigaction`, which is no larger on any processor: all zero is the default.
    let default = [0u64; 8];
    let size = size_of::<u64>().into();
    plan.call(
        "sigaction",
        libc::SYS_rt_sigaction,
        [libc::SIGPIPE.into(), default.as_slice().into(), 0.into(), size],
    );
    let none = [0u64];
    plan.call(
        "sigprocmask",
        libc::SYS_rt_sigprocmask,
        [libc::SIG_SETMASK.into(), none.as_slice().into(), 0.into(), size],
    );
}

pub(super) fn limits(plan: &mut Plan, limits: &[(c_long, u64)]) {
    for &(resource, limit) in limits {
        // What is in force, and how far it may be raised.
        let limit = [limit, limit];
        plan.call(
            "setrlimit",
            libc::SYS_prlimit64,
            [0.into(), resource.into(), limit.as_slice().into(), 0.into()],
        );
    }
}

/// Has every descriptor but the three closed by exec: not at once, because that on which the process reports what failed
/// is among them.
pub(super) fn close_at_exec(plan: &mut Plan) {
    plan.call(
        "close_range",
        libc::SYS_close_range,
        [3.into(), u32::MAX.into(), libc::CLOSE_RANGE_CLOEXEC.into()],
    );
}

/// Waits until the server has done what a process can't do for itself.
pub(super) fn wait_for_server(plan: &mut Plan, report: Argument<'_>) {
    let byte = plan.room(1);
    let read = plan.call("wait for the server", libc::SYS_read, [report, byte.into(), 1.into()]);
    // None: it is gone.
    plan.at_least(read, 1);
}

/// No program that is executed from now on has a capability.
pub(super) fn drop_bounding_set(plan: &mut Plan) {
    for (capability, _) in kernel::capabilities() {
        // Those that the server itself has lost can't be lost again.
        prctl_or(plan, ANY_ERROR, "PR_CAPBSET_DROP", libc::PR_CAPBSET_DROP, capability as c_ulong);
    }
}

/// Becomes `owner`, and nobody else later.
pub(super) fn change_user(plan: &mut Plan, (uid, gid): Owner) {
    plan.call("setgroups", libc::SYS_setgroups, [0.into(), 0.into()]);
    plan.call("setresgid", libc::SYS_setresgid, [gid.into(); 3]);
    plan.call("setresuid", libc::SYS_setresuid, [uid.into(); 3]);
}

/// Without capabilities, now and after exec. One that stays root (it hasn't an `owner`) needs an empty bounding set for that.
pub(super) fn drop_capabilities(plan: &mut Plan, owner: Option<Owner>, has_user_namespace: bool) {
    if owner.is_none() && geteuid().is_root() {
        for (capability, is_bounding) in kernel::capabilities() {
            // In a new user namespace all of them are there again. One that is gone takes no right to drop.
            if is_bounding || has_user_namespace {
                prctl(plan, "PR_CAPBSET_DROP", libc::PR_CAPBSET_DROP, capability as c_ulong);
            }
        }
    }
    // Kernels that lack the ambient ones have nothing to clear.
    let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong;
    prctl_or(plan, ANY_ERROR, "PR_CAP_AMBIENT", libc::PR_CAP_AMBIENT, clear);
    // A version and a process number (this one's), then the effective, permitted and inheritable ones: 32 bits each, twice.
    const VERSION_3: u64 = 0x2008_0522;
    let (header, none) = ([VERSION_3], [0u64; 3]);
    plan.call("capset", libc::SYS_capset, [header.as_slice().into(), none.as_slice().into()]);
}

/// Dies with the server's thread that started it. After the change of user, which resets it.
pub(super) fn die_with_server(plan: &mut Plan, report: Argument<'_>) {
    prctl(plan, "PR_SET_PDEATHSIG", libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong);
    // It may be gone before it could be watched. In a PID namespace nothing tells who the parent is, but the other end
    // of the socket is closed then: there is no byte (which would be fine), and not none yet either.
    let byte = plan.room(1);
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let peek = plan.call_or(
        libc::EAGAIN,
        "wait for the server",
        libc::SYS_recvfrom,
        [report, byte.into(), 1.into(), flags.into(), 0.into(), 0.into()],
    );
    plan.at_least(peek, 1);
}

/// Gains nothing by executing programs. The two that follow ask for it.
pub(super) fn no_new_privileges(plan: &mut Plan) {
    prctl(plan, "PR_SET_NO_NEW_PRIVS", libc::PR_SET_NO_NEW_PRIVS, 1);
}

/// Reaches the files that `rules` name, and `folders` that the child has made, for which they have room, each in the ways beside it.
pub(super) fn files(plan: &mut Plan, rules: Open, folders: &[(&CStr, u64)]) {
    for &(folder, access) in folders {
        const PATH_BENEATH: i32 = 1;
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let here = libc::AT_FDCWD.into();
        let folder = plan.call("open", libc::SYS_openat, [here, folder.into(), flags.into(), 0.into()]);
        // The kernel's `struct landlock_path_beneath_attr`: what is allowed, and where.
        let rule = plan.words(&[access, 0]);
        plan.write_result(folder, rule, size_of::<u64>());
        plan.call(
            "landlock_add_rule",
            libc::SYS_landlock_add_rule,
            [rules.into(), PATH_BENEATH.into(), rule.into(), 0.into()],
        );
        plan.call("close", libc::SYS_close, [folder.into()]);
    }
    plan.call("landlock_restrict_self", libc::SYS_landlock_restrict_self, [rules.into(), 0.into()]);
}

/// Gives what the worker speaks over its number, and keeps it open. Another descriptor of that number isn't needed any more.
pub(super) fn keep(plan: &mut Plan, descriptor: Open, number: c_int) {
    // It may be the very one.
    plan.call_or(libc::EINVAL, "dup3", libc::SYS_dup3, [descriptor.into(), number.into(), 0.into()]);
    plan.call("fcntl", libc::SYS_fcntl, [number.into(), libc::F_SETFD.into(), 0.into()]);
}

/// Closes every descriptor but the three, the two for the conversation and `report`, which comes next to those.
pub(super) fn close_others(plan: &mut Plan, report: c_int) {
    for (first, last) in [(3, CALLS as u32 - 1), (report as u32 + 1, u32::MAX)] {
        plan.call("close_range", libc::SYS_close_range, [first.into(), last.into(), 0.into()]);
    }
}

/// Says which user and group the only ones of its new user namespace are: the one that it is. `proc` is a `/proc` that the
/// process is in.
pub(super) fn map_itself(plan: &mut Plan, proc: Open, (uid, gid): Owner) {
    let own = |id: u32| format!("{id} {id} 1");
    for (file, text) in [
        // Who may not change groups outside may set this map only after giving that up inside.
        (c"self/setgroups", "deny".to_owned()),
        (c"self/uid_map", own(uid)),
        (c"self/gid_map", own(gid)),
    ] {
        let flags = (libc::O_WRONLY | libc::O_CLOEXEC).into();
        let opened =
            plan.call("open the user map", libc::SYS_openat, [proc.into(), file.into(), flags, 0.into()]);
        let bytes = plan.bytes(text.as_bytes()).into();
        plan.call("write the user map", libc::SYS_write, [opened.into(), bytes, text.len().into()]);
        plan.call("close", libc::SYS_close, [opened.into()]);
    }
}

/// Makes no other system calls than `filter` lets pass. It forbids most of the above, so it comes last.
pub(super) fn filter(plan: &mut Plan, filter: &Filter) {
    let pid = plan.call("getpid", libc::SYS_getpid, []);
    let instructions = plan.words(&filter.words());
    for offset in filter.pid_offsets() {
        plan.write_result(pid, instructions, offset);
    }
    // The kernel's `struct sock_fprog`: how many there are, and where.
    let program = plan.words(&[filter.len() as u64, 0]);
    plan.link(program, 1, instructions);
    plan.call(
        "PR_SET_SECCOMP",
        libc::SYS_prctl,
        [libc::PR_SET_SECCOMP.into(), libc::SECCOMP_MODE_FILTER.into(), program.into(), 0.into(), 0.into()],
    );
}

/// Becomes `program`.
pub(super) fn exec(plan: &mut Plan, program: &Program) {
    let arguments = plan.texts(program.arguments.iter().map(|text| &**text));
    let environment = plan.texts(program.environment.iter().map(|text| &**text));
    // Not a copy: the filter knows the path by its address.
    let path = program.path.as_ptr() as u64;
    plan.call("execve", libc::SYS_execve, [path.into(), arguments.into(), environment.into()]);
}

fn prctl(plan: &mut Plan, name: &'static str, option: c_int, value: c_ulong) {
    prctl_or(plan, 0, name, option, value);
}

fn prctl_or(plan: &mut Plan, error: i32, name: &'static str, option: c_int, value: c_ulong) {
    plan.call_or(error, name, libc::SYS_prctl, [option.into(), value.into(), 0.into(), 0.into(), 0.into()]);
}
