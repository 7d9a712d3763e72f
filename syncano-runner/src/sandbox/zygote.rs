//! Workers that are copies of a process which has loaded the interpreter already.
//!
//! A [`Zygote`] has a root of its own, the one that its workers get, and nothing else of a sandbox. It is no process 1, so a
//! copy of it can be made the server's own child (`CLONE_PARENT`), in namespaces of its own. The copy carries out a
//! plan like any other worker; what it need not do is to make a root and to execute a program.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use rustix::process::{getegid, geteuid};

use super::landlock::Readable;
use super::plan::Plan;
use super::program::Program;
use super::root::{FOLDER, Root};
use super::spawn::{self, Map, Spawned, Start};
use super::{CALLS, CHANNEL, Conversation, Sandbox, confine, environment};
use crate::interpreter::Interpreter;
use crate::isolation::Isolation;
use crate::limits;
use crate::protocol;
use crate::recipe::ZygoteProgram;

/// Where the copies report: `python/zygote.py` puts the descriptor there.
const REPORT: libc::c_int = CHANNEL + 1;

/// Some processors take the last two arguments of clone in the other order.
const IS_BACKWARDS: bool = !cfg!(target_arch = "x86_64");

/// A process that makes workers. Dropping it ends it, and none of them.
#[derive(Debug)]
pub(crate) struct Zygote {
    process: OwnedFd,
    control: UnixStream,
    is_ready: bool,
    /// What its copies may read.
    readable: Readable,
}

impl Sandbox {
    /// Whether workers can be copies. Below that level they share the machine's processes and folders, which is too
    /// close. Root without the right to administer has one user outside for each worker, whom no zygote could name.
    pub(crate) fn has_zygotes(&self) -> bool {
        self.isolation >= Isolation::Namespace && (self.may_administer || self.identities.is_none())
    }

    /// Starts a zygote, which then gets ready by itself. `base` is any folder, `standard` its standard input, output, error.
    pub(crate) fn spawn_zygote(
        &self,
        interpreter: &Interpreter,
        program: &ZygoteProgram,
        base: &Path,
        standard: [OwnedFd; 3],
    ) -> io::Result<Zygote> {
        let (control, theirs) = UnixStream::pair()?;
        let arguments = (interpreter.recipe.arguments)(interpreter, &self.limits);
        let executed = Program::new(
            &interpreter.path,
            arguments,
            environment(interpreter, Path::new(FOLDER), self.isolation),
        )?;
        let mut plan = Plan::default();
        let (report, ours) = spawn::report()?;
        let number = report.as_raw_fd();
        let report = plan.bring(report).into();
        let standard = standard.map(|descriptor| plan.bring(descriptor));
        confine::standard(&mut plan, standard);
        confine::session(&mut plan);
        confine::signals(&mut plan);
        confine::close_at_exec(&mut plan);
        confine::wait_for_server(&mut plan, report);
        let users: Vec<_> = match &self.identities {
            Some(identities) => identities.all().collect(),
            None => vec![(geteuid().as_raw(), getegid().as_raw())],
        };
        Root::new(base, &interpreter.files, users)?.enter(&mut plan);
        confine::die_with_server(&mut plan, report);
        let channel = plan.bring(theirs.into());
        confine::keep(&mut plan, channel, CHANNEL);
        confine::exec(&mut plan, &executed);
        let Spawned { process, .. } = spawn::spawn(Start {
            plan,
            report: (number, ours),
            namespaces: libc::CLONE_NEWNS,
            map: self.own_map(),
            program: executed,
        })?;
        let readable = Readable::open(&interpreter.files);
        let mut zygote = Zygote { process, control, is_ready: false, readable };
        // One that doesn't answer must not keep the server from starting workers.
        zygote.control.set_read_timeout(Some(limits::START))?;
        zygote.control.set_write_timeout(Some(limits::START))?;
        let numbers = [libc::SYS_clone as u32, libc::SYS_prctl as u32, u32::from(IS_BACKWARDS)];
        let mut frames = protocol::program(program.program);
        frames.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        frames.extend(protocol::program(program.definitions));
        frames.extend(protocol::program(program.start));
        // Once for all copies; as late as this, since it would have lost them by becoming the interpreter. In a user
        // namespace of their own they have another one.
        let mut last = Plan::default();
        if self.may_administer {
            confine::drop_bounding_set(&mut last);
        }
        let last = last.encode();
        frames.extend((last.len() as u32).to_le_bytes());
        frames.extend(last);
        zygote.control.write_all(&frames)?;
        Ok(zygote)
    }

