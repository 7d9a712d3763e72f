//! What a failed call was: the endpoint, where the program called it, which script it ran.

use std::fmt;
use std::ops::Deref;
use std::panic::Location;

use http::HeaderMap;
use syncano_core::{Method, RunLimits};

use crate::header;

/// What an error calls the endpoint, and what is known of the call.
///
/// It is a text: `socket/endpoint`, or the name by which the endpoint was run.
///
/// ```
/// # use syncano_client::CallError;
/// fn explain(error: &CallError) {
///     let called = error.called();
///     eprintln!("{} {called}, called at {}", called.method(), called.location());
/// }
/// ```
#[derive(Clone)]
pub struct Called(Box<Details>);

#[derive(Clone)]
struct Details {
    name: String,
    origin: Origin,
    trace: Option<i64>,
    limits: Option<RunLimits>,
}

/// What is known before anything is sent.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) name: Name,
    pub(crate) method: Method,
    pub(crate) at: &'static Location<'static>,
    #[cfg_attr(not(feature = "miette"), expect(dead_code, reason = "only reports show it"))]
    pub(crate) script: Option<&'static CompiledScript>,
}

/// What errors call an endpoint.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    /// That of a generated function, written only if there is an error.
    Of { socket: &'static str, endpoint: &'static str },
    /// Known when the program runs.
    Text(String),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Of { socket, endpoint } => write!(f, "{socket}/{endpoint}"),
            Name::Text(name) => f.write_str(name),
        }
    }
}

impl Origin {
    /// A call to which nobody answered.
    pub(crate) fn called(self) -> Called {
        Called(Box::new(Details { name: self.name.to_string(), origin: self, trace: None, limits: None }))
    }

    /// A call to which a server answered.
    pub(crate) fn answered(self, said: &HeaderMap) -> Called {
        let word = |name| said.get(name).and_then(|value| value.to_str().ok());
        Called(Box::new(Details {
            name: self.name.to_string(),
            origin: self,
            trace: word(&header::TRACE).and_then(|number| number.parse().ok()),
            limits: word(&header::LIMITS).and_then(RunLimits::from_header),
        }))
    }
}

impl Called {
    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0.name
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.0.origin.method
    }

    /// Where the program called the function.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.origin.at
    }

    /// The number of the run's trace on the server, if there was a run.
    pub fn trace(&self) -> Option<i64> {
        self.0.trace
    }

    /// The limits that the run was under, if it failed.
    pub fn limits(&self) -> Option<&RunLimits> {
        self.0.limits.as_ref()
    }

    /// The script that the function was compiled with.
    #[cfg(feature = "miette")]
    pub(crate) fn script(&self) -> Option<&'static CompiledScript> {
        self.0.origin.script
    }
}

impl Deref for Called {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The same endpoint and method, wherever it was called.
impl PartialEq for Called {
    fn eq(&self, other: &Called) -> bool {
        self.as_str() == other.as_str() && self.method() == other.method()
    }
}

impl Eq for Called {}

impl PartialEq<str> for Called {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Called {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A script as the program was compiled with it.
#[derive(Debug)]
pub struct CompiledScript {
    /// The Rust file that holds or names it.
    pub rust_file: &'static str,
    /// The file that it is in, as seen from the Rust file.
    pub file: Option<&'static str>,
    /// The line of the file that its first line is.
    pub line: usize,
    /// The script.
    pub text: &'static str,
}
