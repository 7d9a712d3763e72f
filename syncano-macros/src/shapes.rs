//! What the types look like in JSON that the module defines itself. Other types can't be seen by a macro.

use std::collections::HashMap;

use syn::{Attribute, Field, Fields, Item, LitStr, Token, Type};

/// Enums and structs of the module, as serde writes them.
#[derive(Default)]
pub(crate) struct Shapes {
    variants: HashMap<String, Vec<String>>,
    needed: HashMap<String, Vec<String>>,
}

impl Shapes {
    /// The names of an enum's variants, if all are known.
    pub(crate) fn variants(&self, name: &str) -> Option<&[String]> {
        self.variants.get(name).map(Vec::as_slice)
    }

    /// The fields of a struct that can't be left out, if all are known.
    pub(crate) fn needed(&self, name: &str) -> Option<&[String]> {
        self.needed.get(name).map(Vec::as_slice)
    }

    /// Takes an item in, if it is a type whose form is certain.
    pub(crate) fn add(&mut self, attrs: &[Attribute], item: &Item) {
        match item {
            Item::Enum(item)
                if item.generics.params.is_empty() && is_plain(attrs) && is_plain(&item.attrs) =>
            {
                let names =
                    item.variants.iter().map(|variant| named(&variant.attrs, &variant.ident.to_string()));
                if let Some(names) = names.collect() {
                    self.variants.insert(item.ident.to_string(), names);
                }
            }
            Item::Struct(item)
                if item.generics.params.is_empty() && is_plain(attrs) && is_plain(&item.attrs) =>
            {
                let Fields::Named(fields) = &item.fields else { return };
                let needed = fields.named.iter().map(|field| {
                    let name = field.ident.as_ref()?.to_string();
                    let name = named(&field.attrs, name.trim_start_matches("r#"))?;
                    Some((name, is_optional(field)))
                });
                if let Some(fields) = needed.collect::<Option<Vec<_>>>() {
                    let needed = fields.into_iter().filter(|(_, optional)| !optional).map(|(name, _)| name);
                    self.needed.insert(item.ident.to_string(), needed.collect());
                }
            }
            _ => {}
        }
    }
}

/// Whether nothing changes the form; a derive alone doesn't, an attribute of another macro may.
fn is_plain(attrs: &[Attribute]) -> bool {
    const HARMLESS: [&str; 7] = ["doc", "derive", "allow", "expect", "non_exhaustive", "error", "must_use"];
    attrs.iter().all(|attr| HARMLESS.iter().any(|name| attr.path().is_ident(name)))
}

/// The name that serde writes: that of the source, or another one; `None` if more is said than a name.
fn named(attrs: &[Attribute], name: &str) -> Option<String> {
    let (serde, others): (Vec<&Attribute>, Vec<&Attribute>) =
        attrs.iter().partition(|attr| attr.path().is_ident("serde"));
    if others.iter().any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("schemars")) {
        return None;
    }
    let mut name = name.to_owned();
    for attr in serde {
        attr.parse_args_with(|input: syn::parse::ParseStream<'_>| {
            let key: syn::Ident = input.parse()?;
            if key != "rename" {
                return Err(input.error("more than a name"));
            }
            input.parse::<Token![=]>()?;
            name = input.parse::<LitStr>()?.value();
            Ok(())
        })
        .ok()?;
    }
    Some(name)
}

fn is_optional(field: &Field) -> bool {
    match &field.ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    }
}
