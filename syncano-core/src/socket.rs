//! The model: a socket, its endpoints, their calls, and what they depend on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::inherit::NETWORK;
use crate::{Methods, NetworkPolicy, Runtime, SocketBuilder, Violation, normalize};

/// A JSON object.
pub type Map = serde_json::Map<String, serde_json::Value>;

/// The definition of a custom socket; as JSON it is the body that creates one.
///
/// A value of this type may break the rules; [`Socket::validate`] tells. [`Socket::builder`] and
/// [`Socket::from_json`] only make valid ones.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct Socket {
    /// The name, unique in its instance.
    pub name: String,
    /// For people.
    pub description: String,
    /// What scripts see as `CONFIG`.
    pub config: Map,
    /// Free data of the socket's author.
    pub metadata: Map,
    /// The endpoints by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// What the calls refer to.
    pub dependencies: Vec<Dependency>,
}

impl Socket {
    /// Starts a definition.
    pub fn builder(name: impl Into<String>) -> SocketBuilder {
        SocketBuilder::new(name)
    }

    /// The script dependency that a call of this name refers to.
    pub fn script(&self, name: &str) -> Option<&ScriptDependency> {
        self.dependencies.iter().find_map(|dependency| match dependency {
            Dependency::Script(script) if normalize(&script.name) == normalize(name) => Some(script),
            _ => None,
        })
    }

    /// Whom its scripts may talk to. What is no policy permits nobody; [`validate`](Socket::validate) reports it.
    pub fn network(&self) -> NetworkPolicy {
        match self.metadata.get(NETWORK) {
            None | Some(serde_json::Value::Null) => NetworkPolicy::Public,
            Some(policy) => NetworkPolicy::from_json(policy).unwrap_or(NetworkPolicy::None),
        }
    }
}

impl TryFrom<serde_json::Value> for Socket {
    type Error = crate::violation::Violations;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        Socket::from_json(&value).map_err(crate::violation::Violations)
    }
}

/// One endpoint: an address that answers some HTTP methods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Endpoint {
    /// Which script answers which methods; the first call that lists a method answers it.
    pub calls: Vec<Call>,
    /// Free data, and under the name of a method (or `*`) its schemas.
    pub metadata: Map,
    /// Who may call; kept and echoed.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub acl: Map,
    /// The default of its calls' [`private`](Call::private). `None` keeps what was published before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// The default of its calls' [`cache`](Call::cache). `None` keeps what was published before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<u32>,
    /// The default of its calls' [`timeout`](Call::timeout); 0 takes back what was published before, and `None`
    /// keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

impl Endpoint {
    /// An endpoint without calls.
    pub fn new() -> Endpoint {
        Endpoint::default()
    }

    /// Adds a call.
    pub fn add_call(&mut self, call: Call) -> &mut Self {
        self.calls.push(call);
        self
    }

    /// Makes calls that don't say otherwise [private](Call::private).
    pub fn private(mut self, private: bool) -> Self {
        self.private = Some(private);
        self
    }

    /// Sets the [cache time](Call::cache) of calls that have none of their own.
    pub fn cache(mut self, seconds: u32) -> Self {
        self.cache = Some(seconds);
        self
    }

    /// Sets the [timeout](Call::timeout) of calls that have none of their own.
    pub fn timeout(mut self, seconds: f64) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Returns a call of this endpoint as it is in force: what it doesn't say itself, the endpoint says for it.
    ///
    /// ```
    /// use syncano_core::{Call, Endpoint, Method};
    ///
    /// let mut endpoint = Endpoint::new().private(true).timeout(2.0);
    /// endpoint.add_call(Call::new("show", [Method::Get]).private(false));
    /// let call = endpoint.in_force(&endpoint.calls[0]);
    /// assert_eq!((call.private, call.timeout), (Some(false), Some(2.0)));
    /// ```
    pub fn in_force(&self, call: &Call) -> Call {
        Call {
            private: call.private.or(self.private),
            cache: call.cache.or(self.cache),
            timeout: call.timeout.or(self.timeout),
            ..call.clone()
        }
    }
}

impl<const N: usize> From<[Call; N]> for Endpoint {
    fn from(calls: [Call; N]) -> Endpoint {
        Endpoint { calls: calls.into(), ..Endpoint::default() }
    }
}