    /// Has `zygote` make a worker in seat `seat`; see [`Sandbox::spawn`].
    pub(crate) fn spawn_from(
        &self,
        zygote: &mut Zygote,
        seat: u32,
        interpreter: &Interpreter,
        conversation: Conversation,
        standard: [OwnedFd; 3],
    ) -> io::Result<Spawned> {
        let (owner, map) = (self.owner(seat), self.own_map());
        let own = owner.unwrap_or_else(|| (geteuid().as_raw(), getegid().as_raw()));
        let mut plan = Plan::default();
        let (theirs, mut ours) = spawn::report()?;
        // The first one, as the zygote expects it.
        plan.bring(theirs);
        let report = REPORT.into();
        let standard = standard.map(|descriptor| plan.bring(descriptor));
        confine::standard(&mut plan, standard);
        confine::session(&mut plan);
        confine::give_way(&mut plan);
        confine::limits(&mut plan, &self.resource_limits(interpreter));
        if map.is_some() {
            let proc = plan.bring(std::fs::File::open("/proc")?.into());
            confine::map_itself(&mut plan, proc, own);
        }
        confine::wait_for_server(&mut plan, report);
        self.furnish(&mut plan, own, report)?;
        if let Some(owner) = owner {
            // Its user is the machine's, so it has the zygote's bounding set.
            confine::change_user(&mut plan, owner);
        }
        self.give_up(&mut plan, &zygote.readable, owner, map.is_some(), report, None)?;
        // In the place of the zygote's own.
        for (ours, number) in [(conversation.channel, CHANNEL), (conversation.calls, CALLS)] {
            let ours = plan.bring(ours).into();
            // It may be the very one; nothing is executed from here on.
            plan.call_or(libc::EINVAL, "dup3", libc::SYS_dup3, [ours, number.into(), libc::O_CLOEXEC.into()]);
        }
        confine::close_others(&mut plan, REPORT);
        if let Some(filter) = &self.filter_without_exec {
            confine::filter(&mut plan, filter);
        }
        // Which tells us that it is a worker now.
        plan.call("close", libc::SYS_close, [report]);
        let user = map.map_or(0, |_| libc::CLONE_NEWUSER);
        let flags = spawn::NAMESPACES | user | libc::CLONE_PARENT | libc::CLONE_PIDFD | libc::SIGCHLD;
        // There is nothing that it would have to wait for. (Limits of a control group would be set before this.)
        spawn::go_on(&mut ours)?;
        let process = zygote.copy(&plan, flags)?;
        let names = plan.into_names();
        ours.set_read_timeout(Some(limits::START))?;
        spawn::heard(process, spawn::hear(&names, &mut ours))
    }

    fn own_map(&self) -> Option<Map> {
        let user = (geteuid().as_raw(), getegid().as_raw());
        (!self.may_administer).then_some(Map { user, is_other: false })
    }
}

impl Zygote {
    /// Whether it can make workers by now. The error: it never will.
    pub(crate) fn is_ready(&mut self) -> io::Result<bool> {
        if !self.is_ready {
            self.control.set_nonblocking(true)?;
            let result = self.wait();
            self.control.set_nonblocking(false)?;
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => result?,
            }
        }
        Ok(self.is_ready)
    }

    /// Waits until it can.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        if !self.is_ready {
            self.control.read_exact(&mut [0; 1])?;
            self.is_ready = true;
        }
        Ok(())
    }

    /// A copy in new namespaces, which has yet to carry out `plan`.
    fn copy(&mut self, plan: &Plan, flags: libc::c_int) -> io::Result<OwnedFd> {
        let encoded = plan.encode();
        let mut header = (encoded.len() as u32).to_le_bytes().to_vec();
        header.extend((flags as u64).to_le_bytes());
        let descriptors: Vec<_> = plan.descriptors().iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        if !rights.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(io::Error::other("a worker has more descriptors than a zygote takes"));
        }
        sendmsg(&self.control, &[IoSlice::new(&header)], &mut rights, SendFlags::NOSIGNAL)?;
        self.control.write_all(&encoded)?;

        let mut answer = [0; 8];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut answer)];
        let received = recvmsg(&self.control, &mut slices, &mut rights, RecvFlags::CMSG_CLOEXEC)?;
        let descriptor = rights.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        match (received.bytes, i64::from_le_bytes(answer), descriptor) {
            (8, 1.., Some(descriptor)) => Ok(descriptor),
            (8, error @ ..=0, _) => {
                let error = io::Error::from_raw_os_error(i32::try_from(-error).unwrap_or(libc::EINVAL));
                Err(spawn::failed("clone into new namespaces", &error))
            }
            _ => Err(io::Error::other("the process that workers are copies of has ended")),
        }
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        spawn::end(&self.process);
    }
}
