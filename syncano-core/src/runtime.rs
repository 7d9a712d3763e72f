//! The runtimes a script may name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::closest;

/// A programming language; each has one kind of interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Python 3, whatever the runtime was called in 2016.
    Python,
    /// JavaScript on Node.
    JavaScript,
    /// Ruby.
    Ruby,
    /// Go.
    Go,
    /// Swift.
    Swift,
    /// PHP.
    Php,
}

impl Language {
    /// Returns the largest whole number that a script gets with all its digits, if there is one: in JavaScript every number is a
    /// float.
    pub const fn largest_whole_number(self) -> Option<u64> {
        match self {
            Language::JavaScript => Some((1 << 53) - 1),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Python => "Python",
            Language::JavaScript => "JavaScript",
            Language::Ruby => "Ruby",
            Language::Go => "Go",
            Language::Swift => "Swift",
            Language::Php => "PHP",
        })
    }
}

/// The runtime of a script: one of the names that Syncano's clients send.
///
/// The server maps a runtime to an interpreter by its [`Language`]; the name itself is stored and echoed as it
/// came, aliases included.
///
/// ```
/// use syncano_core::{Language, Runtime};
///
/// let runtime: Runtime = "python_library_v5.0".parse().unwrap();
/// assert_eq!(runtime.language(), Language::Python);
/// assert_eq!(runtime.to_string(), "python_library_v5.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
#[non_exhaustive]
pub enum Runtime {
    /// `python`, an alias of `python_library_v4.2`.
    Python,
    /// `python_library_v4.2`
    PythonLibraryV4_2,
    /// `python_library_v5.0`
    PythonLibraryV5_0,
    /// `python3`
    Python3,
    /// `nodejs`, an alias of `nodejs_library_v0.4`.
    NodeJs,
    /// `nodejs_library_v0.4`
    NodeJsLibraryV0_4,
    /// `nodejs_library_v1.0`
    NodeJsLibraryV1_0,
    /// `nodejs_v6`
    NodeJsV6,
    /// `nodejs_v8`
    NodeJsV8,
    /// `nodejs_v12`
    NodeJsV12,
    /// `ruby`
    Ruby,
    /// `golang`
    Golang,
    /// `swift`
    Swift,
    /// `php`
    Php,
}

impl Runtime {
    /// Every runtime, in the order in which error texts list them.
    pub const ALL: [Runtime; 14] = [
        Runtime::Python,
        Runtime::PythonLibraryV4_2,
        Runtime::PythonLibraryV5_0,
        Runtime::Python3,
        Runtime::NodeJs,
        Runtime::NodeJsLibraryV0_4,
        Runtime::NodeJsLibraryV1_0,
        Runtime::NodeJsV6,
        Runtime::NodeJsV8,
        Runtime::NodeJsV12,
        Runtime::Ruby,
        Runtime::Golang,
        Runtime::Swift,
        Runtime::Php,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Runtime::Python => "python",
            Runtime::PythonLibraryV4_2 => "python_library_v4.2",
            Runtime::PythonLibraryV5_0 => "python_library_v5.0",
            Runtime::Python3 => "python3",
            Runtime::NodeJs => "nodejs",
            Runtime::NodeJsLibraryV0_4 => "nodejs_library_v0.4",
            Runtime::NodeJsLibraryV1_0 => "nodejs_library_v1.0",
            Runtime::NodeJsV6 => "nodejs_v6",
            Runtime::NodeJsV8 => "nodejs_v8",
            Runtime::NodeJsV12 => "nodejs_v12",
            Runtime::Ruby => "ruby",
            Runtime::Golang => "golang",
            Runtime::Swift => "swift",
            Runtime::Php => "php",
        }
    }

    /// The language of the scripts.
    pub const fn language(self) -> Language {
        match self {
            Runtime::Python | Runtime::PythonLibraryV4_2 | Runtime::PythonLibraryV5_0 | Runtime::Python3 => {
                Language::Python
            }
            Runtime::NodeJs
            | Runtime::NodeJsLibraryV0_4
            | Runtime::NodeJsLibraryV1_0
            | Runtime::NodeJsV6
            | Runtime::NodeJsV8
            | Runtime::NodeJsV12 => Language::JavaScript,
            Runtime::Ruby => Language::Ruby,
            Runtime::Golang => Language::Go,
            Runtime::Swift => Language::Swift,
            Runtime::Php => Language::Php,
        }
    }

    /// What an alias stands for; every other runtime is its own canonical form. Two scripts have the same
    /// runtime when these are equal.
    pub const fn canonical(self) -> Runtime {
        match self {
            Runtime::Python => Runtime::PythonLibraryV4_2,
            Runtime::NodeJs => Runtime::NodeJsLibraryV0_4,
            other => other,
        }
    }

    /// The runtime that a script file's extension (without the dot) stands for.
    pub fn from_extension(extension: &str) -> Option<Runtime> {
        Some(match extension {
            "py" => Runtime::Python3,
            "js" | "mjs" => Runtime::NodeJs,
            "rb" => Runtime::Ruby,
            "go" => Runtime::Golang,
            "swift" => Runtime::Swift,
            "php" => Runtime::Php,
            _ => return None,
        })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Runtime> for &'static str {
    fn from(runtime: Runtime) -> Self {
        runtime.name()
    }
}

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    fn from_str(name: &str) -> Result<Self, UnknownRuntime> {
        Runtime::ALL
            .into_iter()
            .find(|runtime| runtime.name() == name)
            .ok_or_else(|| UnknownRuntime { name: name.to_owned() })
    }
}

impl TryFrom<String> for Runtime {
    type Error = UnknownRuntime;

    fn try_from(name: String) -> Result<Self, UnknownRuntime> {
        name.parse()
    }
}

/// A runtime name that is none of [`Runtime::ALL`]. Its text suggests the closest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRuntime {
    /// The name as given.
    pub name: String,
}

impl fmt::Display for UnknownRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown runtime `{}`", self.name)?;
        match closest(&self.name, Runtime::ALL.map(Runtime::name)) {
            Some(name) => write!(f, ": did you mean `{name}`?"),
            None => write!(f, ": use one of {}", Runtime::ALL.map(Runtime::name).join(", ")),
        }
    }
}

impl std::error::Error for UnknownRuntime {}
