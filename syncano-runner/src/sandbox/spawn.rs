//! Starts a process by a plan, and hears from it until it has become an interpreter.

use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, c_long, c_ulong};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::confine::Owner;
use super::plan::Plan;
use super::program::Program;
use super::{CHANNEL, child};

/// A process that has become an interpreter.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) process: OwnedFd,
    /// The socket by which it reaches the server, if it has a network: it listens in there.
    pub(crate) listener: Option<OwnedFd>,
}

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

/// Starts the process, and returns it once it is the interpreter. The error names the step that failed.
pub(super) fn spawn(start: Start) -> io::Result<Spawned> {
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
    let mapped = map.map_or(Ok(()), |map| write_map(pid, map));
    let go_on = mapped.and_then(|()| go_on(&mut ours));
    heard(process, go_on.and_then(|()| hear(&names, &mut ours)))
}

/// Lets the child go on with what it does after waiting for the server.
pub(super) fn go_on(child: &mut UnixStream) -> io::Result<()> {
    child.write_all(&[0])
}

/// The process, if it has become a worker; else it is ended.
pub(super) fn heard(process: OwnedFd, result: io::Result<Option<OwnedFd>>) -> io::Result<Spawned> {
    match result {
        Ok(listener) => Ok(Spawned { process, listener }),
        Err(error) => {
            end(&process);
            Err(error)
        }
    }
}

/// Kills a process and waits until it is gone.
pub(super) fn end(process: &OwnedFd) {
    let _ = pidfd_send_signal(process, Signal::KILL);
    let _ = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED);
}

/// Waits until the child has closed its end, which is the last it does, or said what failed. One that has a network first
/// sends the socket by which it is reached.
pub(super) fn hear(names: &[&str], child: &mut UnixStream) -> io::Result<Option<OwnedFd>> {
    let (mut report, listener) = receive(child)?;
    child.read_to_end(&mut report)?;
    if report.is_empty() {
        return Ok(listener);
    }
    let number = |at: usize| report.get(at..)?.first_chunk().copied();
    let (Some(error), Some(step)) = (number(0), number(4)) else {
        return Err(io::Error::other("the new process ended before it was a worker"));
    };
    let step = names.get(u32::from_ne_bytes(step) as usize).copied().unwrap_or("execve");
    Err(failed(step, &io::Error::from_raw_os_error(i32::from_ne_bytes(error))))
}

/// What the child says first: a socket with a byte, or the beginning of what failed, or nothing.
fn receive(child: &UnixStream) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut bytes = [0; 64];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(child, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let carrier = usize::from(descriptor.is_some());
    Ok((bytes[..received.bytes].get(carrier..).unwrap_or_default().to_vec(), descriptor))
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

pub(super) fn failed(step: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step} failed: {error}"))
}
