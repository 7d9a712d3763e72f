//! What publishing a definition would change, and which of it breaks those who call today.

mod contract;
mod endpoint;
mod show;

use crate::{Dependency, Incompatibility, Method, ScriptSource, Socket, normalize};

pub use contract::{Contract, arguments_fit, results_fit};
pub use show::list_methods;

/// The difference between what is published and a definition.
///
/// Displayed for people, a line for each change, `!` before those that break callers; serialised for programs.
///
/// ```
/// use syncano_core::{Difference, Method, Runtime, Socket};
///
/// let socket = |endpoint| {
///     Socket::builder("stock")
///         .script("left", Runtime::Python3, "def main(item): return 3")
///         .call(endpoint, "left", [Method::Get])
///         .build()
/// };
/// let difference = Difference::between(Some(&socket("left")?), &socket("remaining")?);
/// assert!(difference.is_breaking());
/// assert_eq!(
///     difference.to_string(),
///     "the socket `stock` changes\n  ! endpoint `left` (GET) is removed\n  + endpoint `remaining` (GET) is added\n"
/// );
/// # Ok::<(), syncano_core::Violations>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The socket's name.
    pub socket: String,
    /// Whether nothing of it is published yet.
    pub is_new: bool,
    /// Everything that changes: first of the socket, then of its endpoints by name.
    pub changes: Vec<Change>,
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The endpoint, if it belongs to one.
    pub endpoint: Option<String>,
    /// The methods of the endpoint that it concerns; none where it concerns all of it.
    pub methods: Vec<Method>,
    /// What it is.
    pub what: What,
}

/// What changes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// The endpoint is new, and answers these methods.
    Added(Vec<Method>),
    /// The endpoint goes, with these methods.
    Removed(Vec<Method>),
    /// The methods are answered from now on.
    MethodAdded,
    /// The methods are answered no longer.
    MethodRemoved,
    /// Another script answers, or the script changes.
    Script(ScriptChange),
    /// Whether callers need a key.
    Private(bool),
    /// The seconds for which an answer is repeated.
    Cache(Option<u32>),
    /// The seconds that the script may take.
    Timeout(Option<f64>),
    /// The script's own configuration.
    ScriptConfig,
    /// What may be sent. The incompatibility says what callers send today and won't be accepted.
    Arguments(Result<(), Incompatibility>),
    /// What is answered. The incompatibility says what may come and today's callers don't know.
    Results(Result<(), Incompatibility>),
    /// What the script raises for its callers, likewise.
    Errors(Result<(), Incompatibility>),
    /// The methods that API keys may use; `true` where some may use fewer than before.
    Acl(bool),
    /// The endpoint's, or the socket's, free data.
    Metadata,
    /// The socket's description.
    Description,
    /// What all scripts of the socket see in `CONFIG`.
    Config,
    /// A script or class that no endpoint's change speaks of.
    Dependency(String),
    /// Nothing that callers or scripts see: the order of things, say.
    Form,
}

/// How a script changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptChange {
    /// Another script answers.
    Another {
        /// Which one did.
        before: String,
        /// Which one will.
        now: String,
    },
    /// Another runtime runs it.
    Runtime {
        /// Which one did.
        before: String,
        /// Which one will.
        now: String,
    },
    /// Its text changes.
    Source {
        /// Lines that are new.
        added: usize,
        /// Lines that go.
        removed: usize,
    },
}

impl Difference {
    /// What publishing `now` over `before` changes. What `now` leaves open stays as it is (see [`Socket::inherit`]).
    pub fn between(before: Option<&Socket>, now: &Socket) -> Difference {
        let mut now = now.clone();
        now.name = normalize(&now.name);
        let nothing = Socket::default();
        let (is_new, before) = (before.is_none(), before.unwrap_or(&nothing));
        now.inherit(before);
        let mut changes = Vec::new();
        if !is_new {
            changes.extend(socket(before, &now));
        }
        changes.extend(endpoint::all(before, &now));
        if changes.is_empty() && !is_new {
            let mut before = before.clone();
            before.name = normalize(&before.name);
            if before != now {
                changes.push(Change::of_socket(What::Form));
            }
        }
        Difference { socket: now.name, is_new, changes }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        !self.is_new && self.changes.is_empty()
    }

    /// Whether somebody who calls today may fail afterwards.
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(Change::is_breaking)
    }

    /// The changes that break callers.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.is_breaking())
    }
}

impl Change {
    fn of_socket(what: What) -> Change {
        Change { endpoint: None, methods: Vec::new(), what }
    }

