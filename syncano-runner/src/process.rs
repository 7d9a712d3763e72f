//! A worker's process from its start to its end.
//!
//! Two threads look after processes. The first one starts them: a process dies with the *thread* that forked it
//! (`PR_SET_PDEATHSIG`), so that thread must live as long as the runner. The second one reaps them, removes their
//! folders and gives their seats back, however they ended.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::sync::oneshot;

use crate::backlog::Calls;
use crate::directory::Directory;
use crate::interpreter::Interpreter;
use crate::output::Outputs;
use crate::pool::{Pool, Seat};
use crate::protocol;
use crate::sandbox::{Conversation, Sandbox, Spawned};
use crate::zygotes::Zygotes;

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
    /// Its own, unless it had one in memory.
    directory: Option<Directory>,
    seat: Seat,
}

struct Death {
    remains: Remains,
    tell: Option<oneshot::Sender<io::Result<ExitStatus>>>,
}

impl Process {
    /// The number of its seat, until it ends.
    pub(crate) fn seat(&self) -> Option<u32> {
        self.remains.as_ref().map(|remains| remains.seat.number())
    }

    /// The memory in use that is no file's, in bytes, with what it still shares with the process that it is a copy of; `None` if that
    /// can't be told, as when it has ended. Or what its limit counts, if that is more: what it has asked for and not yet written
    /// to, without the `code` that its interpreter maps.
    pub(crate) fn memory(&self, code: u64) -> Option<u64> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.descriptor.as_raw_fd())).ok()?;
        let pid: u32 = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
        let sizes = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: Vec<u64> = sizes.split_whitespace().map_while(|size| size.parse().ok()).collect();
        let &[_, resident, shared, _, _, data, ..] = pages.as_slice() else { return None };
        let page = rustix::param::page_size() as u64;
        Some((resident.saturating_sub(shared) * page).max((data * page).saturating_sub(code)))
    }

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
enum Order {
    Birth(Birth),
    /// Have a zygote ready, and say so if somebody wants to know: how many workers have been made of zygotes so far.
    Prepare(Arc<Interpreter>, Option<oneshot::Sender<Option<u64>>>),
    /// No more processes will be needed.
    Rest,
}

struct Birth {
    seat: Seat,
    interpreter: Arc<Interpreter>,
    tell: Box<dyn FnOnce(Born) + Send>,
}

/// A new process, our end of its channel, and the socket that brings it its calls.
pub(crate) type Newborn = (Process, UnixStream, Calls);

pub(crate) type Born = io::Result<Newborn>;

/// The two threads.
pub(crate) struct Nursery {
    orders: Option<Sender<Order>>,
    starter: Option<JoinHandle<()>>,
    deaths: Option<Sender<Death>>,
    reaper: Option<JoinHandle<()>>,
}

impl Nursery {
    /// Starts the threads. `idle_timeout` is how long `pool` keeps a worker that nobody calls. `use_zygotes`: workers may be
    /// copies of a process that has loaded the interpreter.
    pub(crate) fn start(
        sandbox: Sandbox,
        directory: Directory,
        pool: Weak<Pool>,
        idle_timeout: Duration,
        use_zygotes: bool,
    ) -> io::Result<Nursery> {
        let directory = Arc::new(directory);
        let (orders, to_do) = channel::<Order>();
        let (deaths, to_reap) = channel::<Death>();
        let reaper = {
            let (directory, pool) = (Arc::clone(&directory), Weak::clone(&pool));
            std::thread::Builder::new().name("syncano-reap".to_owned()).spawn(move || {
                run_reaper(&to_reap, &pool, idle_timeout);
                // The runner's folder goes after the last process.
                drop(directory);
            })?
        };
        let starter = {
            let starter = Starter {
                sandbox,
                directory,
                zygotes: use_zygotes.then(Zygotes::default),
                deaths: deaths.clone(),
                count: 0,
            };
            std::thread::Builder::new()
                .name("syncano-start".to_owned())
                .spawn(move || starter.run(&to_do, &pool, idle_timeout))?
        };
        Ok(Nursery {
            orders: Some(orders),
            starter: Some(starter),
            deaths: Some(deaths),
            reaper: Some(reaper),
        })
    }

    /// A new process of `interpreter` in `seat`.
    pub(crate) async fn spawn(&self, seat: Seat, interpreter: &Arc<Interpreter>) -> Born {
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
        self.order(Order::Birth(birth));
    }

    /// Begins to prepare what workers of `interpreter` can be copied from.
    pub(crate) fn keep_zygote(&self, interpreter: &Arc<Interpreter>) {
        self.order(Order::Prepare(Arc::clone(interpreter), None));
    }

