//! A script made ready to run: its configuration put together, its limits read.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use syncano_core::{Dependency, Runtime, ScriptSource, Socket, UnknownRuntime, limits, normalize, numbers};
use syncano_runner::Script;

use crate::app::{App, Settings};
use crate::catalog::Instance;
use crate::store::scripts::ScriptRow;
use crate::time;

/// Keys of a script's configuration that are for the server. `CONFIG` doesn't show them.
const CONTROL: [&str; 6] = ["timeout", "async", "mcpu", "allow_full_access", "fresh", ENVIRONMENT];

/// The key under which a script's configuration names the environment that it finds its packages in.
pub(crate) const ENVIRONMENT: &str = "environment";

/// What a run needs of a script.
#[derive(Clone)]
pub(crate) struct Runnable {
    pub(crate) script: Script,
    pub(crate) timeout: Duration,
    /// Its runs get a token that acts for the instance's owner.
    pub(crate) full_access: bool,
}

impl Runnable {
    /// A script that is run by its number or its script endpoint. `name` is what tracebacks call it.
    pub(crate) fn of_script(
        instance: &Instance,
        name: &str,
        row: &ScriptRow,
        settings: &Settings,
    ) -> Result<Runnable, String> {
        Runnable::new(instance, name, row, Layers::default(), settings)
    }

    /// A script that a socket's calls name.
    pub(crate) fn of_socket(
        instance: &Instance,
        socket: &Socket,
        name: &str,
        row: &ScriptRow,
        settings: &Settings,
    ) -> Result<Runnable, String> {
        // A script that was there before keeps its own configuration, to which the dependency adds.
        let added = socket.dependencies.iter().find_map(|dependency| match dependency {
            Dependency::Script(script) if normalize(&script.name) == name => match script.script {
                ScriptSource::Existing { .. } => script.config.as_ref(),
                ScriptSource::New { .. } => None,
            },
            _ => None,
        });
        let layers = Layers { below: Some(&socket.config), above: added };
        let mut runnable = Runnable::new(instance, name, row, layers, settings)?;
        runnable.script = runnable.script.network(socket.network());
        Ok(runnable)
    }

    /// The same, for a call that may say how many seconds it takes.
    pub(crate) fn timeout(self: Arc<Runnable>, seconds: Option<f64>) -> Arc<Runnable> {
        match seconds.and_then(timeout) {
            Some(timeout) => Arc::new(Runnable { timeout, ..Runnable::clone(&self) }),
            None => self,
        }
    }

    /// The token that the script gets in `META`.
    pub(crate) fn token(&self, app: &App, instance: &Instance) -> Option<String> {
        self.full_access.then(|| app.keys.token(instance.id, time::now()).expose_secret().to_owned())
    }

    fn new(
        instance: &Instance,
        name: &str,
        row: &ScriptRow,
        layers: Layers<'_>,
        settings: &Settings,
    ) -> Result<Runnable, String> {
        let runtime: Runtime = row
            .runtime
            .parse()
            .map_err(|unknown: UnknownRuntime| format!("the script \"{name}\" can't run: {unknown}"))?;
        let mut own: Map<String, Value> = serde_json::from_str(&row.config)
            .map_err(|error| format!("the configuration of the script \"{name}\" can't be read: {error}"))?;
        own.extend(layers.above.cloned().unwrap_or_default());
        let timeout = own.get("timeout").and_then(Value::as_f64).and_then(timeout);
        let timeout = timeout.unwrap_or(settings.script_timeout);
        let fresh = own.get("fresh") == Some(&Value::Bool(true));
        let full_access = own.get("allow_full_access") == Some(&Value::Bool(true));
        let environment = own.remove(ENVIRONMENT).and_then(|name| name.as_str().map(str::to_owned));
        let mut config = Map::clone(&instance.config.load());
        config.extend(layers.below.cloned().unwrap_or_default());
        config.extend(own);
        config.retain(|key, _| !CONTROL.contains(&key.as_str()));
        let config = Value::Object(config).to_string();
        if let Some(lost) = numbers::lost(runtime.language(), &config).first() {
            return Err(format!(
                "the script \"{name}\" can't run: its CONFIG doesn't reach it whole: {lost}"
            ));
        }
        // By its number: what a process remembers must not pass to another instance along with the name.
        let mut script =
            Script::new(instance.id.to_string(), name, runtime, row.source.as_str(), config).fresh(fresh);
        if let Some(environment) = environment {
            script = script.environment(environment);
        }
        Ok(Runnable { script, timeout, full_access })
    }
}

/// Nothing that isn't positive is a limit.
fn timeout(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(limits::TIMEOUT_SECONDS)))
}

/// What a socket adds to a script's own configuration.
#[derive(Default)]
struct Layers<'a> {
    /// Gives way to the script's.
    below: Option<&'a Map<String, Value>>,
    /// Wins over the script's.
    above: Option<&'a Map<String, Value>>,
}
