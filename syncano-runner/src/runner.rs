//! The runner and its settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use syncano_core::{Language, RunStatus};
use tokio::time::Instant;

use crate::call::Call;
use crate::directory::Directory;
use crate::interpreter::{MissingInterpreter, Python};
use crate::isolation::Isolation;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::pool::{Grant, Pool, Refusal, Seat};
use crate::process::Nursery;
use crate::sandbox::Sandbox;
use crate::script::Script;
use crate::worker::Worker;

/// Longer timeouts are cut to this; the server's own limit is far below.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// How long [`Runner::shutdown`] waits.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Runs scripts in warm, sandboxed processes.
///
/// Cloning is cheap, and all clones are one runner. Dropping the last one ends and reaps every worker, which blocks for
/// some milliseconds. All calls of a runner must be made within one Tokio runtime with I/O and time enabled.
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

struct Inner {
    isolation: Isolation,
    python: Result<Arc<Python>, MissingInterpreter>,
    calls_per_worker: u64,
    pool: Arc<Pool>,
    nursery: Nursery,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl Runner {
    /// The default settings.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::default()
    }

    /// The level that is in force.
    pub fn isolation(&self) -> Isolation {
        self.inner.isolation
    }

    /// The interpreter of a language, or what to do about its absence.
    pub fn interpreter(&self, language: Language) -> Result<&Path, MissingInterpreter> {
        self.python(language).map(|python| &*python.path)
    }

    /// Runs `script` once. Whatever happens is an [`Outcome`]: this neither fails nor panics, and returns within twice
    /// the call's timeout and some seconds (waiting, running, ending).
    ///
    /// Dropping the future ends the run: its process is killed and replaced.
    pub async fn run(&self, script: &Script, mut call: Call) -> Outcome {
        let python = match self.python(script.runtime().language()) {
            Ok(python) => python,
            Err(missing) => return Outcome::never_ran(RunStatus::Failure, missing.to_string()),
        };
        call.timeout = call.timeout.min(LONGEST_RUN);
        let deadline = Instant::now() + call.timeout;
        let worker = loop {
            match self.inner.pool.acquire(script.key(), deadline).await {
                // One that died or spoke between two calls is dropped, which ends it.
                Ok(Grant::Warm(worker)) if !worker.is_silent() => {}
                Ok(Grant::Warm(worker)) => break worker,
                Ok(Grant::Seat(seat)) => match self.start(seat, python, script).await {
                    Ok(worker) => break worker,
                    Err(problem) => return Outcome::never_ran(RunStatus::Failure, problem),
                },
                Err(refusal) => return refused(refusal),
            }
        };
        let (outcome, worker) = worker.call(&call).await;
        if let Some(worker) = worker
            && worker.calls() < self.inner.calls_per_worker
        {
            self.inner.pool.give_back(worker);
        }
        outcome
    }

    /// Ends all workers, running calls included, and returns when they have been reaped. Calls made afterwards fail.
    ///
    /// A worker is reaped once the future of its call has noticed its end or has been dropped; for futures that
    /// nobody polls this waits 10 s at most.
    pub async fn shutdown(&self) {
        self.inner.pool.close();
        if tokio::time::timeout(SHUTDOWN, self.inner.pool.emptied()).await.is_err() {
            tracing::warn!(
                "some scripts' processes have been killed but not reaped: their calls' futures are not polled"
            );
        }
    }

    fn python(&self, language: Language) -> Result<&Arc<Python>, MissingInterpreter> {
        match language {
            Language::Python => self.inner.python.as_ref().map_err(Clone::clone),
            other => Err(MissingInterpreter::unsupported(other)),
        }
    }

    async fn start(&self, seat: Seat, python: &Arc<Python>, script: &Script) -> Result<Worker, String> {
        match self.inner.nursery.spawn(seat, python).await {
            Ok((process, channel)) => Worker::start(process, channel, script).await,
            Err(error) => {
                tracing::warn!(%error, instance = script.instance(), script = script.name(), "no worker could be started");
                Err(format!("the script's process can't be started: {error}"))
            }
        }
    }
}

