//! The settings of a runner.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use syncano_core::NetworkPolicy;

use crate::doctor::Doctor;
use crate::isolation::{Isolation, Wanted};
use crate::limits::Limits;
use crate::network::Addresses;
use crate::runner::Runner;

/// Settings of a [`Runner`].
///
/// ```
/// use std::time::Duration;
/// use syncano_runner::Runner;
///
/// let runner = Runner::builder().max_workers(8).idle_timeout(Duration::from_secs(60)).build()?;
/// # Ok::<(), syncano_runner::StartError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RunnerBuilder {
    pub(crate) python: Option<PathBuf>,
    pub(crate) node: Option<PathBuf>,
    pub(crate) environments: Vec<(String, PathBuf)>,
    pub(crate) isolation: Wanted,
    pub(crate) max_workers: u32,
    pub(crate) max_workers_memory: Option<u64>,
    pub(crate) max_workers_per_instance: Option<usize>,
    pub(crate) max_waiting: Option<usize>,
    pub(crate) idle_timeout: Duration,
    pub(crate) calls_per_worker: u64,
    pub(crate) processors: usize,
    pub(crate) zygotes: bool,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) network: NetworkPolicy,
    pub(crate) addresses: Addresses,
    pub(crate) hosts: HashMap<String, Vec<IpAddr>>,
}

impl Default for RunnerBuilder {
    fn default() -> RunnerBuilder {
        // More than processors: a call that waits keeps its worker.
        let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u32);
        RunnerBuilder {
            python: None,
            node: None,
            environments: Vec::new(),
            isolation: Wanted::AtLeast(Isolation::default()),
            max_workers: (4 * processors).max(16),
            max_workers_memory: None,
            max_workers_per_instance: None,
            max_waiting: None,
            idle_timeout: Duration::from_secs(300),
            calls_per_worker: u64::MAX,
            processors: processors as usize,
            zygotes: true,
            directory: None,
            limits: Limits::default(),
            network: NetworkPolicy::default(),
            addresses: Addresses::default(),
            hosts: HashMap::new(),
        }
    }
}

impl RunnerBuilder {
    /// The Python interpreter. Default: the system's own, else the first `python3` on `PATH` that works.
    pub fn python(mut self, path: impl Into<PathBuf>) -> Self {
        self.python = Some(path.into());
        self
    }

    /// The Node interpreter. Default: the system's own, else the first `node` on `PATH` that works.
    pub fn node(mut self, path: impl Into<PathBuf>) -> Self {
        self.node = Some(path.into());
        self
    }

    /// An environment: packages that a script finds which [names it](crate::Script::environment). `path` is a virtual
    /// environment of Python's, or a folder called `node_modules`; scripts can read it under that path, and can't write to
    /// it. The two languages may have an environment each of the same name. Default: none.
    pub fn environment(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.environments.push((name.into(), path.into()));
        self
    }

    /// Exactly this level of isolation. A machine on which it doesn't hold makes [`build`](Self::build) fail; nothing ever
    /// runs at a weaker level.
    pub fn isolation(mut self, level: Isolation) -> Self {
        self.isolation = Wanted::Exactly(level);
        self
    }

    /// The best level of isolation that the machine gives, and at least this one. Default: [`Isolation::Process`]. Below
    /// that [`build`](Self::build) fails.
    pub fn isolation_minimum(mut self, level: Isolation) -> Self {
        self.isolation = Wanted::AtLeast(level);
        self
    }

