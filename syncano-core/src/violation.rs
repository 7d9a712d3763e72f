//! What is wrong with a definition, and where.

use std::fmt;

use thiserror::Error;

use crate::{
    Method, NameKind, NameProblem, NetworkProblem, SchemaProblem, UnknownMethod, UnknownRuntime, limits,
};

/// One broken rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Where, from the top of the definition.
    pub path: Path,
    /// Which rule.
    pub kind: ViolationKind,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.path, self.kind)
    }
}

impl Violation {
    /// The same violation of what lies at `path`.
    pub fn below(mut self, path: &Path) -> Violation {
        let mut segments = path.0.clone();
        segments.append(&mut self.path.0);
        Violation { path: Path(segments), kind: self.kind }
    }
}

/// Several violations as one error; a line each.
#[derive(Debug, Clone, PartialEq)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// A place in a definition; displayed as a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(pub Vec<Segment>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

impl Path {
    /// The top of the definition.
    pub fn root() -> Path {
        Path::default()
    }

    /// This path, one key further.
    pub fn key(&self, key: impl Into<String>) -> Path {
        self.with(Segment::Key(key.into()))
    }

    /// This path, one index further.
    pub fn index(&self, index: usize) -> Path {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Path {
        let mut segments = self.0.clone();
        segments.push(segment);
        Path(segments)
    }

    /// The top-level field and the path below it.
    pub fn split_field(&self) -> Option<(&str, Path)> {
        match self.0.split_first() {
            Some((Segment::Key(field), rest)) => Some((field, Path(rest.to_vec()))),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        for segment in &self.0 {
            match segment {
                Segment::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
                Segment::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}

/// What a violation means for the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The server accepts it as it is; the macro doesn't.
    Tolerated,
    /// The server stores the socket with status `error`.
    Semantic,
    /// The server refuses the definition and stores nothing.
    Shape,
}

/// The rule that is broken. Its text says what is wrong and what to write.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A name that breaks the rules of its kind.
    #[error("the {kind} name `{name}` can't be used: {problem}")]
    Name {
        /// What it names.
        kind: NameKind,
        /// The name as given.
        name: String,
        /// The rule.
        problem: NameProblem,
    },
    /// A field that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value of another JSON type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A key that nobody knows and that looks like one that has a meaning: ignored, it would be missed.
    #[error("unknown key `{key}`: did you mean `{meant}`?")]
    UnknownKey {
        /// The key as given.
        key: String,
        /// The key that it looks like.
        meant: &'static str,
    },
    /// A key that nobody knows, in a place that holds no free data.
    #[error("unknown key `{key}`, which is ignored{}", suggestion(meant.as_deref()))]
    IgnoredKey {
        /// The key as given.
        key: String,
        /// The key that was probably meant, with its place if it belongs elsewhere.
        meant: Option<String>,
    },
    /// An argument that the query would carry under a key of the transport.
    #[error(
        "the query of {method} carries the argument `{key}`, and this key belongs to the transport there: it never \
         reaches a script. Rename it, or send it in the body of POST, PUT or PATCH"
    )]
    TransportKey {
        /// The argument.
        key: String,
        /// The method.
        method: Method,
    },
    /// A string that should hold JSON and doesn't.
    #[error("the string is not JSON: {0}")]
    NotJson(String),
    /// A runtime nobody knows.
    #[error(transparent)]
    Runtime(#[from] UnknownRuntime),
    /// A method nobody knows.
    #[error(transparent)]
    Method(#[from] UnknownMethod),
    /// `*` beside other methods.
    #[error("`*` already means every method: write it alone, or list the methods")]
    WildcardNotAlone,
    /// A call without methods.
    #[error("a call needs at least one method, or `*`")]
    NoMethods,
    /// A call of another type than `script`.
    #[error("unknown call type `{0}`: use `script`")]
    CallType(String),
    /// A dependency of another type than `script` or `class`.
    #[error("unknown dependency type `{0}`: use `script` or `class`")]
    DependencyType(String),
    /// An endpoint without calls.
    #[error("the endpoint `{0}` has no call: say which script answers it")]
    NoCalls(String),
    /// A socket without endpoints.
    #[error("the socket `{0}` has no endpoint: define at least one")]
    NoEndpoints(String),
    /// Two dependencies of one name and type.
    #[error("the dependency `{0}` is defined twice: rename one of them")]
    DuplicateDependency(String),
    /// Two endpoints whose names differ in letter case only.
    #[error("the endpoint `{0}` is defined twice (names are compared in lower case): rename one of them")]
    DuplicateEndpoint(String),
    /// A method that an earlier call of the endpoint answers already.
    #[error(
        "{method} of the endpoint `{endpoint}` is already answered by `{by}`: remove it from one of them"
    )]
    MethodTaken {
        /// The endpoint.
        endpoint: String,
        /// The method.
        method: Method,
        /// The earlier call's name.
        by: String,
        /// The earlier call's place in the endpoint.
        first: usize,
    },
    /// A call that no method can reach, since an earlier one answers `*`.
    #[error(
        "`{call}` is never reached: `{by}` already answers every method (`*`) of the endpoint `{endpoint}`"
    )]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// The call that is never reached.
        call: String,
        /// The earlier call's name.
        by: String,
        /// The earlier call's place in the endpoint.
        first: usize,
    },
    /// A call whose name no dependency has. (A script endpoint on the server may still have it.)
    #[error(
        "no script named `{call}` for the endpoint `{endpoint}`: add a dependency of that name, \
         or make the script endpoint `{call}` first"
    )]
    UnresolvedCall {
        /// The endpoint.
        endpoint: String,
        /// The call's name.
        call: String,
    },
    /// A field of a class that breaks a rule.
    #[error("{0}")]
    ClassField(&'static str),
    /// A type of fields that nobody knows.
    #[error("{0} is no type of a field: use one of {list}", list = crate::FIELD_TYPES.join(", "))]
    ClassFieldType(String),
    /// A script without a source.
    #[error("the script `{0}` is empty: write it, or remove the call")]
    EmptyScript(String),
    /// More than a limit allows.
    #[error("{found} {what}: at most {limit} are allowed")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// Longer than a limit allows.
    #[error("{found} {unit}: at most {limit} are allowed")]
    TooLong {
        /// What is counted.
        unit: &'static str,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// JSON nested deeper than a limit allows.
    #[error("objects and lists {0} levels deep: at most {limit} are allowed", limit = limits::JSON_DEPTH)]
    TooDeep(usize),
    /// A timeout that is no number of seconds in range.
    #[error("a timeout of {0} s: use more than 0 and at most {limit} seconds", limit = limits::TIMEOUT_SECONDS)]
    Timeout(f64),
    /// A cache time out of range.
    #[error("a cache time of {0} s: at most {limit} seconds are allowed", limit = limits::CACHE_SECONDS)]
    Cache(u32),
    /// A JSON Schema that can't be used.
    #[error(transparent)]
    Schema(#[from] SchemaProblem),
    /// What becomes of results that don't fit is said by another word.
    #[error("`results` is `\"enforce\"` or `\"warn\"`: write one of them")]
    Results,
    /// What is no network policy.
    #[error("{0}")]
    Network(NetworkProblem),
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default()
}

impl ViolationKind {
    /// A name of the rule, for programs: `method-taken`. It stays what it is.
    pub fn code(&self) -> &'static str {
        match self {
            ViolationKind::Name { .. } => "name",
            ViolationKind::Missing(_) => "missing",
            ViolationKind::Type { .. } => "type",
            ViolationKind::UnknownKey { .. } | ViolationKind::IgnoredKey { .. } => "unknown-key",
            ViolationKind::TransportKey { .. } => "transport-key",
            ViolationKind::NotJson(_) => "not-json",
            ViolationKind::Runtime(_) => "runtime",
            ViolationKind::Method(_) => "method",
            ViolationKind::WildcardNotAlone => "wildcard-not-alone",
            ViolationKind::NoMethods => "no-methods",
            ViolationKind::CallType(_) => "call-type",
            ViolationKind::DependencyType(_) => "dependency-type",
            ViolationKind::NoCalls(_) => "no-calls",
            ViolationKind::NoEndpoints(_) => "no-endpoints",
            ViolationKind::DuplicateDependency(_) => "duplicate-dependency",
            ViolationKind::DuplicateEndpoint(_) => "duplicate-endpoint",
            ViolationKind::MethodTaken { .. } => "method-taken",
            ViolationKind::Unreachable { .. } => "unreachable",
            ViolationKind::UnresolvedCall { .. } => "unresolved-call",
            ViolationKind::ClassField(_) => "class-field",
            ViolationKind::ClassFieldType(_) => "class-field-type",
            ViolationKind::EmptyScript(_) => "empty-script",
            ViolationKind::TooMany { .. } => "too-many",
            ViolationKind::TooLong { .. } => "too-long",
            ViolationKind::TooDeep(_) => "too-deep",
            ViolationKind::Timeout(_) => "timeout",
            ViolationKind::Cache(_) => "cache",
            ViolationKind::Network(_) => "network",
            ViolationKind::Schema(_) => "schema",
            ViolationKind::Results => "results",
        }
    }

    /// What the violation means for the definition.
    pub fn severity(&self) -> Severity {
        match self {
            ViolationKind::NoEndpoints(_)
            | ViolationKind::MethodTaken { .. }
            | ViolationKind::Unreachable { .. }
            | ViolationKind::EmptyScript(_)
            | ViolationKind::IgnoredKey { .. }
            | ViolationKind::TransportKey { .. } => Severity::Tolerated,
            ViolationKind::UnresolvedCall { .. } => Severity::Semantic,
            _ => Severity::Shape,
        }
    }
}
