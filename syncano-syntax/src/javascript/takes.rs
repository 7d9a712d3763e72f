//! What a script takes from its callers: the keys that its default function, or the program, reads out of its arguments.
//!
//! Whatever can't be told for certain is left open; a caller is never told of a mistake that is none.

use std::ops::Range;

/// What a script takes from its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// It reads these keys out of its arguments.
    Keys(Keys),
    /// That can't be told without running it.
    Unknown,
}

/// The keys that a script reads out of its arguments. Nothing fails if one of them is missing: it is `undefined` then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Those that are written out, in the order in which they are found; the same one may be there several times.
    pub read: Vec<Key>,
    /// Others may be read too, as by `...rest`.
    pub takes_any: bool,
    /// It has a default function for the server to call; it is a program otherwise.
    pub is_function: bool,
}

/// A key that a script reads out of its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// The script can do without: it has a default, or asks whether it is there.
    pub optional: bool,
    /// The script takes the value apart where it gets it, as in `({ item: { name } })`, and fails if there is none.
    pub taken_apart: bool,
    /// Where it is read from.
    pub origin: Origin,
    /// The bytes of the script that hold the key as written.
    pub span: Range<usize>,
}

/// What a key is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The first parameter of the default function.
    Parameter,
    /// `ARGS`, or what a program's last statement, which is a function, gets as `args`: the query and the body, merged.
    Args,
}
