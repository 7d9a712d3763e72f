//! The versions of Python whose syntax is known.

use std::fmt;
use std::str::FromStr;

/// A version of Python, such as 3.11, which is the default.
///
/// ```
/// use syncano_syntax::python::Version;
///
/// let version: Version = "3.13".parse()?;
/// assert!(version > Version::default());
/// assert_eq!(version.to_string(), "3.13");
/// assert!("2.7".parse::<Version>().is_err());
/// # Ok::<(), syncano_syntax::python::UnknownVersion>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    minor: u8,
}

impl Version {
    const FIRST: Self = Self { minor: 7 };
    const LAST: Self = Self { minor: 14 };

    #[cfg(feature = "python")]
    pub(super) fn is_at_least(self, minor: u8) -> bool {
        self.minor >= minor
    }

    #[cfg(feature = "python")]
    pub(super) fn of_parser(self) -> ruff_python_ast::PythonVersion {
        ruff_python_ast::PythonVersion { major: 3, minor: self.minor }
    }
}

impl Default for Version {
    fn default() -> Self {
        Self { minor: 11 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.minor)
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        (Self::FIRST.minor..=Self::LAST.minor)
            .map(|minor| Self { minor })
            .find(|version| version.to_string() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

/// A text that names no version of Python that is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "unknown Python version `{text}`: write one from `{}` to `{}`",
            Version::FIRST,
            Version::LAST
        )
    }
}

impl std::error::Error for UnknownVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        assert_eq!(Version::default().to_string(), "3.11");
        for text in ["3.7", "3.9", "3.10", "3.11", "3.14"] {
            assert_eq!(text.parse::<Version>().map(|version| version.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "3", "3.6", "3.15", "3.011", "2.7", "3.11.4", " 3.11", "python3"] {
            assert_eq!(text.parse::<Version>(), Err(UnknownVersion(text.to_owned())));
        }
        let error = "2.7".parse::<Version>().map_err(|error| error.to_string());
        assert_eq!(error, Err("unknown Python version `2.7`: write one from `3.7` to `3.14`".to_owned()));
    }
}
