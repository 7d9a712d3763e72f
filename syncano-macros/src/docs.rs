//! Doc comments of functions, as what OpenAPI says about the methods of their endpoints.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};
use syncano_core::{Map, Method, Methods};

const DESCRIPTION: &str = "description";

/// Adds a function's doc comment to its endpoint's metadata, under the methods that the function answers. A
/// `description` that the attribute gives says it already.
pub(crate) fn describe(metadata: &mut Map, attrs: &[Attribute], methods: &Methods) {
    let Some(text) = text(attrs).filter(|_| !metadata.contains_key(DESCRIPTION)) else { return };
    let keys: Vec<&str> = match methods {
        Methods::Any => vec!["*"],
        Methods::Only(methods) => methods.iter().copied().map(Method::as_str).collect(),
    };
    for key in keys {
        let about = metadata.entry(key).or_insert_with(|| Map::new().into());
        if let Some(about) = about.as_object_mut() {
            about.entry(DESCRIPTION).or_insert_with(|| text.as_str().into());
        }
    }
}

/// The text of a doc comment, without the blank that follows the slashes.
fn text(attrs: &[Attribute]) -> Option<String> {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_doc_comment_describes_the_methods_of_its_function() {
        let function: syn::ItemFn = parse_quote! {
            /// Lists the items.
            ///
            ///  * sorted
            #[doc(hidden)]
            fn list() {}
        };
        let described = |metadata: serde_json::Value, methods: Methods| {
            let mut metadata = metadata.as_object().unwrap().clone();
            describe(&mut metadata, &function.attrs, &methods);
            json!(metadata)
        };
        let text = "Lists the items.\n\n * sorted";
        assert_eq!(
            described(json!({ "GET": { "icon": "i" } }), [Method::Get, Method::Put].into()),
            json!({ "GET": { "icon": "i", "description": text }, "PUT": { "description": text } })
        );
        assert_eq!(described(json!({}), Methods::Any), json!({ "*": { "description": text } }));
        let said = json!({ "description": "said" });
        assert_eq!(described(said.clone(), Methods::Any), said);
    }
}
