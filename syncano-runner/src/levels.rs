//! Which level of isolation a runner runs at.

use crate::builder::RunnerBuilder;
use crate::doctor::{Doctor, Missing};
use crate::isolation::Isolation;
use crate::probes::{self, Found};
use crate::runner::Interpreters;

/// Tries the levels that the settings allow, the best one first. Where none of them holds the answer is
/// [`Isolation::None`], and says why.
pub(crate) fn find(settings: &RunnerBuilder, interpreters: &Interpreters) -> Doctor {
    let mut missing = Vec::new();
    for level in [Isolation::Namespace, Isolation::Process] {
        if !settings.isolation.allows(level) {
            continue;
        }
        match probes::check(level, settings, interpreters) {
            Ok(Found { controls, not_copied }) => return Doctor { level, controls, missing, not_copied },
            Err(lack) => missing.push(Missing::new(level, lack)),
        }
    }
    Doctor { level: Isolation::None, controls: Vec::new(), missing, not_copied: None }
}
