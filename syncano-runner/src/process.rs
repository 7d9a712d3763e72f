//! A worker's process from its start to its end.
//!
//! Two threads look after processes. The first one starts them: a process dies with the *thread* that forked it
//! (`PR_SET_PDEATHSIG`), so that thread must live as long as the runner. The second one reaps them, removes their
//! folders and gives their seats back, however they ended.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::sync::oneshot;

use crate::directory::Directory;
use crate::interpreter::Interpreter;
use crate::output::Outputs;
use crate::pool::{Pool, Seat};
use crate::sandbox::{Sandbox, Spawned};

/// A running process. Dropping it kills it and has it reaped.
pub(crate) struct Process {
    /// Standard output and error.
    pub(crate) outputs: Outputs,
    /// The socket by which it reaches the server, if it has a network, until somebody serves it.
    pub(crate) listener: Option<OwnedFd>,
    descriptor: Arc<OwnedFd>,
    /// `None` once it has been handed to the reaper.
    remains: Option<Remains>,
    reaper: Sender<Death>,
}

/// What has to be cleared away after a process.
struct Remains {
    descriptor: Arc<OwnedFd>,
    directory: Directory,
    seat: Seat,
}

struct Death {
    remains: Remains,
    tell: Option<oneshot::Sender<io::Result<ExitStatus>>>,
}

