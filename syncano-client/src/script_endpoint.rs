//! Script endpoints: an address for a script, and if wanted a public one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncano_core::{Method, route};

use crate::call::Destination;
use crate::called::Name;
use crate::run::run;
use crate::{Call, Error, FromAnswer, Instance, Pages, RecordedTrace, recorded};

/// The methods that run a script endpoint.
const METHODS: &[Method] = &[Method::Get, Method::Post];

/// A script endpoint on the server, as it was when last read.
///
/// An endpoint of a socket uses it by its name, without a dependency:
/// [`SocketBuilder::call`](crate::SocketBuilder::call).
#[derive(Debug, Clone)]
pub struct ScriptEndpoint {
    instance: Instance,
    data: Data,
}

#[derive(Debug, Clone, Deserialize)]
struct Data {
    name: String,
    script: i64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    public: bool,
    public_link: String,
}

/// A script endpoint to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewScriptEndpoint {
    name: String,
    script: i64,
    #[serde(flatten)]
    more: ScriptEndpointUpdate,
}

impl NewScriptEndpoint {
    /// An endpoint of this name for the script of that number.
    pub fn new(name: impl Into<String>, script: i64) -> NewScriptEndpoint {
        NewScriptEndpoint { name: name.into(), script, more: ScriptEndpointUpdate::new() }
    }

    /// Whether it has a public link, which runs it without a key.
    pub fn public(mut self, public: bool) -> Self {
        self.more = self.more.public(public);
        self
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.more = self.more.description(text);
        self
    }
}

/// What to change of a script endpoint; what is not set stays. Its name always does.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScriptEndpointUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl ScriptEndpointUpdate {
    /// Changes nothing yet.
    pub fn new() -> ScriptEndpointUpdate {
        ScriptEndpointUpdate::default()
    }

    /// Lets it run another script, by its number.
    pub fn script(mut self, id: i64) -> Self {
        self.script = Some(id);
        self
    }

    /// Whether it has a public link, which runs it without a key.
    pub fn public(mut self, public: bool) -> Self {
        self.public = Some(public);
        self
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }
}

impl Instance {
    /// Makes a script endpoint.
    ///
    /// # Errors
    /// [`Error::Api`] when the name breaks the rules or is taken, or there is no script of that number.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance, script: syncano_client::Script) -> anyhow::Result<()> {
    /// use syncano_client::{Method, NewScriptEndpoint};
    ///
    /// let new = NewScriptEndpoint::new("monthly", script.id()).public(true);
    /// let monthly = instance.create_script_endpoint(new).await?;
    /// let report = monthly.run(Method::Post, serde_json::json!({"month": 8})).await?;
    /// println!("{report}, and for everybody at {}", monthly.public_url());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_script_endpoint(&self, endpoint: NewScriptEndpoint) -> Result<ScriptEndpoint, Error> {
        let data = self.client().post(&route::script_endpoints(self.name()), endpoint).await?;
        Ok(ScriptEndpoint { instance: self.clone(), data })
    }

    /// The script endpoints of the instance, those that sockets made included.
    pub fn script_endpoints(&self) -> Pages<ScriptEndpoint> {
        let instance = self.clone();
        let make = move |data| ScriptEndpoint { instance: instance.clone(), data };
        Pages::new(self.client(), route::script_endpoints(self.name()), make)
    }

    /// The script endpoint of that name; `None` when there is none.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn script_endpoint(&self, name: &str) -> Result<Option<ScriptEndpoint>, Error> {
        let data = self.client().find(&route::script_endpoint(self.name(), name)).await?;
        Ok(data.map(|data| ScriptEndpoint { instance: self.clone(), data }))
    }

    /// Runs a script endpoint by its public link, GET or POST. No key is sent.
    ///
    /// The rest is as with [`SocketEndpoint::run`](crate::SocketEndpoint::run).
    #[track_caller]
    pub fn run_public(
        &self,
        method: Method,
        public_link: &str,
        name: &str,
        data: impl Serialize,
    ) -> Call<Value, Value> {
        self.run_public_as(method, public_link, name, data)
    }

    /// As [`run_public`](Instance::run_public), with an answer of another type than JSON.
    #[track_caller]
    pub fn run_public_as<T: FromAnswer>(
        &self,
        method: Method,
        public_link: &str,
        name: &str,
        data: impl Serialize,
    ) -> Call<T, Value> {
        let path = route::public_run(self.name(), public_link, name);
        run(&self.client().without_key(), destination(name, path), method, data)
    }
}

impl ScriptEndpoint {
    /// The name, unique in the instance.
    pub fn name(&self) -> &str {
        &self.data.name
    }

    /// The number of the script that it runs.
    pub fn script(&self) -> i64 {
        self.data.script
    }

    /// The description.
    pub fn description(&self) -> &str {
        &self.data.description
    }

    /// Whether its public link runs it.
    pub fn is_public(&self) -> bool {
        self.data.public
    }

    /// The public link: 40 hexadecimal digits.
    pub fn public_link(&self) -> &str {
        &self.data.public_link
    }

    /// The whole address that runs it without a key, if it [is public](ScriptEndpoint::is_public).
    pub fn public_url(&self) -> String {
        let path = route::public_run(self.instance.name(), self.public_link(), self.name());
        self.instance.client().url(&path).into()
    }

    /// Runs it, GET or POST.
    ///
    /// The rest is as with [`SocketEndpoint::run`](crate::SocketEndpoint::run).
    #[track_caller]
    pub fn run(&self, method: Method, data: impl Serialize) -> Call<Value, Value> {
        self.run_as(method, data)
    }

    /// As [`run`](ScriptEndpoint::run), with an answer of another type than JSON.
    #[track_caller]
    pub fn run_as<T: FromAnswer>(&self, method: Method, data: impl Serialize) -> Call<T, Value> {
        let path = route::script_endpoint_run(self.instance.name(), self.name());
        run(self.instance.client(), destination(self.name(), path), method, data)
    }

    /// Changes it.
    ///
    /// # Errors
    /// When it is gone, belongs to a socket, or there is no script of that number.
    pub async fn update(&mut self, update: ScriptEndpointUpdate) -> Result<(), Error> {
        self.data = self.instance.client().patch(&self.path(), update).await?;
        Ok(())
    }

    /// Gives it another public link; the one of before leads nowhere from now on.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn reset_link(&mut self) -> Result<(), Error> {
        let path = route::script_endpoint_reset_link(self.instance.name(), self.name());
        self.data = self.instance.client().post(&path, json!({})).await?;
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

    /// Deletes it; the script stays.
    ///
    /// # Errors
    /// When it is gone, or belongs to a socket.
    pub async fn delete(self) -> Result<(), Error> {
        self.instance.client().delete(&self.path()).await
    }

    /// What was recorded of its runs, newest first.
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
        route::script_endpoint(self.instance.name(), self.name())
    }

    fn traces_path(&self) -> String {
        route::script_endpoint_traces(self.instance.name(), self.name())
    }
}

fn destination(name: &str, path: String) -> Destination {
    Destination {
        name: Name::Text(name.to_owned()),
        path,
        methods: Cow::Borrowed(METHODS),
        script: None,
        contract: None,
    }
}
