//! The runner.

use std::sync::Arc;
use std::time::Duration;

use syncano_core::{Language, RunLimits, RunStatus};
use tokio::time::Instant;

use crate::backlog::Unserved;
use crate::builder::{RunnerBuilder, StartError};
use crate::call::Call;
use crate::check::Remembered;
use crate::directory::Directory;
use crate::doctor::{Doctor, Missing};
use crate::environment::find::Viewer;
use crate::environment::{self, Environment, Environments, MissingEnvironment};
use crate::interpreter::{Interpreter, MissingInterpreter};
use crate::isolation::{Isolation, Wanted};
use crate::levels;
use crate::lifespan::Lifespan;
use crate::limits::{ANSWER, OUTPUT, REQUEST};
use crate::network::Outward;
use crate::node::NODE;
use crate::outcome::Outcome;
use crate::pool::{Grant, Granted, Pool, Refusal, Seat};
use crate::process::Nursery;
use crate::protocol;
use crate::python::PYTHON;
use crate::running::Running;
use crate::sandbox::Sandbox;
use crate::script::Script;
use crate::worker::{Spare, Unsent, Worker};

/// Longer timeouts are cut to this; the server's own limit is far below.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// How long [`Runner::shutdown`] waits.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// How often a call tries to be sent to a worker that is on another one, and may find that it has just done with that.
const JOINS: u32 = 3;

/// So often a call is given to another worker, because the one that it was sent to had been ended, from outside or by the script
/// itself, and hadn't begun it.
const BEGINNINGS: u32 = 3;

const LOST: &str =
    "the script's process ended, or kept to itself how this call went, when it might have begun it";

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
    lifespan: Lifespan,
    interpreters: Interpreters,
    environments: Environments,
    /// Processes are copied where their language can do that.
    copies: bool,
    pool: Arc<Pool>,
    nursery: Nursery,
    remembered: Remembered,
    outward: Arc<Outward>,
}

/// The interpreters of a machine, and what to do about those that are missing.
#[derive(Clone)]
pub(crate) struct Interpreters {
    python: Found,
    node: Found,
}

type Found = Result<Arc<Interpreter>, MissingInterpreter>;

impl Interpreters {
    /// `own_users`: scripts will run as other users than this process.
    pub(crate) fn find(settings: &RunnerBuilder, own_users: bool) -> Interpreters {
        let find = |recipe, explicit: &Option<_>| {
            Interpreter::find(recipe, explicit.as_deref(), own_users).map(Arc::new)
        };
        Interpreters { python: find(&PYTHON, &settings.python), node: find(&NODE, &settings.node) }
    }

    /// Those that there are.
    fn found(&self) -> impl Iterator<Item = &Arc<Interpreter>> {
        [&self.python, &self.node].into_iter().flatten()
    }

    /// The interpreter of a language, or what to do about its absence.
    pub(crate) fn get(&self, language: Language) -> Result<&Arc<Interpreter>, MissingInterpreter> {
        match language {
            Language::Python => self.python.as_ref().map_err(Clone::clone),
            Language::JavaScript => self.node.as_ref().map_err(Clone::clone),
            other => Err(MissingInterpreter::unsupported(other)),
        }
    }
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

    /// Starts a runner; see [`RunnerBuilder::build`].
    pub(crate) fn start(mut settings: RunnerBuilder) -> Result<Runner, StartError> {
        let wanted = settings.isolation;
        let own_users = wanted != Wanted::Exactly(Isolation::None) && Sandbox::gives_own_users();
        let interpreters = Interpreters::find(&settings, own_users);
        let Doctor { level, missing, not_copied, .. } = levels::find(&settings, &interpreters);
        if level < wanted.least() {
            let mut reasons: Vec<String> = missing.iter().map(Missing::to_string).collect();
            reasons.dedup();
            return Err(StartError::Isolation { level: wanted.least(), reason: reasons.join("\n") });
        }
        for found in [&interpreters.python, &interpreters.node] {
            match found {
                Ok(interpreter) => {
                    let language = interpreter.language();
                    tracing::info!(%language, %interpreter, isolation = %level, "scripts can run");
                }
                Err(missing) => tracing::warn!("{missing}"),
            }
        }
        for Missing { level, reason, .. } in &missing {
            tracing::warn!("scripts aren't isolated at the level `{level}`: {reason}");
        }
        if let Some(reason) = not_copied {
            tracing::warn!("processes of Python are started, which takes longer than copying one: {reason}");
            settings.zygotes = false;
        }
        if level > Isolation::None && !own_users {
            tracing::warn!(
                "scripts run as the server's own user, because it is not root; what else isolates them still does"
            );
        }
        let runner = Runner::start_at(level, settings, interpreters)?;
        for environment in runner.environments() {
            let (language, interpreter) = (environment.language(), environment.interpreter());
            tracing::info!(%language, %interpreter, "scripts can use the environment {environment}");
        }
        Ok(runner)
    }

