//! The runner on other systems than Linux: it doesn't start, and says why. So the rest of the program still builds.

use std::convert::Infallible;
use std::time::Duration;

use syncano_core::{Language, RunLimits};

use crate::builder::{RunnerBuilder, StartError};
use crate::call::Call;
use crate::check::Remembered;
use crate::doctor::{Doctor, Missing};
use crate::environment::{Environment, MissingEnvironment};
use crate::interpreter::{Interpreter, MissingInterpreter};
use crate::isolation::Isolation;
use crate::outcome::Outcome;
use crate::script::Script;

/// Runs scripts in warm, sandboxed processes. On this system there is none: [`RunnerBuilder::build`] refuses.
#[derive(Debug, Clone)]
pub struct Runner {
    none: Infallible,
}

impl Runner {
    /// The default settings.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::default()
    }

    /// Refuses.
    pub(crate) fn start(_: RunnerBuilder) -> Result<Runner, StartError> {
        Err(StartError::Platform)
    }

    /// Finds nothing.
    pub(crate) fn examine(_: RunnerBuilder) -> Doctor {
        let missing = vec![Missing::new(Isolation::Process, StartError::Platform.to_string())];
        Doctor { level: Isolation::None, controls: Vec::new(), missing, not_copied: None }
    }

    /// The level that is in force.
    pub fn isolation(&self) -> Isolation {
        match self.none {}
    }

    /// The limits of a run that may take so long.
    pub fn limits(&self, _: Duration) -> RunLimits {
        match self.none {}
    }

    /// The interpreter of a language, or what to do about its absence.
    pub fn interpreter(&self, _: Language) -> Result<&Interpreter, MissingInterpreter> {
        match self.none {}
    }

    /// Whether workers are copies of a process that has loaded the interpreter.
    pub async fn is_prepared(&self, _: Language) -> bool {
        match self.none {}
    }

    /// The largest number of processes.
    pub fn max_workers(&self) -> usize {
        match self.none {}
    }

    /// The environments that scripts can name.
    pub fn environments(&self) -> &[Environment] {
        match self.none {}
    }

    /// The environment of that name for scripts in that language.
    pub fn environment(&self, _: &str, _: Language) -> Result<&Environment, MissingEnvironment> {
        match self.none {}
    }

    /// Runs `script` once.
    pub async fn run(&self, _: &Script, _: Call) -> Outcome {
        match self.none {}
    }

    /// What checks have found out so far.
    pub(crate) fn remembered(&self) -> &Remembered {
        match self.none {}
    }

    /// Ends all workers.
    pub async fn shutdown(&self) {
        match self.none {}
    }
}
