//! What a worker process gives up before it becomes an interpreter.
//!
//! A [`Sandbox`] is made once per runner and finds out what the machine offers. For each worker it makes a [`Plan`]:
//! everything that needs memory, files or thought. Between fork and exec the child only carries the plan out, with
//! raw system calls ([`child`]), because in a copy of a process with many threads nothing else is safe.
//!
//! Adding a level means: another [`Plan`], another part of [`child`]; the pool and the protocol don't change.

// The one place of the workspace that talks to the kernel directly: the calls here have no safe wrapper that may be
// used between fork and exec. Each block says why it is sound.
#![allow(unsafe_code)]

mod child;
mod identity;
mod landlock;
mod seccomp;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, getrlimit};

use crate::isolation::Isolation;
use crate::limits::Limits;

pub(crate) use identity::Identities;

/// How the workers of one runner are confined.
#[derive(Debug)]
pub(crate) struct Sandbox {
    isolation: Isolation,
    limits: Limits,
    identities: Option<Identities>,
    filter: Option<seccomp::Filter>,
}

/// Why the machine can't confine workers as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    /// No Landlock.
    #[error(
        "the kernel has no Landlock, which keeps scripts from the machine's files: Linux 5.13 or later is needed, built \
         with CONFIG_SECURITY_LANDLOCK and started with `landlock` in its `lsm=` list"
    )]
    Landlock,
    /// No seccomp filters.
    #[error(
        "the kernel has no seccomp filters, which keep scripts from starting programs and opening sockets: it must be \
         built with CONFIG_SECCOMP_FILTER, and a container must not forbid prctl(PR_SET_SECCOMP)"
    )]
    Seccomp,
    /// The filter can't be compiled.
    #[error("the system-call filter can't be made for this processor: {0}")]
    Filter(String),
}

impl Sandbox {
    /// Checks that the machine can do what `isolation` promises, for up to `workers` processes at a time.
    pub(crate) fn new(isolation: Isolation, limits: Limits, workers: u32) -> Result<Sandbox, Unavailable> {
        if isolation == Isolation::None {
            return Ok(Sandbox { isolation, limits, identities: None, filter: None });
        }
        let abi = child::landlock_abi();
        if abi < 1 {
            return Err(Unavailable::Landlock);
        }
        if !child::has_seccomp() {
            return Err(Unavailable::Seccomp);
        }
        let identities = Identities::find(workers);
        if identities.is_none() {
            tracing::warn!(
                "scripts run as the server's own user, because it is not root; Landlock and seccomp still confine them"
            );
        }
        let filter = seccomp::Filter::new(identities.is_some(), abi).map_err(Unavailable::Filter)?;
        Ok(Sandbox { isolation, limits, identities, filter: Some(filter) })
    }

    /// The user and group of the worker in seat `seat`, where workers have their own.
    pub(crate) fn owner(&self, seat: u32) -> Option<(u32, u32)> {
        self.identities.as_ref().map(|identities| identities.of(seat))
    }

    /// Whether workers are users of their own.
    pub(crate) fn has_own_users(&self) -> bool {
        self.identities.is_some()
    }

    /// The plan for one worker: `folders` are the interpreter's, `home` its own.
    pub(crate) fn plan(&self, seat: u32, folders: &[PathBuf], home: &Path) -> io::Result<Plan> {
        let confined = self.isolation >= Isolation::Process;
        let owner = self.owner(seat);
        Ok(Plan {
            parent: std::process::id(),
            limits: self.resource_limits(),
            owner,
            drop_capabilities: confined,
            landlock: if confined { Some(landlock::ruleset(folders, home)?) } else { None },
            filter: self.filter.clone(),
        })
    }

    /// A filter that the interpreter puts on itself once it has started; empty without isolation.
    pub(crate) fn lock(&self) -> Vec<u8> {
        if self.filter.is_some() { seccomp::no_other_program() } else { Vec::new() }
    }

    fn resource_limits(&self) -> Vec<(libc::c_long, libc::rlimit)> {
        let limits = &self.limits;
        let mut wanted = vec![
            (libc::RLIMIT_DATA as libc::c_long, Resource::Data, limits.memory),
            (libc::RLIMIT_AS as libc::c_long, Resource::As, limits.addresses()),
            (libc::RLIMIT_NOFILE as libc::c_long, Resource::Nofile, limits.files),
            (libc::RLIMIT_FSIZE as libc::c_long, Resource::Fsize, limits.file_size),
            (libc::RLIMIT_STACK as libc::c_long, Resource::Stack, 8 * 1024 * 1024),
            (libc::RLIMIT_CORE as libc::c_long, Resource::Core, 0),
        ];
        if self.has_own_users() {
            // The kernel counts per user: without one of its own a worker would count everything the server's user runs.
            wanted.push((libc::RLIMIT_NPROC as libc::c_long, Resource::Nproc, limits.threads));
        }
        wanted
            .into_iter()
            .map(|(number, resource, value)| {
                // Root without CAP_SYS_RESOURCE can't raise what it was started with.
                let value = getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
                (number, libc::rlimit { rlim_cur: value, rlim_max: value })
            })
            .collect()
    }
}

/// Everything that a child needs between fork and exec, prepared.
pub(crate) struct Plan {
    /// The process that forks; a child whose parent is another one has been orphaned already.
    parent: u32,
    limits: Vec<(libc::c_long, libc::rlimit)>,
    owner: Option<(u32, u32)>,
    drop_capabilities: bool,
    landlock: Option<OwnedFd>,
    filter: Option<seccomp::Filter>,
}

/// Makes `command` carry out `plan` in the child before the program starts.
pub(crate) fn confine(command: &mut Command, mut plan: Plan) {
    // SAFETY: the closure runs in the forked child. `child::enter` makes system calls only: it neither allocates nor
    // takes a lock, so the state in which other threads left this process's memory at the fork doesn't matter. `plan`
    // is owned by the closure; the child changes its own copy of it.
    unsafe {
        command.pre_exec(move || child::enter(&mut plan));
    }
}