fn refused(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Full => Outcome::never_ran(RunStatus::Blocked, ""),
        Refusal::Late => Outcome::never_ran(RunStatus::QueueTimeout, ""),
        Refusal::Closed => Outcome::never_ran(RunStatus::Failure, "the server is shutting down"),
    }
}

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
    python: Option<PathBuf>,
    isolation: Isolation,
    max_workers: u32,
    max_waiting: Option<usize>,
    idle_timeout: Duration,
    calls_per_worker: u64,
    directory: Option<PathBuf>,
    limits: Limits,
}

impl Default for RunnerBuilder {
    fn default() -> RunnerBuilder {
        // More than processors: a call that waits keeps its worker.
        let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u32);
        RunnerBuilder {
            python: None,
            isolation: Isolation::default(),
            max_workers: (4 * processors).max(16),
            max_waiting: None,
            idle_timeout: Duration::from_secs(300),
            calls_per_worker: 10_000,
            directory: None,
            limits: Limits::default(),
        }
    }
}

impl RunnerBuilder {
    /// The Python interpreter. Default: the system's own, else the first `python3` on `PATH` that works.
    pub fn python(mut self, path: impl Into<PathBuf>) -> Self {
        self.python = Some(path.into());
        self
    }

    /// The level of isolation. Default: [`Isolation::Process`]. A machine that can't provide it makes
    /// [`build`](Self::build) fail; nothing ever runs at a weaker level.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// The largest number of processes, each of which serves one call at a time. Default: four per processor, at
    /// least 16. Zero counts as one.
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.max_workers = u32::try_from(workers).unwrap_or(u32::MAX).clamp(1, 1 << 16);
        self
    }

    /// How many calls may wait for a worker before further ones are `Blocked`. Default: 50 per worker.
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = Some(calls);
        self
    }

    /// How long a worker that nobody calls is kept. Default: 300 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How many calls a process serves before it is replaced. Default: 10,000. Zero counts as one.
    pub fn calls_per_worker(mut self, calls: u64) -> Self {
        self.calls_per_worker = calls.max(1);
        self
    }

    /// The memory of one script's process in bytes, the interpreter's own 10 MB included. Default: 200 MiB.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
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

    /// Starts the runner: finds the interpreter and checks what the machine can do. A missing interpreter is no error
    /// here; it is logged, and the runs fail with the same text.
    pub fn build(self) -> Result<Runner, StartError> {
        let sandbox = Sandbox::new(self.isolation, self.limits, self.max_workers).map_err(|unavailable| {
            StartError::Isolation { level: self.isolation, reason: unavailable.to_string() }
        })?;
        let own_users = sandbox.has_own_users();
        let python = Python::find(self.python.as_deref(), own_users).map(Arc::new);
        match &python {
            Ok(python) => {
                tracing::info!(python = %python.path.display(), isolation = %self.isolation, "scripts can run")
            }
            Err(missing) => tracing::warn!("{missing}"),
        }
        let directory =
            Directory::for_runner(self.directory.as_deref(), own_users).map_err(StartError::Directory)?;
        let max_waiting = self.max_waiting.unwrap_or(50 * self.max_workers as usize);
        let pool = Pool::new(self.max_workers, max_waiting);
        let nursery = Nursery::start(sandbox, directory, Arc::downgrade(&pool), self.idle_timeout)
            .map_err(StartError::Threads)?;
        let calls_per_worker = self.calls_per_worker;
        Ok(Runner {
            inner: Arc::new(Inner { isolation: self.isolation, python, calls_per_worker, pool, nursery }),
        })
    }
}

/// Why a runner can't start. Its text says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The machine can't isolate scripts as asked.
    #[error("scripts can't be isolated at the level `{level}`: {reason}")]
    Isolation {
        /// The level that was asked for.
        level: Isolation,
        /// What is missing, and how to get it.
        reason: String,
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
