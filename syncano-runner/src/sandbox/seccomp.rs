//! Which system calls a worker may make.
//!
//! What is refused says EPERM, which an interpreter turns into an ordinary exception. Calls newer than this list say
//! ENOSYS, as they would on an older kernel; that covers the x32 calls of x86-64 too, whose numbers are far above.

use std::collections::BTreeMap;

use libc::*;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

/// The last system call that has been looked at (`mseal`). From 424 on numbers are the same on every processor.
const LAST_KNOWN: u32 = 462;

/// Stands for the worker's own process id, which only the child knows.
const OWN_PID: u32 = 0x5ea7_0d1d;

/// Stands for the address of the interpreter's path, see [`super::program`].
const PATH_ADDRESS: u64 = 0x5ea7_0d1e_5ea7_0d1f;

/// A compiled filter.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    program: BpfProgram,
    path_address_at: [Vec<usize>; 2],
}

impl Filter {
    /// `own_user`: the worker is a user of its own. `landlock_abi`: what Landlock can refuse. `executes`: it has yet to become
    /// the interpreter. `has_network`: it has a network of its own.
    pub(super) fn new(
        own_user: bool,
        landlock_abi: i32,
        executes: bool,
        has_network: bool,
    ) -> Result<Filter, String> {
        let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
        let rules =
            rules(own_user, landlock_abi, executes, has_network).map_err(|error| error.to_string())?;
        let mut program = first_instructions();
        program.extend(search(rules, arch).map_err(|error| error.to_string())?);
        let all = |k| (0..program.len()).filter(|&at| program[at].k == k).collect();
        let path_address_at = [all(PATH_ADDRESS as u32), all((PATH_ADDRESS >> 32) as u32)];
        Ok(Filter { program, path_address_at })
    }

    /// This filter, for the address of the one path that may be executed.
    pub(super) fn with_path_address(&self, address: u64) -> Filter {
        let mut filter = self.clone();
        for (places, k) in self.path_address_at.iter().zip([address as u32, (address >> 32) as u32]) {
            places.iter().for_each(|&at| filter.program[at].k = k);
        }
        filter
    }

    /// How many instructions it has.
    pub(super) fn len(&self) -> usize {
        self.program.len()
    }

    /// The instructions as the kernel wants them, each one a `struct sock_filter`.
    pub(super) fn words(&self) -> Vec<u64> {
        let word = |instruction: &sock_filter| {
            let mut bytes = [0; 8];
            bytes[..2].copy_from_slice(&instruction.code.to_ne_bytes());
            bytes[2..4].copy_from_slice(&[instruction.jt, instruction.jf]);
            bytes[4..].copy_from_slice(&instruction.k.to_ne_bytes());
            u64::from_ne_bytes(bytes)
        };
        self.program.iter().map(word).collect()
    }

    /// Where the worker's process id belongs, in bytes from the first instruction.
    pub(super) fn pid_offsets(&self) -> impl Iterator<Item = usize> {
        let places = self.program.iter().enumerate().filter(|(_, instruction)| instruction.k == OWN_PID);
        places.map(|(at, _)| 8 * at + 4)
    }
}

/// Unknown calls don't exist, and neither does clone3, whose flags lie in memory where no filter can see them: a C
/// library without it uses clone.
fn first_instructions() -> BpfProgram {
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let no_such_call = SECCOMP_RET_ERRNO | ENOSYS as u32;
    vec![
        instruction((BPF_LD | BPF_W | BPF_ABS) as u16, 0, 0, 0),
        instruction((BPF_JMP | BPF_JGT | BPF_K) as u16, 1, 0, LAST_KNOWN),
        instruction((BPF_JMP | BPF_JEQ | BPF_K) as u16, 0, 1, SYS_clone3 as u32),
        instruction((BPF_RET | BPF_K) as u16, 0, 0, no_such_call),
    ]
}