    /// Tries what the machine can do; see [`RunnerBuilder::examine`].
    pub(crate) fn examine(settings: RunnerBuilder) -> Doctor {
        let interpreters = Interpreters::find(&settings, Sandbox::gives_own_users());
        levels::find(&settings, &interpreters)
    }

    /// Starts a runner at `level`, which nobody has tried yet.
    pub(crate) fn start_at(
        level: Isolation,
        settings: RunnerBuilder,
        interpreters: Interpreters,
    ) -> Result<Runner, StartError> {
        let lifespan = Lifespan { calls: settings.calls_per_worker, memory: settings.limits.memory };
        let max_workers = workers_that_fit(&settings, level, &interpreters)?;
        let sandbox = Sandbox::new(level, settings.limits, max_workers)
            .map_err(|unavailable| StartError::Isolation { level, reason: unavailable.to_string() })?;
        let viewer = Viewer {
            isolation: level,
            own_users: sandbox.has_own_users(),
            from_outside: sandbox.comes_from_outside(),
        };
        let environments = environment::find::all(&settings.environments, &interpreters, viewer)
            .map_err(|(name, path, problem)| StartError::Environment { name, path, problem })?;
        let directory = Directory::for_runner(settings.directory.as_deref(), sandbox.has_own_users())
            .map_err(StartError::Directory)?;
        let workers = max_workers as usize;
        let max_waiting = settings.max_waiting.unwrap_or(64 * workers);
        // Whatever one instance does, there is one for the others.
        let kept_free = (workers / 8).max(usize::from(workers > 1));
        let per_instance = settings.max_workers_per_instance.unwrap_or(workers - kept_free);
        let idle_timeout = settings.idle_timeout;
        let pool = Pool::new(max_workers, per_instance, max_waiting, settings.processors, idle_timeout);
        let pool_of = Arc::downgrade(&pool);
        let copies = settings.zygotes && sandbox.has_zygotes();
        let nursery = Nursery::start(sandbox, directory, pool_of, idle_timeout, settings.zygotes)
            .map_err(StartError::Threads)?;
        interpreters.found().for_each(|interpreter| nursery.keep_zygote(interpreter));
        let outward = Arc::new(Outward::new(settings.network, settings.addresses, settings.hosts));
        Ok(Runner {
            inner: Arc::new(Inner {
                isolation: level,
                lifespan,
                interpreters,
                environments,
                copies,
                pool,
                nursery,
                remembered: Remembered::default(),
                outward,
            }),
        })
    }

    /// The level that is in force.
    pub fn isolation(&self) -> Isolation {
        self.inner.isolation
    }

    /// The limits of a run that may take `timeout`.
    pub fn limits(&self, timeout: Duration) -> RunLimits {
        RunLimits {
            timeout,
            memory: self.inner.lifespan.memory,
            output: OUTPUT as u64,
            answer: ANSWER as u64,
        }
    }

    /// The largest number of processes: [`RunnerBuilder::max_workers`], or as many as
    /// [`RunnerBuilder::max_workers_memory`] has room for.
    pub fn max_workers(&self) -> usize {
        self.inner.pool.total()
    }

    /// The interpreter of a language, or what to do about its absence.
    pub fn interpreter(&self, language: Language) -> Result<&Interpreter, MissingInterpreter> {
        self.inner.interpreters.get(language).map(|interpreter| &**interpreter)
    }

    /// The environments that scripts can name.
    pub fn environments(&self) -> &[Environment] {
        &self.inner.environments.0
    }