    /// The largest number of processes, each of which serves one call at a time. Default: four per processor, at
    /// least 16. Zero counts as one.
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.max_workers = u32::try_from(workers).unwrap_or(u32::MAX).clamp(1, 1 << 16);
        self
    }

    /// The memory that all of them together may take, in bytes. No process can take more than its own limits: its
    /// [`memory`](Self::memory), its folder at [`Isolation::Namespace`], and for Node the room that it keeps for machine
    /// code. So there are never more processes than would fit if each took all of that, whichever number is smaller. When
    /// they are all there, workers that are idle end for calls that need another one, and then calls wait, as with
    /// [`max_workers`](Self::max_workers). Default: no limit but the number of processes times those of each.
    pub fn max_workers_memory(mut self, bytes: u64) -> Self {
        self.max_workers_memory = Some(bytes);
        self
    }

    /// How many of them may serve one instance at a time. Default: all but an eighth, and but one at least, which are kept free
    /// for calls of others. Zero counts as one.
    pub fn max_workers_per_instance(mut self, workers: usize) -> Self {
        self.max_workers_per_instance = Some(workers.max(1));
        self
    }

    /// How many calls may wait for a worker. Beyond that the last call of the instance that has most of them waiting is
    /// `Blocked`. Default: 64 per worker, so 1,024 at least for a server that has the usual number of them.
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = Some(calls);
        self
    }

    /// How long a worker that nobody calls is kept. Default: 300 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How many workers of one script run at a time before its next calls are sent to one of those, which takes them one after the
    /// other: processes that nobody has a processor for make calls slower. That is done for calls that take microseconds and
    /// print nothing, as far as those before them tell; one that waits for 10 ms gets a worker of its own. Default: the number of
    /// processors. Zero counts as one.
    pub fn processors(mut self, number: usize) -> Self {
        self.processors = number.max(1);
        self
    }

    /// How many calls a process serves before it is replaced, however well it is. Default: any number, as long as it doesn't
    /// grow: once a script keeps half of the [memory](RunnerBuilder::memory) that its first calls have left free, the next
    /// one gets a new process. Zero counts as one.
    pub fn calls_per_worker(mut self, calls: u64) -> Self {
        self.calls_per_worker = calls.max(1);
        self
    }

    /// Whether new processes of Python are copies of one that has loaded the interpreter already, where scripts are isolated at
    /// [`Isolation::Namespace`]: they start in a tenth of the time, share memory, and also the seed of their hashes.
    /// Default: yes.
    pub fn zygotes(mut self, wanted: bool) -> Self {
        self.zygotes = wanted;
        self
    }

    /// The memory of one script's process in bytes, the interpreter's own included (10 MB of Python, 40 MB of
    /// Node). Default: 200 MiB.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// The size of all files in a script's folder together, in bytes; it is memory of the machine's. Default: 50 MB.
    /// Enforced at [`Isolation::Namespace`] only.
    pub fn folder_size(mut self, bytes: u64) -> Self {
        self.limits.folder = bytes;
        self
    }

    /// The size of one file that a script writes, in bytes. Default: 50 MB.
    pub fn file_size(mut self, bytes: u64) -> Self {
        self.limits.file_size = bytes;
        self
    }

    /// Where the runner makes its folder, which holds the workers' temporary folders. Default: the system's folder for
    /// temporary files.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// Whom scripts may talk to at most, whatever they say themselves. Default: [`NetworkPolicy::Public`]. They have a network
    /// at [`Isolation::Namespace`] only.
    pub fn network(mut self, policy: NetworkPolicy) -> Self {
        self.network = policy;
        self
    }

    /// Allows scripts to talk to a network that isn't public.
    pub fn allow_network(mut self, network: IpNet) -> Self {
        self.addresses.allow(network);
        self
    }

    /// The addresses of a host for scripts, as a line of `/etc/hosts` has them: it is not looked up. They are still checked.
    pub fn host(mut self, name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.hosts.insert(name.into().to_ascii_lowercase(), addresses.into_iter().collect());
        self
    }

    /// Starts the runner: finds the interpreters and tries what the machine can do, which blocks for some tenths of a second
    /// (the first time in a process for most of it). A missing interpreter is no error
    /// here; it is logged, and the runs of its language fail with the same text.
    ///
    /// # Errors
    /// What the machine lacks, and how to get it.
    pub fn build(self) -> Result<Runner, StartError> {
        Runner::start(self)
    }

    /// Finds out what the machine can do: at which of the levels that these settings allow hostile scripts fail, and what
    /// the better ones lack. Blocks for some tenths of a second.
    pub fn examine(self) -> Doctor {
        Runner::examine(self)
    }
}

/// Why a runner can't start. Its text says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// This isn't Linux.
    #[error("scripts run on Linux only: other systems have no way to isolate them")]
    Platform,
    /// The machine can't isolate scripts as asked.
    #[error("scripts can't be isolated at the level `{level}`: {reason}")]
    Isolation {
        /// The level that was asked for.
        level: Isolation,
        /// What is missing, and how to get it.
        reason: String,
    },
    /// An environment can't be used.
    #[error("the environment `{name}` at `{}` can't be used: {problem}", path.display())]
    Environment {
        /// Its name.
        name: String,
        /// Its path, as given.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The memory for all processes isn't enough for one.
    #[error(
        "`max_workers_memory` is {} MiB, and one process may take {} MiB: give more, or let each have less \
         (`--script-memory`, or `memory` and `folder_size` of the builder)",
        bytes.div_ceil(1 << 20),
        of_one.div_ceil(1 << 20)
    )]
    Memory {
        /// What all processes together may take.
        bytes: u64,
        /// What one may take.
        of_one: u64,
    },
    /// No folder for temporary files.
    #[error(
        "no folder for the scripts' temporary files can be made: {0}; set TMPDIR to a folder that every user may enter"
    )]
    Directory(#[source] std::io::Error),
    /// No threads.
    #[error("the threads that look after scripts can't be started: {0}")]
    Threads(#[source] std::io::Error),
}