/// One call of an endpoint: a script and the methods it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "script")]
pub struct Call {
    /// The name of the script dependency, or of a script endpoint that exists.
    pub name: String,
    /// The methods answered.
    pub methods: Methods,
    /// Only callers with a key may run it. `None` keeps what was published before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Seconds for which an answer may be repeated. `None` keeps what was published before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<u32>,
    /// Seconds that the script may take; 0 takes back what was published before, and `None` keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

impl Call {
    /// A call with no options.
    pub fn new(name: impl Into<String>, methods: impl Into<Methods>) -> Call {
        Call { name: name.into(), methods: methods.into(), private: None, cache: None, timeout: None }
    }

    /// Whether only callers with a key may run it.
    pub fn private(mut self, private: bool) -> Self {
        self.private = Some(private);
        self
    }

    /// For how many seconds an answer may be repeated; 0 for none.
    pub fn cache(mut self, seconds: u32) -> Self {
        self.cache = Some(seconds);
        self
    }

    /// How many seconds the script may take; 0 leaves that to its configuration and the server.
    pub fn timeout(mut self, seconds: f64) -> Self {
        self.timeout = Some(seconds);
        self
    }
}

/// What a socket brings along or needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Dependency {
    /// A script.
    Script(ScriptDependency),
    /// A class of data objects: stored and echoed.
    Class(ClassDependency),
}

impl Dependency {
    /// The name by which calls refer to it.
    pub fn name(&self) -> &str {
        match self {
            Dependency::Script(script) => &script.name,
            Dependency::Class(class) => &class.name,
        }
    }
}

impl From<ScriptDependency> for Dependency {
    fn from(script: ScriptDependency) -> Dependency {
        Dependency::Script(script)
    }
}

impl From<ClassDependency> for Dependency {
    fn from(class: ClassDependency) -> Dependency {
        Dependency::Class(class)
    }
}

/// A script that calls refer to by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScriptDependency {
    /// The name that calls use.
    pub name: String,
    /// The script itself, or which existing one.
    #[serde(flatten)]
    pub script: ScriptSource,
    /// The script's own configuration (`timeout`, `fresh`, …). `None` keeps what was published before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Map>,
}

impl ScriptDependency {
    /// A new script, which the socket brings along.
    pub fn new(name: impl Into<String>, runtime: Runtime, source: impl Into<String>) -> ScriptDependency {
        let script = ScriptSource::New { runtime_name: runtime, source: source.into() };
        ScriptDependency { name: name.into(), script, config: None }
    }

    /// A script that is on the server already, by its number.
    pub fn existing(name: impl Into<String>, script: i64) -> ScriptDependency {
        ScriptDependency { name: name.into(), script: ScriptSource::Existing { script }, config: None }
    }

    /// Sets the script's own configuration.
    pub fn config(mut self, config: Map) -> Self {
        self.config = Some(config);
        self
    }
}

/// Where a script comes from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScriptSource {
    /// A new script.
    New {
        /// What runs it.
        runtime_name: Runtime,
        /// The program text.
        source: String,
    },
    /// A script that is on the server already.
    Existing {
        /// Its number.
        script: i64,
    },
}

/// The source's first line and size: a definition is printed to see what it is, and its scripts are read elsewhere.
impl fmt::Debug for ScriptSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self {
            ScriptSource::New { runtime_name, source } => {
                let line = source.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let first: String = line.chars().take(SHOWN).collect();
                let mut shown = f.debug_struct("New");
                shown.field("runtime_name", runtime_name);
                match first == *source {
                    true => shown.field("source", source),
                    false => shown.field("source", &format_args!("{first:?}… ({} bytes)", source.len())),
                };
                shown.finish()
            }
            ScriptSource::Existing { script } => f.debug_struct("Existing").field("script", script).finish(),
        }
    }
}

/// A class that the socket needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassDependency {
    /// The class's name.
    pub name: String,
    /// Its fields.
    pub schema: Vec<serde_json::Value>,
}

impl ClassDependency {
    /// A class with these fields, such as `{"name": "title", "type": "string"}`.
    pub fn new(name: impl Into<String>, schema: Vec<serde_json::Value>) -> ClassDependency {
        ClassDependency { name: name.into(), schema }
    }
}

impl Socket {
    /// Checks every rule that can be checked without a server. An empty list means: valid.
    ///
    /// A violation's [`severity`](crate::ViolationKind::severity) tells whether the server refuses the
    /// definition, stores it with status `error`, or tolerates it.
    pub fn validate(&self) -> Vec<Violation> {
        crate::validate::validate(self)
    }
}
