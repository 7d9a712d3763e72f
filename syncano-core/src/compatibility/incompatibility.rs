//! What is told of two schemas that don't fit.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use super::read::Unreadable;
use crate::{Path, Segment};

/// Where a value of one schema may not be one of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Incompatibility {
    /// The place in the value; `*` stands for any item of a list, or key of a map.
    pub path: Path,
    /// What may be there.
    pub reason: Reason,
    /// A whole value that the one schema admits and the other doesn't, where one was found.
    pub witness: Option<Value>,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.0.is_empty() {
            true => write!(f, "it {}", self.reason),
            false => write!(f, "at {}: {}", self.path, self.reason),
        }
    }
}

/// What may be at a place that the other schema doesn't admit there.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// A value of another kind.
    #[error("may be {found}, and must be {expected}")]
    Kind {
        /// What it may be.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// One certain value.
    #[error("may be {0}, which isn't admitted")]
    Value(String),
    /// A key that is required isn't always there.
    #[error("may be missing, and is required")]
    Missing,
    /// A key that nobody expects.
    #[error("may be there, and isn't admitted")]
    Unexpected,
    /// An object admits any further key.
    #[error("may have any further keys, and they aren't admitted")]
    Open,
    /// A number with a fraction.
    #[error("may have a fraction, and must be a whole number")]
    Fraction,
    /// A number that is too small.
    #[error("may be less than {0}")]
    Low(String),
    /// A number that is too large.
    #[error("may be more than {0}")]
    High(String),
    /// A number that is no multiple.
    #[error("need not be a multiple of {0}")]
    Multiple(String),
    /// Too few items, keys or characters.
    #[error("may have fewer than {least} {what}")]
    Few {
        /// What is counted.
        what: &'static str,
        /// How many there must be.
        least: usize,
    },
    /// Too many items, keys or characters.
    #[error("may have more than {most} {what}")]
    Many {
        /// What is counted.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// Two equal items.
    #[error("may have equal items, and all must differ")]
    Repeated,
    /// A text that isn't of the form.
    #[error("may be a text that isn't of the {keyword} `{value}`")]
    Form {
        /// `format` or `pattern`.
        keyword: String,
        /// Which one.
        value: String,
    },
    /// An argument that travels in another way.
    #[error("travels {found}, and must travel {expected}")]
    Placement {
        /// How it travels.
        found: &'static str,
        /// How it must travel.
        expected: &'static str,
    },
    /// Alternatives of which exactly one may fit, and perhaps two do.
    #[error("may fit several alternatives (`oneOf`), of which exactly one must fit")]
    Ambiguous,
    /// What is compared goes beyond what can be.
    #[error("can't be compared, and counts as different: {0}")]
    Unknown(String),
}

impl Incompatibility {
    pub(crate) fn new(reason: Reason, witness: Option<Value>) -> Incompatibility {
        Incompatibility { path: Path::root(), reason, witness }
    }

    pub(super) fn unknown(unreadable: Unreadable) -> Incompatibility {
        Incompatibility::new(Reason::Unknown(unreadable.to_string()), None)
    }

    /// The same, seen from one level up. `embed` puts the witness into a value of that level.
    pub(super) fn under(
        mut self,
        segment: Segment,
        embed: impl FnOnce(Value) -> Option<Value>,
    ) -> Incompatibility {
        self.path.0.insert(0, segment);
        self.witness = self.witness.and_then(embed);
        self
    }

    /// Whether the comparison gave up, rather than found a difference.
    pub fn is_unknown(&self) -> bool {
        matches!(self.reason, Reason::Unknown(_))
    }
}