    /// Waits until that is ready, and says how many have been copied so far; `None`: they are started.
    pub(crate) async fn zygote_ready(&self, interpreter: &Arc<Interpreter>) -> Option<u64> {
        let (tell, told) = oneshot::channel();
        self.order(Order::Prepare(Arc::clone(interpreter), Some(tell)));
        told.await.unwrap_or(None)
    }

    /// Ends what workers are copied from.
    pub(crate) fn rest(&self) {
        self.order(Order::Rest);
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

impl Drop for Nursery {
    // Returns when every process has been reaped and every folder removed: milliseconds, since all of them have been
    // killed by then.
    fn drop(&mut self) {
        self.orders = None;
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

/// The thread that starts processes.
struct Starter {
    sandbox: Sandbox,
    directory: Arc<Directory>,
    /// `None` where none are wanted.
    zygotes: Option<Zygotes>,
    deaths: Sender<Death>,
    count: u64,
}

impl Starter {
    fn run(mut self, to_do: &Receiver<Order>, pool: &Weak<Pool>, idle_timeout: Duration) {
        loop {
            let keeps_zygotes = self.zygotes.as_ref().is_some_and(|zygotes| !zygotes.is_empty());
            let order = if keeps_zygotes {
                match to_do.recv_timeout(idle_timeout) {
                    Err(RecvTimeoutError::Timeout) => {
                        // While there are workers there will be others.
                        if pool.upgrade().is_none_or(|pool| pool.is_empty()) {
                            self.zygotes.iter_mut().for_each(Zygotes::end);
                        }
                        continue;
                    }
                    order => order.ok(),
                }
            } else {
                to_do.recv().ok()
            };
            match order {
                Some(Order::Birth(Birth { seat, interpreter, tell })) => {
                    tell(self.start_process(&interpreter, seat));
                }
                Some(Order::Prepare(interpreter, tell)) => {
                    let Some(zygotes) = &mut self.zygotes else { continue };
                    let base = self.directory.path();
                    match tell {
                        Some(tell) => {
                            let _ = tell.send(zygotes.prepare(&self.sandbox, base, &interpreter));
                        }
                        None => zygotes.keep(&self.sandbox, base, &interpreter),
                    }
                }
                Some(Order::Rest) => self.zygotes = None,
                None => return,
            }
        }
    }

    fn start_process(&mut self, interpreter: &Arc<Interpreter>, seat: Seat) -> Born {
        let outputs = Outputs::new()?;
        let standard = || -> io::Result<[OwnedFd; 3]> {
            let (out, err) = outputs.for_child()?;
            // The flag changes nothing there, and tells it from what a script opens (`between_calls.py`).
            let nothing = File::options().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/null")?;
            Ok([nothing.into(), out, err])
        };
        let number = seat.number();
        let base = self.directory.path();
        let mut directory = None;
        let calls = Calls::new()?;
        let (mut ours, theirs) = UnixStream::pair()?;
        let copied = match &mut self.zygotes {
            Some(zygotes) => {
                let conversation = Conversation { channel: theirs.into(), calls: calls.for_child()? };
                zygotes.copy(&self.sandbox, base, interpreter, number, (conversation, standard()?))
            }
            None => None,
        };
        let Spawned { process, listener } = match copied {
            Some(spawned) => spawned,
            None => {
                let theirs;
                (ours, theirs) = UnixStream::pair()?;
                if !self.sandbox.gives_own_roots() {
                    self.count += 1;
                    let owner = self.sandbox.owner(number);
                    directory = Some(self.directory.for_worker(&self.count.to_string(), owner)?);
                }
                let home = directory.as_ref().map_or(base, Directory::path);
                let conversation = Conversation { channel: theirs.into(), calls: calls.for_child()? };
                let spawned = self.sandbox.spawn(number, interpreter, home, conversation, standard()?)?;
                // The socket's buffer is far larger than any program: this doesn't wait for the process. If it doesn't take
                // it, it isn't ready later on, either.
                let _ = ours.write_all(&protocol::program(interpreter.recipe.program));
                spawned
            }
        };
        let descriptor = Arc::new(process);
        let remains = Remains { descriptor: Arc::clone(&descriptor), directory, seat };
        remains.seat.occupy(Arc::clone(&descriptor));
        ours.set_nonblocking(true)?;
        let reaper = self.deaths.clone();
        Ok((Process { outputs, listener, descriptor, remains: Some(remains), reaper }, ours, calls))
    }
}
