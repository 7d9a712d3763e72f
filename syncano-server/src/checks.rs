//! Whether the scripts that a socket brings along can be compiled: their interpreters are asked before it is installed.
//!
//! That takes its time, and a change holds the database's only writer. So a change that finds a script of which nothing
//! is known ends without effect, the script is checked, and the change begins again.

use std::collections::HashMap;
use std::fmt::Write as _;

use syncano_core::{Dependency, Language, Runtime, ScriptSource, Socket, normalize};
use syncano_runner::{Runner, Verdict};

use crate::catalog::Instance;
use crate::errors::quoted;

/// How many broken scripts of a socket are told about.
const TOLD: usize = 5;

/// What is known of the scripts of one change.
#[derive(Default)]
pub(crate) struct Checks {
    verdicts: HashMap<Language, HashMap<String, Verdict>>,
    missing: Vec<(Runtime, String)>,
}

impl Checks {
    /// What is wrong with the scripts that `socket` brings along: sentences, each with the place in the script.
    pub(crate) fn problems(&mut self, runner: &Runner, socket: &Socket) -> Vec<String> {
        let mut problems = Vec::new();
        for dependency in &socket.dependencies {
            let Dependency::Script(script) = dependency else { continue };
            let ScriptSource::New { runtime_name, source } = &script.script else { continue };
            // Of two equal names nobody reaches the second; it is compiled all the same.
            let known =
                self.verdicts.get(&runtime_name.language()).and_then(|known| known.get(source)).cloned();
            match known.or_else(|| runner.checked_before(*runtime_name, source)) {
                Some(Verdict::Broken(flaw)) => {
                    let users = endpoints(socket, &script.name);
                    problems.push(format!("the script \"{}\"{users} can't be compiled: {flaw}", script.name));
                }
                Some(Verdict::Sound) => {}
                // Its runs will tell.
                Some(Verdict::Unchecked(why)) => {
                    tracing::debug!(
                        socket = socket.name,
                        script = script.name,
                        why,
                        "a script was not checked"
                    );
                }
                None => self.missing.push((*runtime_name, source.clone())),
            }
        }
        if problems.len() > TOLD {
            let more = problems.len() - TOLD;
            problems.truncate(TOLD);
            problems.push(format!("{more} more scripts can't be compiled"));
        }
        problems
    }

    /// Whether [`problems`](Checks::problems) met a script of which nothing is known.
    pub(crate) fn are_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Checks what is missing. One instance is served at a time: its hostile scripts hold up nobody else's.
    pub(crate) async fn catch_up(&mut self, runner: &Runner, instance: &Instance) {
        let _alone = instance.checking.lock().await;
        let missing = std::mem::take(&mut self.missing);
        let verdicts = runner.check(&missing).await;
        for ((runtime, source), verdict) in missing.into_iter().zip(verdicts) {
            if let Verdict::Unchecked(why) = &verdict {
                tracing::warn!(instance = instance.name, %runtime, why, "a script is published without a check");
            }
            self.verdicts.entry(runtime.language()).or_default().insert(source, verdict);
        }
    }
}

/// The endpoints whose calls name a script, in words.
fn endpoints(socket: &Socket, script: &str) -> String {
    let name = normalize(script);
    let calls = |endpoint: &&String| {
        socket.endpoints[*endpoint].calls.iter().any(|call| normalize(&call.name) == name)
    };
    let names: Vec<&String> = socket.endpoints.keys().filter(calls).collect();
    let Some((first, others)) = names.split_first() else { return String::new() };
    let mut text = format!(" of endpoint \"{}\"", quoted(first));
    match others {
        [] => {}
        [other] => drop(write!(text, " and \"{}\"", quoted(other))),
        _ => drop(write!(text, " and {} others", others.len())),
    }
    text
}
