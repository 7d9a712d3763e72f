//! What a script takes from its callers: the parameters of its `main`, or the keys that it reads out of `ARGS`.
//!
//! Whatever can't be told for certain is left open; a caller is never told of a mistake that is none.

use std::ops::Range;

use super::kind::Kinds;

/// What a script takes from its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// It has a `main` for the server to call with these.
    Parameters(Parameters),
    /// It is a program that reads these keys out of `ARGS`, and no others.
    Keys(Vec<Key>),
    /// That can't be told without running it.
    Unknown,
}

/// The parameters of `main`. Arguments are given by name, so that their order doesn't matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// Those with a name, in order; `*args` gets nothing and is not among them.
    pub named: Vec<Parameter>,
    /// `**kwargs` takes what no other parameter does.
    pub takes_any: bool,
    /// The bytes of the script that hold the name `main`.
    pub main: Range<usize>,
    /// What `main` returns, if its annotation names kinds that are known here and nothing else answers.
    pub returns: Option<Returns>,
}

/// The annotation of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returns {
    /// The kinds of values that it names.
    pub kinds: Kinds,
    /// The bytes of the script that hold it.
    pub span: Range<usize>,
}

/// A parameter of `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// It has a default, so that it may be left out.
    pub has_default: bool,
    /// The kinds of values that its annotation names, if it has one that is known here.
    pub kinds: Option<Kinds>,
    /// The bytes of the script that hold it, without its default.
    pub span: Range<usize>,
}

/// A key that a program reads out of `ARGS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// The script can do without: it asks with `get`, or inside of a `try`.
    pub optional: bool,
    /// The bytes of the script that hold the key as written.
    pub span: Range<usize>,
}
