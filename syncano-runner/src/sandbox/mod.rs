//! What a worker process gives up before it becomes an interpreter.
//!
//! A [`Sandbox`] is made once per runner and finds out what the machine offers. For each worker it makes a [`Plan`]:
//! a list of system calls that took memory, files and thought to make ([`confine`], [`root`]). Between clone and exec the
//! child only carries it out ([`child`]), because in a copy of a process with many threads nothing else is safe. What it
//! can't do for itself the parent does meanwhile ([`spawn`]); limits of a control group would be set there.

// The one place of the workspace that talks to the kernel directly: the calls here have no safe wrapper that may be
// used between fork and exec. Each block says why it is sound.
#![allow(unsafe_code)]

mod child;
mod confine;
mod identity;
mod kernel;
mod landlock;
mod network;
mod plan;
mod program;
mod root;
mod seccomp;
mod spawn;
mod zygote;

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::process::{Resource, getegid, geteuid, getrlimit};

use crate::interpreter::Interpreter;
use crate::isolation::Isolation;
use crate::limits::Limits;
use crate::network::PORT;

pub(crate) use identity::Identities;
use landlock::Readable;
use plan::Plan;
use program::Program;
use root::{Root, text};
pub(crate) use spawn::Spawned;
use spawn::{Map, Start};
pub(crate) use zygote::Zygote;

/// The descriptor over which a worker speaks with the server; the bootstraps know it. Node marks those up to 15, and no
/// higher ones, as not to be inherited by what it starts (where the level lets it).
const CHANNEL: libc::c_int = 15;

/// The descriptor from which it takes its calls; below the channel's.
const CALLS: libc::c_int = CHANNEL - 1;

/// A worker's ends of what it speaks with the server over.
pub(crate) struct Conversation {
    /// The channel: answers, and what is no call, or a large one.
    pub(crate) channel: OwnedFd,
    /// Where calls come from.
    pub(crate) calls: OwnedFd,
}