    /// The environment of that name for scripts in that language.
    ///
    /// # Errors
    /// There is none; the text says which ones there are.
    pub fn environment(&self, name: &str, language: Language) -> Result<&Environment, MissingEnvironment> {
        self.inner.environments.get(name, language)
    }

    /// What runs the script. The error is a sentence for the user.
    fn interpreter_of(&self, script: &Script) -> Result<&Arc<Interpreter>, String> {
        let language = script.runtime().language();
        match script.environment_name() {
            None => self.inner.interpreters.get(language).map_err(|missing| missing.to_string()),
            Some(name) => match self.environment(name, language) {
                Ok(environment) => Ok(&environment.interpreter),
                Err(missing) => Err(missing.to_string()),
            },
        }
    }

    /// Runs `script` once. Whatever happens is an [`Outcome`]: this neither fails nor panics, and returns within twice
    /// the call's timeout and some seconds (waiting, running, ending).
    ///
    /// Dropping the future ends the run: its process is killed and replaced.
    pub async fn run(&self, script: &Script, mut call: Call) -> Outcome {
        let interpreter = match self.interpreter_of(script) {
            Ok(interpreter) => interpreter,
            Err(missing) => return Outcome::never_ran(RunStatus::Failure, missing),
        };
        call.timeout = call.timeout.min(LONGEST_RUN);
        let deadline = Instant::now() + call.timeout;
        let mut lifespan = self.inner.lifespan;
        if script.is_fresh() {
            lifespan.calls = 1;
        }
        let mut left = BEGINNINGS;
        loop {
            let again = left < BEGINNINGS;
            let (running, is_new) = match self.begin(script, interpreter, &call, again, deadline).await {
                Ok(begun) => begun,
                Err(outcome) => return outcome,
            };
            self.keep_spare(interpreter, is_new);
            match running.end(&call, lifespan).await {
                Ok(outcome) => return outcome,
                Err(outcome) if left == 0 => return outcome,
                Err(_) => left -= 1,
            }
        }
    }

    /// Has a worker begin `call`, and says whether that is a new one. `again`: it has been accepted before. The error: it never ran.
    async fn begin(
        &self,
        script: &Script,
        interpreter: &Arc<Interpreter>,
        call: &Call,
        mut again: bool,
        deadline: Instant,
    ) -> Result<(Running, bool), Outcome> {
        let failed = |problem: String| Outcome::never_ran(RunStatus::Failure, problem);
        let mut joins = if protocol::is_message(call) { JOINS } else { 0 };
        loop {
            let granted = self.inner.pool.acquire(script, interpreter.id, joins > 0, again, deadline).await;
            again = true;
            let (turn, grant) = match granted.map_err(refused)? {
                Granted::Process(turn, grant) => (turn, grant),
                Granted::Place(offer) => {
                    joins -= 1;
                    let Some(place) = offer.take(call) else {
                        // Another thread keeps sending to the same worker, or the worker takes no more calls.
                        tokio::task::yield_now().await;
                        continue;
                    };
                    let start = Instant::now();
                    match place.wait().await {
                        Ok(running) => return Ok((running, false)),
                        // It has waited for long enough.
                        Err(Unserved::TakenBack) => joins = 0,
                        // It may have run.
                        Err(Unserved::Lost) => {
                            return Err(Outcome { duration: start.elapsed(), ..failed(LOST.to_owned()) });
                        }
                    }
                    continue;
                }
            };
            let (worker, is_new) = match grant {
                Grant::Warm(worker) if worker.is_silent() => (Ok(worker), false),
                Grant::Spare(spare) if spare.is_silent() => {
                    (Box::pin(Worker::start(spare, interpreter, script, &self.inner.outward)).await, true)
                }
                // One that died or spoke between two calls is dropped, which ends it.
                Grant::Warm(_) | Grant::Spare(_) => continue,
                Grant::Seat(seat) => (Box::pin(self.start_worker(seat, interpreter, script)).await, true),
            };
            match Running::begin(turn, worker.map_err(failed)?, call) {
                Ok(running) => return Ok((running, is_new)),
                Err(Unsent::TooLarge(size)) => {
                    return Err(failed(format!(
                        "the arguments have {size} bytes; at most {REQUEST} are allowed"
                    )));
                }
                Err(Unsent::Unreachable) => {}
            }
        }
    }

    /// What checks have found out so far.
    pub(crate) fn remembered(&self) -> &Remembered {
        &self.inner.remembered
    }

