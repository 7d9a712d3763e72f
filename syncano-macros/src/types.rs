//! What a Rust type looks like to a Python script, as far as its name tells.
//!
//! A name may stand for anything, so this only serves to find slips: what isn't known is never an error.

use std::collections::HashSet;

use quote::ToTokens as _;
use syn::{GenericArgument, PathArguments, ReturnType, Type};
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

/// A type as its author wrote it, more or less.
pub(crate) fn written(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace("& ", "&").replace(" ,", ",")
}

/// What a function would return that hands its error out by itself, as far as names tell.
pub(crate) struct Fallible<'a> {
    pub(crate) value: &'a Type,
    /// The second parameter. An alias such as `anyhow::Result<T>` has none.
    pub(crate) error: Option<&'a Type>,
}

impl Fallible<'_> {
    /// The error, unless it is one of those that every call has.
    pub(crate) fn own_error(&self) -> Option<&Type> {
        const OF_EVERY_CALL: [&str; 3] = ["CallError", "Error", "Box"];
        self.error.filter(|ty| match ty {
            Type::Path(path) => {
                let last = path.path.segments.last();
                last.is_some_and(|last| OF_EVERY_CALL.iter().all(|name| last.ident != name))
            }
            _ => false,
        })
    }
}

/// Reads `Result<T>` and `Result<T, E>`, by the last segment of the path. A `Result` without parameters is a type of the
/// user's own.
pub(crate) fn fallible(output: &ReturnType) -> Option<Fallible<'_>> {
    let ReturnType::Type(_, ty) = output else { return None };
    let mut ty = &**ty;
    while let Type::Paren(syn::TypeParen { elem, .. }) | Type::Group(syn::TypeGroup { elem, .. }) = ty {
        ty = elem;
    }
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(Fallible { value: types.next()?, error: types.next() })
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
