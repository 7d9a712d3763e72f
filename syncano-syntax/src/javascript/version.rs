//! The versions of Node whose syntax and names are known.

use std::fmt;
use std::str::FromStr;

/// A major version of Node, such as 20, which is the default.
///
/// ```
/// use syncano_syntax::javascript::Version;
///
/// let version: Version = "22".parse()?;
/// assert!(version > Version::default());
/// assert_eq!(version.to_string(), "22");
/// assert!("16".parse::<Version>().is_err());
/// # Ok::<(), syncano_syntax::javascript::UnknownVersion>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u8,
}

impl Version {
    /// Those with long support.
    const ALL: [u8; 4] = [18, 20, 22, 24];

    #[cfg(feature = "javascript")]
    pub(super) fn is_at_least(self, major: u8) -> bool {
        self.major >= major
    }
}

impl Default for Version {
    fn default() -> Self {
        Self { major: 20 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.major)
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let versions = Self::ALL.into_iter().map(|major| Self { major });
        versions
            .into_iter()
            .find(|version| version.to_string() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

/// A text that names no version of Node that is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown Node version `{}`: write `18`, `20`, `22` or `24`", self.0)
    }
}

impl std::error::Error for UnknownVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["18", "20", "22", "24"] {
            assert_eq!(text.parse::<Version>().map(|version| version.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Version::default().to_string(), "20");
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "19", "20.1", "v20", "020", " 20", "26", "lts"] {
            assert_eq!(text.parse::<Version>(), Err(UnknownVersion(text.to_owned())));
        }
    }
}