    /// Whether somebody who calls today may fail afterwards.
    pub fn is_breaking(&self) -> bool {
        match &self.what {
            What::Removed(_) | What::MethodRemoved => true,
            What::Private(now) => *now,
            What::Acl(narrower) => *narrower,
            What::Arguments(fit) | What::Results(fit) | What::Errors(fit) => fit.is_err(),
            _ => false,
        }
    }

    /// Why the schemas don't fit, if it is that.
    pub fn incompatibility(&self) -> Option<&Incompatibility> {
        self.what.incompatibility()
    }
}

impl What {
    /// Why the schemas don't fit, if it is that.
    pub fn incompatibility(&self) -> Option<&Incompatibility> {
        match self {
            What::Arguments(fit) | What::Results(fit) | What::Errors(fit) => fit.as_ref().err(),
            _ => None,
        }
    }
}

/// What changes of the socket itself.
fn socket(before: &Socket, now: &Socket) -> Vec<Change> {
    let mut what = Vec::new();
    if before.description != now.description {
        what.push(What::Description);
    }
    if before.config != now.config {
        what.push(What::Config);
    }
    if before.metadata != now.metadata {
        what.push(What::Metadata);
    }
    // Scripts that calls use are spoken of there.
    let used = |socket: &Socket, name: &str| {
        let calls = socket.endpoints.values().flat_map(|endpoint| &endpoint.calls);
        calls.into_iter().any(|call| normalize(&call.name) == normalize(name))
    };
    let find = |socket: &Socket, dependency: &Dependency| {
        let same = |other: &&Dependency| {
            std::mem::discriminant(*other) == std::mem::discriminant(dependency)
                && normalize(other.name()) == normalize(dependency.name())
        };
        socket.dependencies.iter().find(same).cloned()
    };
    for dependency in now.dependencies.iter().chain(&before.dependencies) {
        let name = dependency.name();
        let script = matches!(dependency, Dependency::Script(_));
        let told = script && (used(before, name) || used(now, name));
        let change = What::Dependency(name.to_owned());
        if !told && find(before, dependency) != find(now, dependency) && !what.contains(&change) {
            what.push(change);
        }
    }
    what.into_iter().map(Change::of_socket).collect()
}

/// The script that a call runs, and how it is named where it isn't the socket's own.
enum Runs<'a> {
    Source { runtime: &'static str, source: &'a str },
    Number(i64),
    Endpoint,
}

impl<'a> Runs<'a> {
    fn of(socket: &'a Socket, call: &str) -> Runs<'a> {
        match socket.script(call).map(|script| &script.script) {
            Some(ScriptSource::New { runtime_name, source }) => {
                Runs::Source { runtime: runtime_name.name(), source }
            }
            Some(ScriptSource::Existing { script }) => Runs::Number(*script),
            None => Runs::Endpoint,
        }
    }

    fn name(&self, call: &str) -> String {
        match self {
            Runs::Source { .. } => format!("the script `{call}`"),
            Runs::Number(number) => format!("the script {number}"),
            Runs::Endpoint => format!("the script endpoint `{call}`"),
        }
    }
}

/// How the script of a call changes, if it does.
fn script(before: (&Socket, &str), now: (&Socket, &str)) -> Option<ScriptChange> {
    let (was, is) = (Runs::of(before.0, before.1), Runs::of(now.0, now.1));
    let another = || {
        let (before, now) = (was.name(before.1), is.name(now.1));
        (before != now).then_some(ScriptChange::Another { before, now })
    };
    match (&was, &is) {
        (Runs::Source { runtime, source }, Runs::Source { runtime: other, source: text }) => {
            if normalize(before.1) != normalize(now.1) {
                return another();
            }
            if runtime != other {
                return Some(ScriptChange::Runtime {
                    before: (*runtime).to_owned(),
                    now: (*other).to_owned(),
                });
            }
            (source != text).then(|| lines(source, text))
        }
        _ => another(),
    }
}

/// How many lines one text has and the other hasn't.
fn lines(before: &str, now: &str) -> ScriptChange {
    let mut counts = std::collections::HashMap::<&str, i64>::new();
    for line in now.lines() {
        *counts.entry(line).or_default() += 1;
    }
    for line in before.lines() {
        *counts.entry(line).or_default() -= 1;
    }
    let sum = |sign: i64| {
        let lines: i64 = counts.values().map(|count| (count * sign).max(0)).sum();
        usize::try_from(lines).unwrap_or(0)
    };
    ScriptChange::Source { added: sum(1), removed: sum(-1) }
}