    /// Waits until new workers of a language are copies of a process that has loaded the interpreter, which takes a moment
    /// after the start. False: they are started instead, because the language can't do that, the level of isolation isn't
    /// [`Isolation::Namespace`], the settings say so, or for a reason that has been logged.
    pub async fn is_prepared(&self, language: Language) -> bool {
        self.copies(language).await.is_some()
    }

    /// The same, and how many there have been.
    pub(crate) async fn copies(&self, language: Language) -> Option<u64> {
        let interpreter = self.inner.interpreters.get(language).ok()?;
        self.inner.nursery.zygote_ready(interpreter).await
    }

    /// Ends all workers, running calls included, and returns when they have been reaped. Calls made afterwards fail.
    ///
    /// A worker is reaped once the future of its call has noticed its end or has been dropped; for futures that
    /// nobody polls this waits 10 s at most.
    pub async fn shutdown(&self) {
        self.inner.pool.close();
        self.inner.nursery.rest();
        if tokio::time::timeout(SHUTDOWN, self.inner.pool.emptied()).await.is_err() {
            tracing::warn!(
                "some scripts' processes have been killed but not reaped: their calls' futures are not polled"
            );
        }
    }

    /// Starts a process ahead for the next call that needs one, unless there is one. `makes_room`: if need be in the place
    /// of a worker that has been idle for a while.
    fn keep_spare(&self, interpreter: &Arc<Interpreter>, makes_room: bool) {
        let Inner { pool, nursery, copies, .. } = &*self.inner;
        // One of a language that could copy it costs more than it is worth where it has to be started.
        let is_started = !(*copies && interpreter.is_copyable());
        if interpreter.recipe.zygote.is_some() && is_started {
            return;
        }
        let of = Arc::clone(interpreter);
        let Some(seat) = pool.seat_for_spare(interpreter.id) else {
            if makes_room {
                let (pool, inner) = (Arc::clone(pool), Arc::downgrade(&self.inner));
                tokio::spawn(async move {
                    if pool.make_room_for_spare(of.id).await
                        && let Some(inner) = inner.upgrade()
                    {
                        Runner { inner }.keep_spare(&of, false);
                    }
                });
            }
            return;
        };
        let pool = Arc::downgrade(pool);
        nursery.spawn_apart(seat, interpreter, move |born| {
            let spare = match born {
                Ok(newborn) => Some(Spare::new(newborn, &of)),
                Err(error) => {
                    tracing::warn!(%error, "no process could be started ahead");
                    None
                }
            };
            if let Some(pool) = pool.upgrade() {
                pool.spare_started(of.id, spare);
            }
        });
    }

    async fn start_worker(
        &self,
        seat: Seat,
        interpreter: &Arc<Interpreter>,
        script: &Script,
    ) -> Result<Worker, String> {
        match self.inner.nursery.spawn(seat, interpreter).await {
            Ok(newborn) => {
                let spare = Spare::new(newborn, interpreter);
                Worker::start(spare, interpreter, script, &self.inner.outward).await
            }
            Err(error) => {
                tracing::warn!(%error, instance = script.instance(), script = script.name(), "no worker could be started");
                Err(format!("the script's process can't be started: {error}"))
            }
        }
    }
}

/// How many processes may be there at a time, so that all of them together can't take more memory than they may.
fn workers_that_fit(
    settings: &RunnerBuilder,
    level: Isolation,
    interpreters: &Interpreters,
) -> Result<u32, StartError> {
    let Some(bytes) = settings.max_workers_memory else { return Ok(settings.max_workers) };
    let code = interpreters.found().map(|interpreter| interpreter.code).max().unwrap_or_default();
    let of_one = settings.limits.of_process(code, level).max(1);
    match u32::try_from(bytes / of_one).unwrap_or(u32::MAX) {
        0 => Err(StartError::Memory { bytes, of_one }),
        workers => Ok(workers.min(settings.max_workers)),
    }
}

fn refused(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Full => Outcome::never_ran(RunStatus::Blocked, ""),
        Refusal::Late => Outcome::never_ran(RunStatus::QueueTimeout, ""),
        Refusal::Closed => Outcome::never_ran(RunStatus::Failure, "the server is shutting down"),
    }
}
