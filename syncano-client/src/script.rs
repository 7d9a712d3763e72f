//! Scripts that belong to no socket: made once, run by themselves, by script endpoints and by sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncano_core::{Map, RunStatus, Runtime, Trace, route};

use crate::client::ANSWER_TIMEOUT;
use crate::patience::Patience;
use crate::{Error, Instance, Pages, RecordedTrace, recorded};

/// A script on the server, as it was when last read.
///
/// A socket uses it through [`SocketBuilder::existing_script`](crate::SocketBuilder::existing_script), by its
/// [`id`](Script::id).
#[derive(Debug, Clone)]
pub struct Script {
    instance: Instance,
    data: Data,
}

#[derive(Debug, Clone, Deserialize)]
struct Data {
    id: i64,
    runtime_name: Runtime,
    source: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    config: Map,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

/// A script to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewScript {
    runtime_name: Runtime,
    source: String,
    #[serde(flatten)]
    more: ScriptUpdate,
}

impl NewScript {
    /// A script of this runtime and source.
    pub fn new(runtime: Runtime, source: impl Into<String>) -> NewScript {
        NewScript { runtime_name: runtime, source: source.into(), more: ScriptUpdate::new() }
    }

    /// Sets the label, by which lists can be filtered.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.more = self.more.label(label);
        self
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.more = self.more.description(text);
        self
    }

    /// Sets what the script sees in `CONFIG`; `timeout` in it is how many seconds the script may take.
    pub fn config(mut self, config: Map) -> Self {
        self.more = self.more.config(config);
        self
    }
}

/// What to change of a script; what is not set stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScriptUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_name: Option<Runtime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Map>,
}

impl ScriptUpdate {
    /// Changes nothing yet.
    pub fn new() -> ScriptUpdate {
        ScriptUpdate::default()
    }

    /// Sets what runs it.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime_name = Some(runtime);
        self
    }

    /// Sets the program text.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the label.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Replaces what the script sees in `CONFIG`.
    pub fn config(mut self, config: Map) -> Self {
        self.config = Some(config);
        self
    }
}

/// A runtime as the server describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct RuntimeDetails {
    /// The name, as scripts and dependencies give it.
    pub name: String,
    /// The version of the language.
    #[serde(default)]
    pub version: Option<String>,
    /// The library that scripts can import.
    #[serde(default)]
    pub library: Option<String>,
    /// Its version.
    #[serde(default)]
    pub library_version: Option<String>,
    /// Whether another one should be used for new scripts.
    #[serde(default)]
    pub deprecated: bool,
    /// What scripts run in.
    #[serde(default)]
    pub image: Option<String>,
    /// Packages that scripts can import.
    #[serde(default)]
    pub packages: Value,
}

impl Instance {
    /// Makes a script.
    ///
    /// # Errors
    /// When the script breaks a limit, the server is not reached or refuses the key.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// use syncano_client::{NewScript, Runtime};
    ///
    /// let new = NewScript::new(Runtime::Python3, "print(ARGS['a'] + 1)").label("adder");
    /// let script = instance.create_script(new).await?;
    /// let trace = script.run(serde_json::json!({"a": 2})).await?.finished().await?;
    /// assert_eq!(trace.result.stdout, "3");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_script(&self, script: NewScript) -> Result<Script, Error> {
        let data = self.client().post(&route::scripts(self.name()), script).await?;
        Ok(Script { instance: self.clone(), data })
    }

    /// The scripts of the instance. Very long sources are cut in lists; [`script`](Instance::script) reads all.
    pub fn scripts(&self) -> Pages<Script> {
        let instance = self.clone();
        let make = move |data| Script { instance: instance.clone(), data };
        Pages::new(self.client(), route::scripts(self.name()), make)
    }

    /// The scripts whose label starts with `start`.
    pub fn scripts_labelled(&self, start: &str) -> Pages<Script> {
        self.scripts().with("label__startswith", start)
    }

    /// The script of that number; `None` when there is none.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn script(&self, id: i64) -> Result<Option<Script>, Error> {
        let data = self.client().find(&route::script(self.name(), id)).await?;
        Ok(data.map(|data| Script { instance: self.clone(), data }))
    }

    /// The runtimes that scripts can name, by name.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn runtimes(&self) -> Result<BTreeMap<String, RuntimeDetails>, Error> {
        self.client().get(&route::runtimes(self.name())).await
    }
}

