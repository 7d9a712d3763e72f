//! Names: what each kind may look like, and "did you mean".

use std::fmt;

use crate::limits;

/// What a name names; each kind has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// An instance: 5–64 of `[a-z0-9-]`, no `--`.
    Instance,
    /// A socket: 1–64 of `[a-z0-9_-]`, not `install`.
    Socket,
    /// An endpoint of a socket: 1–64 of `[a-z0-9_.-]`, none of the words that its URL uses.
    Endpoint,
    /// A script dependency: 1–64 of `[a-z0-9_-]`.
    Script,
    /// A script endpoint: as a script dependency, and not `p`, which begins the URLs of public links.
    ScriptEndpoint,
    /// A class dependency: 1–64 letters, digits and `_`.
    Class,
    /// A field of a class: 1–64 letters, digits and `_`.
    Field,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameKind::Instance => "instance",
            NameKind::Socket => "socket",
            NameKind::Endpoint => "endpoint",
            NameKind::Script => "script",
            NameKind::ScriptEndpoint => "script endpoint",
            NameKind::Class => "class",
            NameKind::Field => "field",
        })
    }
}

/// Words that would be read as something else in an URL under an instance's name.
const RESERVED_INSTANCES: [&str; 10] =
    ["account", "admin", "health", "install", "login", "media", "public", "static", "status", "support"];
const RESERVED_SOCKETS: [&str; 1] = ["install"];
const RESERVED_SCRIPT_ENDPOINTS: [&str; 1] = ["p"];
const RESERVED_ENDPOINTS: [&str; 4] = ["history", "install", "invalidate", "traces"];

impl NameKind {
    const fn length(self) -> (usize, usize) {
        match self {
            NameKind::Instance => (5, limits::NAME),
            _ => (1, limits::NAME),
        }
    }

    /// Characters allowed besides lower-case letters and digits.
    const fn punctuation(self) -> &'static str {
        match self {
            NameKind::Instance => "-",
            NameKind::Socket | NameKind::Script | NameKind::ScriptEndpoint => "_-",
            NameKind::Endpoint => "_-.",
            NameKind::Class | NameKind::Field => "_",
        }
    }

    const fn reserved(self) -> &'static [&'static str] {
        match self {
            NameKind::Instance => &RESERVED_INSTANCES,
            NameKind::Socket => &RESERVED_SOCKETS,
            NameKind::Endpoint => &RESERVED_ENDPOINTS,
            NameKind::ScriptEndpoint => &RESERVED_SCRIPT_ENDPOINTS,
            NameKind::Script | NameKind::Class | NameKind::Field => &[],
        }
    }

    /// Checks `name` in its normal form (see [`normalize`]).
    ///
    /// # Errors
    /// The first rule that the name breaks.
    ///
    /// ```
    /// use syncano_core::{NameKind, NameProblem};
    ///
    /// assert!(NameKind::Socket.check("My_Socket").is_ok());
    /// assert_eq!(NameKind::Socket.check("9lives"), Err(NameProblem::Start('9')));
    /// ```
    pub fn check(self, name: &str) -> Result<(), NameProblem> {
        let name = normalize(name);
        let (shortest, longest) = self.length();
        let length = name.chars().count();
        let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else {
            return Err(NameProblem::Empty);
        };
        let allowed =
            |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || self.punctuation().contains(*c);
        if let Some(character) = name.chars().find(|c| !allowed(c)) {
            return Err(NameProblem::Character { character, punctuation: self.punctuation() });
        }
        if !first.is_ascii_lowercase() {
            return Err(NameProblem::Start(first));
        }
        if !matches!(self, NameKind::Class | NameKind::Field) && !last.is_ascii_alphanumeric() {
            return Err(NameProblem::End(last));
        }
        if length < shortest || length > longest {
            return Err(NameProblem::Length { shortest, longest, length });
        }
        if self == NameKind::Instance && name.contains("--") {
            return Err(NameProblem::DoubleHyphen);
        }
        if self.reserved().contains(&name.as_str()) {
            return Err(NameProblem::Reserved);
        }
        Ok(())
    }
}

/// The normal form of a name: without surrounding white space, lower-case. Names are compared in this form.
pub fn normalize(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Which rule a name breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing there.
    Empty,
    /// A character outside the alphabet of its kind.
    Character {
        /// The first such character.
        character: char,
        /// What is allowed besides letters and digits.
        punctuation: &'static str,
    },
    /// The first character is no letter.
    Start(char),
    /// The last character is neither letter nor digit.
    End(char),
    /// Too short or too long, in characters.
    Length {
        /// Fewest characters.
        shortest: usize,
        /// Most characters.
        longest: usize,
        /// Characters found.
        length: usize,
    },
    /// `--` in an instance's name.
    DoubleHyphen,
    /// A word that the URLs use.
    Reserved,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameProblem::Empty => f.write_str("it is empty"),
            NameProblem::Character { character, punctuation } => {
                // What can't be seen is spelt out; the text may become part of a JSON string, which quotes for itself.
                match character {
                    '"' | '\'' | '\\' => write!(f, "it contains `{character}`: use letters, digits")?,
                    _ => write!(f, "it contains `{}`: use letters, digits", character.escape_debug())?,
                }
                for c in punctuation.chars() {
                    write!(f, ", `{c}`")?;
                }
                Ok(())
            }
            NameProblem::Start(c) => write!(f, "it starts with `{c}`: start with a letter"),
            NameProblem::End(c) => write!(f, "it ends with `{c}`: end with a letter or a digit"),
            NameProblem::Length { shortest, longest, length } => {
                write!(f, "it has {length} characters: use {shortest} to {longest}")
            }
            NameProblem::DoubleHyphen => f.write_str("it contains `--`: use single hyphens"),
            NameProblem::Reserved => f.write_str("the word is reserved: choose another"),
        }
    }
}

/// The candidate that was probably meant by `word`: one that differs in letter case only, or by a slip or two.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = lower.chars().count().div_ceil(4).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_their_kind() {
        for (kind, name, verdict) in [
            (NameKind::Socket, "a", Ok(())),
            (NameKind::Socket, " My-Socket_2 ", Ok(())),
            (NameKind::Socket, "", Err(NameProblem::Empty)),
            (NameKind::Socket, "install", Err(NameProblem::Reserved)),
            (NameKind::Socket, "a_", Err(NameProblem::End('_'))),
            (NameKind::Socket, "a/b", Err(NameProblem::Character { character: '/', punctuation: "_-" })),
            (NameKind::Endpoint, "v1.items", Ok(())),
            (NameKind::Endpoint, "traces", Err(NameProblem::Reserved)),
            (NameKind::Instance, "demo", Err(NameProblem::Length { shortest: 5, longest: 64, length: 4 })),
            (NameKind::Instance, "my--app", Err(NameProblem::DoubleHyphen)),
            (NameKind::Class, "klass_", Ok(())),
        ] {
            assert_eq!(kind.check(name), verdict, "{kind} {name:?}");
        }
        assert!(NameKind::Socket.check(&"a".repeat(64)).is_ok());
        assert!(NameKind::Socket.check(&"a".repeat(65)).is_err());
    }

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        assert_eq!(closest("get", ["GET", "POST"]), Some("GET"));
        assert_eq!(closest("pyhton3", ["python", "python3", "php"]), Some("python3"));
        assert_eq!(closest("rust", ["python3", "ruby", "php"]), None);
    }
}
