//! What a worker process gives up before it becomes an interpreter.
//!
//! A [`Sandbox`] is made once per runner and finds out what the machine offers. For each worker it makes a [`Plan`]:
//! everything that needs memory, files or thought. Between clone and exec the child only carries the plan out, with
//! raw system calls ([`child`]), because in a copy of a process with many threads nothing else is safe. What it can't do
//! for itself the parent does meanwhile ([`spawn`]); limits of a control group would be set there.

// The one place of the workspace that talks to the kernel directly: the calls here have no safe wrapper that may be
// used between fork and exec. Each block says why it is sound.
#![allow(unsafe_code)]

mod child;
mod identity;
mod landlock;
mod program;
mod root;
mod seccomp;
mod spawn;

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::{Resource, getegid, geteuid, getrlimit};

use crate::interpreter::Interpreter;
use crate::isolation::Isolation;
use crate::limits::Limits;

pub(crate) use identity::Identities;
use program::Program;
use root::Root;

/// The descriptor over which a worker speaks with the server; the bootstraps know it. Node marks those up to 15, and no
/// higher ones, as not to be inherited by what it starts (where the level lets it).
const CHANNEL: libc::c_int = 15;

/// How the workers of one runner are confined.
#[derive(Debug)]
pub(crate) struct Sandbox {
    isolation: Isolation,
    limits: Limits,
    identities: Option<Identities>,
    filter: Option<seccomp::Filter>,
    landlock_abi: i32,
    /// This process may make namespaces and mounts without a user namespace around them.
    may_administer: bool,
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
            return Ok(Sandbox {
                isolation,
                limits,
                identities: None,
                filter: None,
                landlock_abi: 0,
                may_administer: false,
            });
        }
        let abi = child::landlock_abi();
        if abi < 1 {
            return Err(Unavailable::Landlock);
        }
        if !child::has_seccomp() {
            return Err(Unavailable::Seccomp);
        }
        let identities = Identities::find(workers);
        let filter = seccomp::Filter::new(identities.is_some(), abi).map_err(Unavailable::Filter)?;
        Ok(Sandbox {
            isolation,
            limits,
            identities,
            filter: Some(filter),
            landlock_abi: abi,
            may_administer: identity::may_administer(),
        })
    }

    /// The user and group of the worker in seat `seat`, where workers have their own.
    pub(crate) fn owner(&self, seat: u32) -> Option<(u32, u32)> {
        self.identities.as_ref().map(|identities| identities.of(seat))
    }

    /// Whether this process can give workers users of their own.
    pub(crate) fn gives_own_users() -> bool {
        Identities::find(1).is_some()
    }

    /// Whether workers enter the folders above what they see as the users that they are: where this process mounts what
    /// they see, it does that before it becomes another user.
    pub(crate) fn comes_from_outside(&self) -> bool {
        self.has_own_users() && !(self.isolation >= Isolation::Namespace && self.may_administer)
    }

    /// Whether workers are users of their own.
    pub(crate) fn has_own_users(&self) -> bool {
        self.identities.is_some()
    }

    /// Starts a worker in seat `seat` as `interpreter`, and returns its process once it is one. `home` is its own folder,
    /// `channel` its end of the conversation, `standard` its standard input, output and error.
    pub(crate) fn spawn(
        &self,
        seat: u32,
        interpreter: &Interpreter,
        home: &Path,
        channel: OwnedFd,
        standard: [OwnedFd; 3],
    ) -> io::Result<OwnedFd> {
        let confined = self.isolation >= Isolation::Process;
        let owner = self.owner(seat);
        let namespaces = if self.isolation >= Isolation::Namespace {
            Some(self.namespaces(interpreter, owner, home)?)
        } else {
            None
        };
        let seen = if namespaces.is_some() { Path::new(root::FOLDER) } else { home };
        let arguments = (interpreter.recipe.arguments)(interpreter, &self.limits);
        let program = Program::new(&interpreter.path, arguments, environment(interpreter, seen))?;
        let mut filter = self.filter.clone();
        if let Some(filter) = &mut filter {
            filter.set_path_address(program.path.as_ptr() as u64);
        }
        let own_folder = namespaces.is_none().then_some(home);
        spawn::spawn(Plan {
            report: None,
            standard,
            limits: self.resource_limits(interpreter),
            home: CString::new(home.as_os_str().as_bytes())?,
            owner,
            drop_capabilities: confined,
            landlock: if confined { Some(landlock::ruleset(&interpreter.files, own_folder)?) } else { None },
            namespaces,
            channel,
            filter,
            program,
        })
    }

    fn namespaces(
        &self,
        interpreter: &Interpreter,
        owner: Option<(u32, u32)>,
        base: &Path,
    ) -> io::Result<Namespaces> {
        let ids = owner.unwrap_or_else(|| (geteuid().as_raw(), getegid().as_raw()));
        let map = (!self.may_administer).then_some(ids);
        let size = (self.limits.folder, self.limits.folder_entries);
        let root = Root::new(base, &interpreter.files, ids, size)?;
        Ok(Namespaces { map, root, own_folder: landlock::own_folder(self.landlock_abi) })
    }

    fn resource_limits(&self, interpreter: &Interpreter) -> Vec<(libc::c_long, libc::rlimit)> {
        let (limits, recipe) = (&self.limits, interpreter.recipe);
        let mut wanted = vec![
            (libc::RLIMIT_DATA as libc::c_long, Resource::Data, limits.data(interpreter.code)),
            (libc::RLIMIT_AS as libc::c_long, Resource::As, limits.addresses(recipe.reserved)),
            (libc::RLIMIT_NOFILE as libc::c_long, Resource::Nofile, limits.files),
            (libc::RLIMIT_FSIZE as libc::c_long, Resource::Fsize, limits.file_size),
            (libc::RLIMIT_STACK as libc::c_long, Resource::Stack, recipe.stack),
            (libc::RLIMIT_CORE as libc::c_long, Resource::Core, 0),
        ];
        if self.has_own_users() || (self.isolation >= Isolation::Namespace && !self.may_administer) {
            // The kernel counts per user and user namespace: without one of its own a worker would count everything that
            // the server's user runs.
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

/// What a worker has of an environment: nothing of the server's.
fn environment(interpreter: &Interpreter, home: &Path) -> Vec<(&'static str, OsString)> {
    let mut environment = vec![
        ("HOME", home.into()),
        ("TMPDIR", home.into()),
        ("LANG", "C.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        // The C library takes an arena of 64 MiB per thread.
        ("MALLOC_ARENA_MAX", "2".into()),
    ];
    environment.extend(interpreter.recipe.environment.iter().map(|&(name, value)| (name, value.into())));
    environment.extend(interpreter.variables.iter().cloned());
    environment
}

/// Everything that a child needs between clone and exec, prepared.
struct Plan {
    /// Where the child hears that it may go on, and reports what failed; set when it is started.
    report: Option<OwnedFd>,
    /// Standard input, output and error.
    standard: [OwnedFd; 3],
    limits: Vec<(libc::c_long, libc::rlimit)>,
    /// Its own folder; the working directory, where there is no other root.
    home: CString,
    owner: Option<(u32, u32)>,
    drop_capabilities: bool,
    landlock: Option<OwnedFd>,
    namespaces: Option<Namespaces>,
    /// Becomes descriptor [`CHANNEL`].
    channel: OwnedFd,
    filter: Option<seccomp::Filter>,
    program: Program,
}

/// What the level `namespace` adds.
struct Namespaces {
    /// The only user and group of the user namespace, where there is one.
    map: Option<(u32, u32)>,
    root: Root,
    /// What Landlock allows in the worker's own folder.
    own_folder: u64,
}