impl Script {
    /// The number.
    pub fn id(&self) -> i64 {
        self.data.id
    }

    /// What runs it.
    pub fn runtime(&self) -> Runtime {
        self.data.runtime_name
    }

    /// The program text.
    pub fn source(&self) -> &str {
        &self.data.source
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.data.label
    }

    /// The description.
    pub fn description(&self) -> &str {
        &self.data.description
    }

    /// What it sees in `CONFIG`, beside what its instance and socket set.
    pub fn config(&self) -> &Map {
        &self.data.config
    }

    /// When it was made, UTC.
    pub fn created_at(&self) -> Option<&str> {
        self.data.created_at.as_deref()
    }

    /// When it was changed, UTC.
    pub fn updated_at(&self) -> Option<&str> {
        self.data.updated_at.as_deref()
    }

    /// Changes it, and with it every socket and script endpoint that uses it.
    ///
    /// # Errors
    /// When it is gone, breaks a limit, or belongs to a socket, which alone changes it.
    pub async fn update(&mut self, update: ScriptUpdate) -> Result<(), Error> {
        self.data = self.instance.client().patch(&self.path(), update).await?;
        Ok(())
    }

    /// Reads it again.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn reload(&mut self) -> Result<(), Error> {
        self.data = self.instance.client().get(&self.path()).await?;
        Ok(())
    }

    /// Deletes it with its script endpoints.
    ///
    /// # Errors
    /// When it is gone, or belongs to a socket.
    pub async fn delete(self) -> Result<(), Error> {
        self.instance.client().delete(&self.path()).await
    }

    /// Starts a run, which goes on after this returns. The payload, an object or a list, is what the script sees as `ARGS`;
    /// `()` is none.
    ///
    /// # Errors
    /// When the payload is something else, the script is gone, or the server is not reached.
    pub async fn run(&self, payload: impl Serialize) -> Result<PendingTrace, Error> {
        let path = route::script_run(self.instance.name(), self.id());
        let payload = serde_json::to_value(payload)
            .map_err(|source| Error::Encode { request: format!("POST {path}"), source })?;
        let trace = self.instance.client().post(&path, json!({ "payload": payload })).await?;
        Ok(PendingTrace { script: self.clone(), trace, timeout: ANSWER_TIMEOUT })
    }

    /// What was recorded of the runs that [`run`](Script::run) started, newest first.
    pub fn traces(&self) -> Pages<RecordedTrace> {
        recorded::list(self.instance.client(), self.traces_path())
    }

    /// One recorded run; `None` when there is none of that number, or no longer.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn trace(&self, id: i64) -> Result<Option<RecordedTrace>, Error> {
        recorded::one(self.instance.client(), &self.traces_path(), id).await
    }

    fn path(&self) -> String {
        route::script(self.instance.name(), self.id())
    }

    fn traces_path(&self) -> String {
        route::script_traces(self.instance.name(), self.id())
    }
}

/// A run that [`Script::run`] started.
#[derive(Debug, Clone)]
#[must_use = "the run goes on by itself; `finished` waits for its end"]
pub struct PendingTrace {
    script: Script,
    trace: Trace,
    timeout: Duration,
}

impl PendingTrace {
    /// The run as it was when last read.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Whether it had ended when it was last read.
    pub fn is_finished(&self) -> bool {
        !matches!(self.trace.status, RunStatus::Pending | RunStatus::Processing)
    }

    /// Reads it again.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn reload(&mut self) -> Result<(), Error> {
        let path = route::trace(&self.script.traces_path(), self.trace.id);
        self.trace = self.script.instance.client().get(&path).await?;
        Ok(())
    }

    /// Lets [`finished`](PendingTrace::finished) wait this long instead of 310 s. The script's own timeout is the server's
    /// business.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Waits until the run has ended, well or not: the trace's `status` tells.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when it still goes on after the timeout; and as [`reload`](PendingTrace::reload).
    pub async fn finished(mut self) -> Result<Trace, Error> {
        let mut patience = Patience::new(self.timeout);
        while !self.is_finished() {
            if !patience.wait().await {
                let what = format!("run {} of script {}", self.trace.id, self.script.id());
                return Err(Error::Unfinished {
                    what,
                    status: self.trace.status.to_string(),
                    waited: self.timeout,
                });
            }
            self.reload().await?;
        }
        Ok(self.trace)
    }
}