/// A filter for these rules that finds the one for a call by halves. The kernel carries a new filter out once for each call
/// that there is, to know which need not be looked at; with one rule after the other that took 0.4 ms for each worker.
fn search(mut rules: Rules, arch: TargetArch) -> Fallible<BpfProgram> {
    /// So many rules are looked at one after the other.
    const FEW: usize = 6;
    let middle = rules.keys().nth(rules.len() / 2).copied();
    let Some(middle) = middle.filter(|_| rules.len() > FEW) else {
        let refuse = SeccompAction::Errno(EPERM as u32);
        return SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into();
    };
    let upper = search(rules.split_off(&middle), arch)?;
    let lower = search(rules, arch)?;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let mut program = vec![
        instruction((BPF_LD | BPF_W | BPF_ABS) as u16, 0, 0, 0),
        instruction((BPF_JMP | BPF_JGE | BPF_K) as u16, 0, 1, middle as u32),
        instruction((BPF_JMP | BPF_JA) as u16, 0, 0, lower.len() as u32),
    ];
    program.extend(lower);
    program.extend(upper);
    Ok(program)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Fallible<T> = Result<T, seccompiler::BackendError>;

fn rules(own_user: bool, landlock_abi: i32, executes: bool, has_network: bool) -> Fallible<Rules> {
    let mut rules: Rules = REFUSED.iter().map(|&call| (call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend(REFUSED_X86_64.iter().map(|&call| (call, Vec::new())));
    if !own_user {
        rules.extend(ATTRIBUTES.iter().map(|&call| (call, Vec::new())));
    }
    if !own_user && !has_network {
        // Landlock doesn't look at these, and the files of the server's user are ours too. In a root of its own, the level that
        // also has a network, all that is the server's can't be written to anyway.
        rules.extend(OWNERS_MODES_AND_TIMES.iter().map(|&call| (call, Vec::new())));
        #[cfg(target_arch = "x86_64")]
        rules.extend(
            [SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat].map(|c| (c, Vec::new())),
        );
    }
    if landlock_abi < 3 {
        rules.insert(SYS_truncate, Vec::new());
    }

    // New threads, never new processes, and no namespaces on the way.
    let mut clone = vec![when([masked(0, CLONE_THREAD as u64, 0)?])?];
    for flag in
        [CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET]
    {
        clone.push(when([masked(0, flag as u64, flag as u64)?])?);
    }
    rules.insert(SYS_clone, clone);

    // The interpreter, once: no other program takes its place. (One started by a second thread would also lose the wish
    // to die with the server.)
    let another = SeccompCondition::new(0, Width::Qword, Is::Ne, PATH_ADDRESS)?;
    rules.insert(SYS_execve, if executes { vec![when([another])?] } else { Vec::new() });

    // Pairs of stream sockets, which can't be connected elsewhere; event loops wake themselves through one.
    let pair = vec![
        when([number(0, Is::Ne, AF_UNIX as u32)?])?,
        when([masked(1, 0xf, SOCK_DGRAM as u64)?])?,
        when([masked(1, 0xf, SOCK_RAW as u64)?])?,
        when([masked(1, 0xf, SOCK_SEQPACKET as u64)?])?,
    ];
    rules.insert(SYS_socketpair, pair);

    if has_network {
        // Sockets that can be connected to the proxy, which is all there is: TCP over IPv4.
        rules.insert(SYS_socket, tcp_only()?);
        rules.remove(&SYS_connect);
        // Doors into the kernel, and what lets a program into it.
        let options = [
            (IPPROTO_TCP, 19 /* TCP_REPAIR */),
            (IPPROTO_TCP, 31 /* TCP_ULP */),
            (SOL_SOCKET, SO_ATTACH_FILTER),
            (SOL_SOCKET, SO_ATTACH_BPF),
            (SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
            (SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF),
            (SOL_SOCKET, SO_ZEROCOPY),
        ];
        let option =
            |(level, option)| when([number(1, Is::Eq, level as u32)?, number(2, Is::Eq, option as u32)?]);
        rules.insert(SYS_setsockopt, options.into_iter().map(option).collect::<Fallible<_>>()?);
    }

    // Signals to itself only.
    for call in [SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo] {
        rules.insert(call, vec![when([number(0, Is::Ne, OWN_PID)?])?]);
    }
    // A descriptor's owner gets signals, and any process can be named as the owner.
    let owner = [F_SETOWN as u32, 10 /* F_SETSIG */, 15 /* F_SETOWN_EX */];
    // Files that others read too can't be held against who would write to them, nor folders be watched; and pipes stay small.
    let of_files = [F_SETLEASE as u32, F_NOTIFY as u32, F_SETPIPE_SZ as u32];
    rules.insert(
        SYS_fcntl,
        owner
            .iter()
            .chain(&of_files)
            .map(|&command| when([number(1, Is::Eq, command)?]))
            .collect::<Fallible<_>>()?,
    );
    // FIOSETOWN and SIOCSPGRP do the same; TIOCSTI types on a terminal; FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR change a file
    // that is open for reading only.
    let requests = [0x8901, 0x8902, TIOCSTI as u32, 0x4008_6602, 0x401c_5820];
    rules.insert(
        SYS_ioctl,
        requests.iter().map(|&request| when([number(1, Is::Eq, request)?])).collect::<Fallible<_>>()?,
    );
    // Memory shared with nobody is still shared memory, which no limit of a process counts.
    let shared = (MAP_SHARED | MAP_ANONYMOUS) as u64;
    rules.insert(SYS_mmap, vec![when([masked(3, shared, shared)?])?]);
    // It dies with the server. And no memory of its is merged with equal memory of others, which could be measured.
    const PR_SET_MEMORY_MERGE: u32 = 67;
    let options = [PR_SET_PDEATHSIG as u32, PR_SET_MM as u32, PR_SET_MEMORY_MERGE];
    rules.insert(
        SYS_prctl,
        options.iter().map(|&option| when([number(0, Is::Eq, option)?])).collect::<Fallible<_>>()?,
    );
    rules.insert(SYS_madvise, vec![when([number(2, Is::Eq, MADV_MERGEABLE as u32)?])?]);

    // Limits and priorities of itself only.
    for (call, argument) in [
        (SYS_prlimit64, 0),
        (SYS_sched_setaffinity, 0),
        (SYS_sched_setscheduler, 0),
        (SYS_sched_setparam, 0),
        (SYS_sched_setattr, 0),
        (SYS_setpriority, 1),
        (SYS_ioprio_set, 1),
        (SYS_setpgid, 0),
    ] {
        rules.insert(call, vec![when([number(argument, Is::Ne, 0)?, number(argument, Is::Ne, OWN_PID)?])?]);
    }
    // Whole groups and users, whatever the number beside it.
    rules.entry(SYS_setpriority).or_default().push(when([number(0, Is::Ne, 0 /* PRIO_PROCESS */)?])?);
    rules.entry(SYS_ioprio_set).or_default().push(when([number(
        0,
        Is::Ne,
        1, /* IOPRIO_WHO_PROCESS */
    )?])?);
    Ok(rules)
}

/// What is refused of socket(2).
fn tcp_only() -> Fallible<Vec<SeccompRule>> {
    let kind = |mask: i32, value: i32| when([masked(1, mask as u64, value as u64)?]);
    Ok(vec![
        when([number(0, Is::Ne, AF_INET as u32)?])?,
        // Bit by bit, other kinds than 1.
        kind(1, 0)?,
        kind(2, 2)?,
        kind(4, 4)?,
        kind(8, 8)?,
        when([number(2, Is::Ne, 0)?, number(2, Is::Ne, IPPROTO_TCP as u32)?])?,
    ])
}

fn when<const N: usize>(conditions: [SeccompCondition; N]) -> Fallible<SeccompRule> {
    SeccompRule::new(conditions.into())
}

fn number(argument: u8, is: Is, value: u32) -> Fallible<SeccompCondition> {
    SeccompCondition::new(argument, Width::Dword, is, value.into())
}

fn masked(argument: u8, mask: u64, value: u64) -> Fallible<SeccompCondition> {
    SeccompCondition::new(argument, Width::Qword, Is::MaskedEq(mask), value)
}

/// Refused whatever the arguments.
const REFUSED: &[i64] = &[
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_kcmp,
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_get_robust_list,
    SYS_execveat,
    // Sockets other than pairs.
    SYS_socket,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    // Memory that no limit counts, and objects that outlive the process.
    SYS_memfd_create,
    SYS_memfd_secret,
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semop,
    SYS_semctl,
    SYS_semtimedop,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
    SYS_mq_notify,
    SYS_timer_create,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_mlock,
    SYS_mlock2,
    SYS_mlockall,
    // Doors into the kernel that scripts have no use for.
    SYS_bpf,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_setup,
    SYS_userfaultfd,
    SYS_perf_event_open,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    SYS_seccomp,
    SYS_personality,
    SYS_vmsplice,
    SYS_remap_file_pages,
    // Namespaces, mounts, the machine.
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_move_mount,
    SYS_open_tree,
    SYS_mount_setattr,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_swapon,
    SYS_swapoff,
    SYS_reboot,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_acct,
    SYS_syslog,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_vhangup,
    SYS_nfsservctl,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    // Other users.
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_X86_64: &[i64] = &[
    SYS_fork,
    SYS_vfork,
    SYS_inotify_init,
    SYS_kexec_file_load,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_uselib,
    SYS__sysctl,
    SYS_sysfs,
    SYS_ustat,
    SYS_lookup_dcookie,
];

/// Change files by their names, or through descriptors that are open for reading only.
const OWNERS_MODES_AND_TIMES: &[i64] = &[
    SYS_fchmodat,
    452, // fchmodat2
    SYS_fchownat,
    SYS_fchmod,
    SYS_fchown,
    SYS_utimensat,
];

/// The same for what few programs use.
const ATTRIBUTES: &[i64] =
    &[SYS_fsetxattr, SYS_fremovexattr, SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr];
