//! HTTP methods of a call, `*` among them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::closest;

/// An HTTP method that an endpoint can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Every method, in the order in which `*` is spelled out on the wire.
    pub const ALL: [Method; 5] = [Method::Post, Method::Put, Method::Patch, Method::Get, Method::Delete];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether arguments travel in a body; without one they travel in the query.
    pub const fn has_body(self) -> bool {
        !matches!(self, Method::Get | Method::Delete)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Method> for &'static str {
    fn from(method: Method) -> Self {
        method.as_str()
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Method::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| UnknownMethod { name: name.to_owned() })
    }
}

impl TryFrom<String> for Method {
    type Error = UnknownMethod;

    fn try_from(name: String) -> Result<Self, UnknownMethod> {
        name.parse()
    }
}

/// A method name that no endpoint can answer. Its text suggests the closest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMethod {
    /// The name as given.
    pub name: String,
}

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown method `{}`", self.name)?;
        match closest(&self.name, ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
            Some(name) => write!(f, ": did you mean `{name}`?"),
            None => f.write_str(": use GET, POST, PUT, PATCH, DELETE or *"),
        }
    }
}

impl std::error::Error for UnknownMethod {}

/// The methods that one call answers: some of them, or any (`*`).
///
/// ```
/// use syncano_core::{Method, Methods};
///
/// assert!(Methods::Any.contains(Method::Put));
/// assert_eq!(serde_json::to_string(&Methods::Any).unwrap(), r#"["*"]"#);
/// assert_eq!(Methods::from([Method::Get]).sent(), Method::Get);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub enum Methods {
    /// `*`: every method.
    Any,
    /// The listed ones, in the order given; the first is what a typed client sends.
    Only(Vec<Method>),
}

impl Methods {
    /// Whether `method` is answered.
    pub fn contains(&self, method: Method) -> bool {
        match self {
            Methods::Any => true,
            Methods::Only(methods) => methods.contains(&method),
        }
    }

    /// The methods in the order of the wire's `allowed_methods`.
    pub fn expanded(&self) -> Vec<Method> {
        match self {
            Methods::Any => Method::ALL.to_vec(),
            Methods::Only(methods) => methods.clone(),
        }
    }

    /// The method that a typed client sends unless told otherwise: the first listed, POST for `*`.
    pub fn sent(&self) -> Method {
        match self {
            Methods::Any => Method::Post,
            Methods::Only(methods) => methods.first().copied().unwrap_or(Method::Post),
        }
    }

    /// The keys under which an endpoint's metadata describes these methods: their names, or `*`.
    pub fn metadata_keys(&self) -> Vec<&'static str> {
        match self {
            Methods::Any => vec!["*"],
            Methods::Only(methods) => methods.iter().map(|method| method.as_str()).collect(),
        }
    }
}

impl<const N: usize> From<[Method; N]> for Methods {
    fn from(methods: [Method; N]) -> Self {
        Methods::Only(methods.to_vec())
    }
}

impl From<Vec<Method>> for Methods {
    fn from(methods: Vec<Method>) -> Self {
        Methods::Only(methods)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metadata_keys().join(", "))
    }
}

impl From<Methods> for Vec<String> {
    fn from(methods: Methods) -> Self {
        methods.metadata_keys().into_iter().map(str::to_owned).collect()
    }
}

impl TryFrom<Vec<String>> for Methods {
    type Error = UnknownMethod;

    fn try_from(names: Vec<String>) -> Result<Self, UnknownMethod> {
        if names == ["*"] {
            return Ok(Methods::Any);
        }
        names.into_iter().map(Method::try_from).collect::<Result<Vec<_>, _>>().map(Methods::Only)
    }
}