/// How the workers of one runner are confined.
#[derive(Debug)]
pub(crate) struct Sandbox {
    isolation: Isolation,
    limits: Limits,
    identities: Option<Identities>,
    filter: Option<seccomp::Filter>,
    /// For copies of a zygote, which are the interpreter already.
    filter_without_exec: Option<seccomp::Filter>,
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
                filter_without_exec: None,
                landlock_abi: 0,
                may_administer: false,
            });
        }
        let abi = kernel::landlock_abi();
        if abi < 1 {
            return Err(Unavailable::Landlock);
        }
        if !kernel::has_seccomp() {
            return Err(Unavailable::Seccomp);
        }
        let identities = Identities::find(workers);
        let has_network = isolation >= Isolation::Namespace;
        let filter = |executes| seccomp::Filter::new(identities.is_some(), abi, executes, has_network);
        let filters = filter(true).and_then(|with| Ok((with, filter(false)?)));
        let (filter, filter_without_exec) = filters.map_err(Unavailable::Filter)?;
        Ok(Sandbox {
            isolation,
            limits,
            identities,
            filter: Some(filter),
            filter_without_exec: Some(filter_without_exec),
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

    /// Whether workers have a root of their own, and their folder in it.
    pub(crate) fn gives_own_roots(&self) -> bool {
        self.isolation >= Isolation::Namespace
    }

    /// Starts a worker in seat `seat` as `interpreter`, and returns it once it is one. `home` is its own folder, or any
    /// folder where it has a root of its own; `conversation` is its ends of what it speaks over, `standard` its standard input,
    /// output and error.
    pub(crate) fn spawn(
        &self,
        seat: u32,
        interpreter: &Interpreter,
        home: &Path,
        conversation: Conversation,
        standard: [OwnedFd; 3],
    ) -> io::Result<Spawned> {
        let has_namespaces = self.isolation >= Isolation::Namespace;
        let owner = self.owner(seat);
        let own = owner.unwrap_or_else(|| (geteuid().as_raw(), getegid().as_raw()));
        let map =
            (has_namespaces && !self.may_administer).then_some(Map { user: own, is_other: owner.is_some() });
        let seen = if has_namespaces { Path::new(root::FOLDER) } else { home };
        let arguments = (interpreter.recipe.arguments)(interpreter, &self.limits);
        let program =
            Program::new(&interpreter.path, arguments, environment(interpreter, seen, self.isolation))?;

        let mut plan = Plan::default();
        let (theirs, ours) = spawn::report()?;
        let theirs_number = theirs.as_raw_fd();
        let report = plan.bring(theirs).into();
        let standard = standard.map(|descriptor| plan.bring(descriptor));
        confine::standard(&mut plan, standard);
        confine::session(&mut plan);
        confine::give_way(&mut plan);
        confine::signals(&mut plan);
        confine::limits(&mut plan, &self.resource_limits(interpreter));
        confine::close_at_exec(&mut plan);
        confine::wait_for_server(&mut plan, report);
        if map.is_some()
            && let Some(owner) = owner
        {
            // In a user namespace nobody has the server's own user, who could make no files there. There is no root in it
            // either, whose loss would take the capabilities along.
            confine::drop_bounding_set(&mut plan);
            confine::change_user(&mut plan, owner);
        }
        if has_namespaces {
            Root::new(home, &interpreter.files, [own])?.enter(&mut plan);
            self.furnish(&mut plan, own, report)?;
        } else {
            plan.call("chdir", libc::SYS_chdir, [text(home)?.as_c_str().into()]);
        }
        if map.is_none()
            && let Some(owner) = owner
        {
            confine::drop_bounding_set(&mut plan);
            confine::change_user(&mut plan, owner);
        }
        let own_folder = (!has_namespaces).then_some(home);
        let readable = Readable::open(&interpreter.files);
        self.give_up(&mut plan, &readable, owner, map.is_some(), report, own_folder)?;
        // Out of the way of the channel's number.
        let calls = plan.bring(rustix::io::fcntl_dupfd_cloexec(&conversation.calls, CHANNEL + 1)?);
        let channel = plan.bring(conversation.channel);
        confine::keep(&mut plan, channel, CHANNEL);
        confine::keep(&mut plan, calls, CALLS);
        if let Some(filter) = &self.filter {
            confine::filter(&mut plan, &filter.with_path_address(program.path.as_ptr() as u64));
        }
        confine::exec(&mut plan, &program);
        spawn::spawn(Start {
            plan,
            report: (theirs_number, ours),
            namespaces: if has_namespaces { spawn::NAMESPACES } else { 0 },
            map,
            program,
        })
    }

    /// What new namespaces lack: a way to the server's proxy, a folder to write to, and a name for the machine.
    fn furnish(&self, plan: &mut Plan, own: confine::Owner, report: plan::Argument<'_>) -> io::Result<()> {
        network::open(plan, report);
        root::own_folder(plan, own, (self.limits.folder, self.limits.folder_entries))?;
        let bytes = plan.bytes(root::MACHINE.as_bytes()).into();
        plan.call("sethostname", libc::SYS_sethostname, [bytes, root::MACHINE.len().into()]);
        Ok(())
    }

    /// Rights that are lost once and for all, and files: but for those that are `readable`, and its own folder, which is
    /// `folder` or the working directory.
    fn give_up(
        &self,
        plan: &mut Plan,
        readable: &Readable,
        owner: Option<confine::Owner>,
        has_user_namespace: bool,
        report: plan::Argument<'_>,
        folder: Option<&Path>,
    ) -> io::Result<()> {
        let confined = self.isolation >= Isolation::Process;
        if confined {
            confine::drop_capabilities(plan, owner, has_user_namespace);
        }
        confine::die_with_server(plan, report);
        if confined {
            confine::no_new_privileges(plan);
            let has_network = self.isolation >= Isolation::Namespace;
            let rules = plan.bring(landlock::ruleset(readable, folder, has_network)?);
            // Its root is made in the child.
            let made = [
                (c".", landlock::own_folder(self.landlock_abi)),
                (root::MADE_SETTINGS, landlock::settings()),
            ];
            confine::files(plan, rules, if folder.is_none() { &made } else { &[] });
        }
        Ok(())
    }

    fn resource_limits(&self, interpreter: &Interpreter) -> Vec<(libc::c_long, u64)> {
        let (limits, recipe) = (&self.limits, interpreter.recipe);
        let mut wanted = vec![
            (libc::RLIMIT_DATA as libc::c_long, Resource::Data, limits.data(interpreter.code)),
            (libc::RLIMIT_AS as libc::c_long, Resource::As, limits.addresses(recipe.reserved)),
            (libc::RLIMIT_NOFILE as libc::c_long, Resource::Nofile, limits.files),
            (libc::RLIMIT_FSIZE as libc::c_long, Resource::Fsize, limits.file_size),
            (libc::RLIMIT_STACK as libc::c_long, Resource::Stack, recipe.stack),
            (libc::RLIMIT_CORE as libc::c_long, Resource::Core, 0),
            // No priority before others.
            (libc::RLIMIT_NICE as libc::c_long, Resource::Nice, 0),
            (libc::RLIMIT_RTPRIO as libc::c_long, Resource::Rtprio, 0),
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
                (number, value)
            })
            .collect()
    }
}

/// By which programs find the proxy. Some know the ones, some the others.
const PROXY_VARIABLES: [&str; 6] =
    ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// What a worker has of an environment: nothing of the server's.
fn environment(
    interpreter: &Interpreter,
    home: &Path,
    isolation: Isolation,
) -> Vec<(&'static str, OsString)> {
    let mut environment = vec![
        ("HOME", home.into()),
        ("TMPDIR", home.into()),
        ("LANG", "C.UTF-8".into()),
        ("USER", root::USER.into()),
        ("LOGNAME", root::USER.into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        // The C library takes an arena of 64 MiB per thread.
        ("MALLOC_ARENA_MAX", "2".into()),
    ];
    match isolation {
        Isolation::Namespace => {
            let proxy = format!("http://127.0.0.1:{PORT}");
            environment.extend(PROXY_VARIABLES.map(|name| (name, OsString::from(&proxy))));
        }
        // For the worker's program, so that it can say so.
        Isolation::Process => environment.push(("SYNCANO_NETWORK", "none".into())),
        Isolation::None => {}
    }
    environment.extend(interpreter.recipe.environment.iter().map(|&(name, value)| (name, value.into())));
    environment.extend(interpreter.variables.iter().cloned());
    environment
}
