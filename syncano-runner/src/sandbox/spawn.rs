//! Starts a process by a plan, and hears from it until it has become an interpreter.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, c_long, c_ulong};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::confine::Owner;
use super::plan::Plan;
use super::program::Program;
use super::{CHANNEL, child};

/// A namespace of each kind that there is but users.
pub(super) const NAMESPACES: c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// A process to be started.
pub(super) struct Start {
    pub(super) plan: Plan,
    /// Where it hears that it may go on and reports what failed: the plan's own end, and ours.
    pub(super) report: (c_int, UnixStream),
    /// The namespaces of its own.
    pub(super) namespaces: c_int,
    /// The only user and group of its user namespace, where it has one.
    pub(super) map: Option<Map>,
    /// The program that the plan ends with.
    pub(super) program: Program,
}

/// The one user and group of a user namespace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Map {
    pub(super) user: Owner,
    /// It isn't the server's own.
    pub(super) is_other: bool,
}

/// Says what the process is to hear and report on, out of the way of the channel's number.
pub(super) fn report() -> io::Result<(OwnedFd, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok((rustix::io::fcntl_dupfd_cloexec(&theirs, CHANNEL + 1)?, ours))
}

/// Starts the process, and returns its descriptor once it is the interpreter. The error names the step that failed.
pub(super) fn spawn(start: Start) -> io::Result<OwnedFd> {
    let Start { mut plan, report: (theirs, mut ours), namespaces, map, program } = start;
    plan.settle();
    let flags = libc::SIGCHLD | libc::CLONE_PIDFD | namespaces | map.map_or(0, |_| libc::CLONE_NEWUSER);
    let mut descriptor: c_int = -1;
    // SAFETY: without CLONE_VM the child gets a copy of this thread's memory, as from fork, and no stack of its own is
    // needed. The kernel writes the number of the new descriptor through the third argument, which outlives the call.
    // The child only ever runs `child::run`, which makes system calls and neither allocates nor takes a lock, so the
    // state in which other threads left the copied memory doesn't matter; it doesn't return.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags as c_ulong,
            0 as c_ulong,
            &mut descriptor as *mut c_int,
            0 as c_ulong,
            0 as c_ulong,
        )
    };
    match pid {
        0 => child::run(&mut plan, theirs),
        1.. => {}
        _ => {
            let error = io::Error::last_os_error();
            let step = if namespaces == 0 { "fork" } else { "clone into new namespaces" };
            return Err(failed(step, &error));
        }
    }
    // SAFETY: the kernel has just made this descriptor for us, and nothing else knows of it.
    let process = unsafe { OwnedFd::from_raw_fd(descriptor) };
    drop(program);
    // The child's ends of everything: it must see when ours are closed.
    let names = plan.into_names();
    match hear(pid, map, &names, &mut ours) {
        Ok(()) => Ok(process),
        Err(error) => {
            let _ = pidfd_send_signal(&process, Signal::KILL);
            let _ = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED);
            Err(error)
        }
    }
}

/// Lets the child go on, and waits until it has closed its end, which exec does, or said what failed.
fn hear(pid: c_long, map: Option<Map>, names: &[&str], child: &mut UnixStream) -> io::Result<()> {
    if let Some(map) = map {
        write_map(pid, map)?;
    }
    child.write_all(&[0])?;
    let mut report = Vec::new();
    child.read_to_end(&mut report)?;
    if report.is_empty() {
        return Ok(());
    }
    let number = |at: usize| report.get(at..)?.first_chunk().copied();
    let (Some(error), Some(step)) = (number(0), number(4)) else {
        return Err(io::Error::other("the new process ended before it was a worker"));
    };
    let step = names.get(u32::from_ne_bytes(step) as usize).copied().unwrap_or("execve");
    Err(failed(step, &io::Error::from_raw_os_error(i32::from_ne_bytes(error))))
}

/// The child can't do so itself once it has changed its user.
fn write_map(pid: c_long, Map { user: (uid, gid), is_other }: Map) -> io::Result<()> {
    let write = |file: &str, text: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, text).map_err(|error| failed(&format!("write {file}"), &error))
    };
    if !is_other {
        // Who may not change groups outside may set this map only after giving that up inside.
        write("setgroups", "deny")?;
    }
    write("uid_map", &format!("{uid} {uid} 1"))?;
    write("gid_map", &format!("{gid} {gid} 1"))
}

fn failed(step: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step} failed: {error}"))
}
