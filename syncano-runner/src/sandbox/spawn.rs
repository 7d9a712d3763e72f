//! Starts a process by a plan, and hears from it until it has become an interpreter.

use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, c_long, c_ulong};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::child::{self, GO};
use super::{CHANNEL, Plan};

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

/// Starts the process, and returns it once it is the interpreter. The error names the step that failed.
pub(super) fn spawn(mut plan: Plan) -> io::Result<Spawned> {
    let (mut ours, theirs) = UnixStream::pair()?;
    // Out of the way of the channel's number.
    plan.report = Some(rustix::io::fcntl_dupfd_cloexec(&theirs, CHANNEL + 1)?);
    drop(theirs);
    let mut flags = libc::SIGCHLD | libc::CLONE_PIDFD;
    let namespaces = plan.namespaces.as_ref().map(|namespaces| namespaces.map);
    if let Some(map) = namespaces {
        flags |= NAMESPACES | if map.is_some() { libc::CLONE_NEWUSER } else { 0 };
    }
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
        0 => child::run(&mut plan),
        1.. => {}
        _ => {
            let error = io::Error::last_os_error();
            let step = if namespaces.is_some() { "clone into new namespaces" } else { "fork" };
            return Err(failed(step, &error));
        }
    }
    // SAFETY: the kernel has just made this descriptor for us, and nothing else knows of it.
    let process = unsafe { OwnedFd::from_raw_fd(descriptor) };
    let owned = plan.owner.is_some();
    // The child's ends of everything: it must see when ours are closed.
    drop(plan);
    match hear(pid, namespaces.flatten(), owned, &mut ours) {
        Ok(listener) => Ok(Spawned { process, listener }),
        Err(error) => {
            let _ = pidfd_send_signal(&process, Signal::KILL);
            let _ = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED);
            Err(error)
        }
    }
}

/// Lets the child go on, and waits until it has closed its end, which exec does, or said what failed. Where it has a network
/// it sends the socket that it is reached by first, with a byte of its own.
fn hear(
    pid: c_long,
    map: Option<(u32, u32)>,
    owned: bool,
    child: &mut UnixStream,
) -> io::Result<Option<OwnedFd>> {
    if let Some(ids) = map {
        write_maps(pid, ids, owned)?;
    }
    child.write_all(&[GO])?;
    let (mut report, listener) = receive(child)?;
    child.read_to_end(&mut report)?;
    let Some((number, step)) = report.split_first_chunk() else { return Ok(listener) };
    let error = io::Error::from_raw_os_error(i32::from_ne_bytes(*number));
    Err(failed(&String::from_utf8_lossy(step), &error))
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

/// Which user and group the only ones of the child's user namespace are. The child can't say so itself once it has changed
/// its user.
fn write_maps(pid: c_long, (uid, gid): (u32, u32), owned: bool) -> io::Result<()> {
    let write = |file: &str, text: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, text).map_err(|error| failed(&format!("write {file}"), &error))
    };
    if !owned {
        // Who may not change groups outside may set this map only after giving that up inside.
        write("setgroups", "deny")?;
    }
    write("uid_map", &format!("{uid} {uid} 1"))?;
    write("gid_map", &format!("{gid} {gid} 1"))
}

fn failed(step: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step} failed: {error}"))
}
