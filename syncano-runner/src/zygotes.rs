//! The processes that workers are copies of: one per interpreter, replaced now and then, ended when nobody needs workers.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::interpreter::Interpreter;
use crate::output::Outputs;
use crate::sandbox::{Conversation, Sandbox, Spawned, Zygote};

/// All copies of one process hash texts alike and have their memory laid out alike, so there aren't too many of one.
const COPIES: u32 = 1000;

/// Nor is one used for long.
const AGE: Duration = Duration::from_secs(600);

/// One that fails again and again is not tried for this long.
const LONGEST_REST: Duration = Duration::from_secs(64);

/// The zygotes of one runner. They belong to the thread that starts processes, with which they end.
#[derive(Default)]
pub(crate) struct Zygotes {
    kept: Vec<Kept>,
    /// How many workers have been made in all.
    copies: u64,
}

/// What there is for one interpreter.
struct Kept {
    interpreter: Arc<Interpreter>,
    /// Makes workers.
    ready: Option<Live>,
    /// Loads what it needs, and will then take the other's place.
    coming: Option<Live>,
    failures: u32,
    rests_until: Instant,
}

struct Live {
    zygote: Zygote,
    outputs: Outputs,
    since: Instant,
    copies: u32,
}

impl Zygotes {
    /// Has `interpreter`'s zygote make a worker. `None`: there is none now, so the worker is to be started.
    pub(crate) fn copy(
        &mut self,
        sandbox: &Sandbox,
        base: &Path,
        interpreter: &Arc<Interpreter>,
        seat: u32,
        (conversation, standard): (Conversation, [OwnedFd; 3]),
    ) -> Option<Spawned> {
        let kept = self.kept(sandbox, base, interpreter)?;
        let live = kept.ready.as_mut()?;
        match sandbox.spawn_from(&mut live.zygote, seat, interpreter, conversation, standard) {
            Ok(spawned) => {
                live.copies += 1;
                kept.failures = 0;
                self.copies += 1;
                Some(spawned)
            }
            Err(error) => {
                let live = kept.ready.take();
                kept.fail(live, &error);
                kept.start(sandbox, base);
                None
            }
        }
    }

    /// Waits until `interpreter`'s zygote is ready, and says how many workers have been made so far; `None` if it can't be.
    pub(crate) fn prepare(
        &mut self,
        sandbox: &Sandbox,
        base: &Path,
        interpreter: &Arc<Interpreter>,
    ) -> Option<u64> {
        let kept = self.kept(sandbox, base, interpreter)?;
        if kept.ready.is_none()
            && let Some(mut live) = kept.coming.take()
        {
            match live.zygote.wait() {
                Ok(()) => kept.ready = Some(live),
                Err(error) => kept.fail(Some(live), &error),
            }
        }
        let is_ready = kept.ready.is_some();
        is_ready.then_some(self.copies)
    }

    /// Sees to it that there is one, or will be. Doesn't wait.
    pub(crate) fn keep(&mut self, sandbox: &Sandbox, base: &Path, interpreter: &Arc<Interpreter>) {
        self.kept(sandbox, base, interpreter);
    }

    /// Ends all.
    pub(crate) fn end(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn kept(&mut self, sandbox: &Sandbox, base: &Path, interpreter: &Arc<Interpreter>) -> Option<&mut Kept> {
        if !sandbox.has_zygotes() || !interpreter.is_copyable() {
            return None;
        }
        let index = self.kept.iter().position(|kept| kept.interpreter.id == interpreter.id);
        let index = index.unwrap_or_else(|| {
            self.kept.push(Kept {
                interpreter: Arc::clone(interpreter),
                ready: None,
                coming: None,
                failures: 0,
                rests_until: Instant::now(),
            });
            self.kept.len() - 1
        });
        let kept = self.kept.get_mut(index)?;
        kept.renew(sandbox, base);
        Some(kept)
    }
}

impl Kept {
    /// Lets the next one take over when it can, and starts one when it is time.
    fn renew(&mut self, sandbox: &Sandbox, base: &Path) {
        match self.coming.as_mut().map(|coming| coming.zygote.is_ready()) {
            // The old one is dropped, which ends it.
            Some(Ok(true)) => self.ready = self.coming.take(),
            Some(Err(error)) => {
                let live = self.coming.take();
                self.fail(live, &error);
            }
            Some(Ok(false)) | None => {}
        }
        let is_used_up = |live: &Live| live.copies >= COPIES || live.since.elapsed() >= AGE;
        if self.ready.as_ref().is_none_or(is_used_up) {
            self.start(sandbox, base);
        }
    }

    fn start(&mut self, sandbox: &Sandbox, base: &Path) {
        let Some(program) = &self.interpreter.recipe.zygote else { return };
        if self.coming.is_some() || Instant::now() < self.rests_until {
            return;
        }
        let start = || -> io::Result<Live> {
            let outputs = Outputs::new()?;
            let (out, err) = outputs.for_child()?;
            let standard = [File::open("/dev/null")?.into(), out, err];
            let zygote = sandbox.spawn_zygote(&self.interpreter, program, base, standard)?;
            Ok(Live { zygote, outputs, since: Instant::now(), copies: 0 })
        };
        match start() {
            Ok(live) => self.coming = Some(live),
            Err(error) => self.fail(None, &error),
        }
    }

    fn fail(&mut self, live: Option<Live>, error: &io::Error) {
        let stderr = live.and_then(|mut live| live.outputs.take().ok()).unwrap_or_default().stderr;
        // Once is what happens when somebody kills it.
        let rest = if self.failures == 0 { 0 } else { 1 << self.failures.min(6) };
        self.rests_until = Instant::now() + Duration::from_secs(rest).min(LONGEST_REST);
        self.failures += 1;
        tracing::warn!(
            %error, stderr, interpreter = %self.interpreter,
            "workers can't be copied from a process that has loaded the interpreter: they are started, which takes longer"
        );
    }
}
