//! The kinds of JSON values.

use std::fmt;

/// A kind of JSON value, as Python names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `str`
    Str,
    /// `list`
    List,
    /// `dict`
    Dict,
    /// `None`
    None,
}

impl Kind {
    #[cfg(feature = "python")]
    pub(super) const ALL: [Kind; 7] =
        [Kind::Bool, Kind::Int, Kind::Float, Kind::Str, Kind::List, Kind::Dict, Kind::None];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Str => "str",
            Kind::List => "list",
            Kind::Dict => "dict",
            Kind::None => "None",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of values that an annotation names; displayed as `int | None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(pub(super) Vec<Kind>);

impl Kinds {
    /// Whether a value of this kind is one of them: a `bool` is an `int` too, and an `int` is a `float`, as type
    /// checkers of Python have it.
    pub fn admit(&self, kind: Kind) -> bool {
        let also: &[Kind] = match kind {
            Kind::Bool => &[Kind::Int, Kind::Float],
            Kind::Int => &[Kind::Float],
            _ => &[],
        };
        self.0.iter().any(|own| *own == kind || also.contains(own))
    }

    /// Whether a result that is one of them may be read as this kind: what is annotated `float` may be 3, what is annotated
    /// `int` may be true, and what may be `None` need not be.
    pub fn may_be(&self, kind: Kind) -> bool {
        self.0.iter().any(|own| {
            *own == kind
                || *own == Kind::None && self.0.len() > 1
                || matches!((own, kind), (Kind::Int, Kind::Float | Kind::Bool) | (Kind::Float, Kind::Int))
        })
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" | "))
    }
}
