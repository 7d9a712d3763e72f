//! What a Rust type looks like to a Python script, as far as its name tells.
//!
//! A name may stand for anything, so this only serves to find slips: what isn't known is never an error.

use std::collections::HashSet;

use syn::{GenericArgument, PathArguments, Type};
use syncano_syntax::python::Kind;

/// A type of an argument.
pub(crate) struct Sent {
    /// `Option<…>`: it may be left out.
    pub(crate) optional: bool,
    /// The kind of value that is sent, if that is certain.
    pub(crate) kind: Option<Kind>,
}

/// Reads a type in a module that defines the names `hidden` itself.
pub(crate) fn sent(ty: &Type, hidden: &HashSet<String>) -> Sent {
    let plain = |kind| Sent { optional: false, kind };
    match ty {
        Type::Reference(reference) => sent(&reference.elem, hidden),
        Type::Paren(paren) => sent(&paren.elem, hidden),
        Type::Group(group) => sent(&group.elem, hidden),
        Type::Array(_) | Type::Slice(_) => plain(Some(Kind::List)),
        Type::Tuple(tuple) if !tuple.elems.is_empty() => plain(Some(Kind::List)),
        Type::Path(path) if path.qself.is_none() => {
            // With one segment it is a name of the language or its prelude, unless the module hides it.
            let Some(last) = path.path.segments.last() else { return plain(None) };
            let first = path.path.segments.first().map(|segment| segment.ident.to_string());
            let name = last.ident.to_string();
            let own = path.path.segments.len() == 1;
            let standard = matches!(first.as_deref(), Some("std" | "core" | "alloc"));
            if own && hidden.contains(&name) || !own && !standard {
                return plain(None);
            }
            let inner = || match &last.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    arguments.args.iter().find_map(|argument| match argument {
                        GenericArgument::Type(ty) => Some(sent(ty, hidden)),
                        _ => None,
                    })
                }
                _ => None,
            };
            match name.as_str() {
                "Option" => Sent { optional: true, kind: inner().and_then(|inner| inner.kind) },
                "Box" | "Cow" => inner().unwrap_or(plain(None)),
                name => plain(kind(name)),
            }
        }
        _ => plain(None),
    }
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "bool" => Kind::Bool,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => {
            Kind::Int
        }
        "f32" | "f64" => Kind::Float,
        "String" | "str" | "char" => Kind::Str,
        "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => Kind::List,
        "HashMap" | "BTreeMap" => Kind::Dict,
        _ => return None,
    })
}