impl Process {
    /// Asks the script to show where it stands and to stop.
    pub(crate) fn interrupt(&self) {
        // One that has ended already is found out by reading from it.
        let _ = pidfd_send_signal(&self.descriptor, Signal::INT);
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&self) {
        // Rare, and mostly true at once: a descriptor in the reactor would be more machinery than it is worth.
        let mut pause = Duration::from_micros(200);
        loop {
            let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if !matches!(waitid(WaitId::PidFd(self.descriptor.as_fd()), how), Ok(None)) {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Ends it, if it has not ended, and returns how it ended.
    pub(crate) async fn end(&mut self) -> io::Result<ExitStatus> {
        let (tell, told) = oneshot::channel();
        self.bury(Some(tell));
        told.await.unwrap_or_else(|_| Err(io::Error::other("the process has been ended before")))
    }

    fn bury(&mut self, tell: Option<oneshot::Sender<io::Result<ExitStatus>>>) {
        let Some(remains) = self.remains.take() else { return };
        // One that has ended already is what we want.
        let _ = pidfd_send_signal(&self.descriptor, Signal::KILL);
        if let Err(unsent) = self.reaper.send(Death { remains, tell }) {
            reap(unsent.0);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.bury(None);
    }
}

/// What the thread that starts processes is asked.
struct Birth {
    seat: Seat,
    interpreter: Arc<Interpreter>,
    tell: Box<dyn FnOnce(Born) + Send>,
}

/// A new process and our end of its channel.
pub(crate) type Born = io::Result<(Process, UnixStream)>;

/// The two threads.
pub(crate) struct Nursery {
    births: Option<Sender<Birth>>,
    starter: Option<JoinHandle<()>>,
    deaths: Option<Sender<Death>>,
    reaper: Option<JoinHandle<()>>,
}

impl Nursery {
    /// Starts the threads. `idle_timeout` is how long `pool` keeps a worker that nobody calls.
    pub(crate) fn start(
        sandbox: Sandbox,
        directory: Directory,
        pool: Weak<Pool>,
        idle_timeout: Duration,
    ) -> io::Result<Nursery> {
        let directory = Arc::new(directory);
        let (births, to_start) = channel::<Birth>();
        let (deaths, to_reap) = channel::<Death>();
        let reaper = {
            let directory = Arc::clone(&directory);
            std::thread::Builder::new().name("syncano-reap".to_owned()).spawn(move || {
                run_reaper(&to_reap, &pool, idle_timeout);
                // The runner's folder goes after the last process.
                drop(directory);
            })?
        };
        let starter = {
            let deaths = deaths.clone();
            std::thread::Builder::new().name("syncano-start".to_owned()).spawn(move || {
                for (count, birth) in to_start.into_iter().enumerate() {
                    let result =
                        start_process(&sandbox, &directory, &birth.interpreter, birth.seat, count, &deaths);
                    (birth.tell)(result);
                }
            })?
        };
        Ok(Nursery {
            births: Some(births),
            starter: Some(starter),
            deaths: Some(deaths),
            reaper: Some(reaper),
        })
    }

    /// A new process of `interpreter` in `seat`, and our end of its channel.
    pub(crate) async fn spawn(
        &self,
        seat: Seat,
        interpreter: &Arc<Interpreter>,
    ) -> io::Result<(Process, UnixStream)> {
        let (tell, told) = oneshot::channel();
        // A call that went away in the meantime drops the process, which ends it.
        self.spawn_apart(seat, interpreter, move |born| drop(tell.send(born)));
        told.await.unwrap_or_else(|_| Err(io::Error::other("the thread that starts processes has ended")))
    }

    /// The same without waiting: `then` is called on the thread that starts processes, or not at all.
    pub(crate) fn spawn_apart(
        &self,
        seat: Seat,
        interpreter: &Arc<Interpreter>,
        then: impl FnOnce(Born) + Send + 'static,
    ) {
        let birth = Birth { seat, interpreter: Arc::clone(interpreter), tell: Box::new(then) };
        if let Some(births) = &self.births {
            let _ = births.send(birth);
        }
    }
}

impl Drop for Nursery {
    // Returns when every process has been reaped and every folder removed: milliseconds, since all of them have been
    // killed by then.
    fn drop(&mut self) {
        self.births = None;
        self.starter.take().map(JoinHandle::join);
        self.deaths = None;
        self.reaper.take().map(JoinHandle::join);
    }
}

fn run_reaper(to_reap: &Receiver<Death>, pool: &Weak<Pool>, idle_timeout: Duration) {
    let pause = (idle_timeout / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let mut next = std::time::Instant::now() + pause;
    loop {
        let now = std::time::Instant::now();
        match to_reap.recv_timeout(next.saturating_duration_since(now)) {
            Ok(death) => reap(death),
            Err(RecvTimeoutError::Timeout) => {
                next = now + pause;
                if let Some(pool) = pool.upgrade() {
                    pool.end_idle(idle_timeout);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn reap(Death { remains, tell }: Death) {
    let Remains { descriptor, directory, seat } = remains;
    let status = wait(&descriptor);
    if let Some(tell) = tell {
        let _ = tell.send(status);
    }
    drop(directory);
    drop(seat);
}

fn wait(process: &OwnedFd) -> io::Result<ExitStatus> {
    let Some(status) = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED)? else {
        return Err(io::Error::other("the process has not ended"));
    };
    // As wait(2) has them.
    let raw = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xff) << 8,
        (None, signal) => signal.unwrap_or(0),
    };
    Ok(ExitStatus::from_raw(raw))
}

fn start_process(
    sandbox: &Sandbox,
    directory: &Directory,
    interpreter: &Interpreter,
    seat: Seat,
    count: usize,
    deaths: &Sender<Death>,
) -> io::Result<(Process, UnixStream)> {
    let home = directory.for_worker(&count.to_string(), sandbox.owner(seat.number()))?;
    let (ours, theirs) = UnixStream::pair()?;
    let outputs = Outputs::new()?;
    let (out, err) = outputs.for_child()?;
    let standard = [File::open("/dev/null")?.into(), out, err];
    let Spawned { process: descriptor, listener } =
        sandbox.spawn(seat.number(), interpreter, home.path(), theirs.into(), standard)?;
    let descriptor = Arc::new(descriptor);
    let remains = Remains { descriptor: Arc::clone(&descriptor), directory: home, seat };
    remains.seat.occupy(Arc::clone(&descriptor));
    ours.set_nonblocking(true)?;
    Ok((Process { outputs, listener, descriptor, remains: Some(remains), reaper: deaths.clone() }, ours))
}
