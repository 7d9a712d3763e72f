//! The macro on tokens: what it writes (golden files; `INSTA_UPDATE=always cargo test -p syncano-macros` rewrites them)
//! and what is left of a module with mistakes.

#[cfg(all(feature = "check-python", feature = "check-javascript"))]
mod agreements;
mod expansions;
mod mistakes;
#[cfg(all(feature = "check-python", feature = "check-javascript"))]
mod scripts;
mod test_attribute;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};

fn expand(attribute: &str, module: &str) -> syn::File {
    let tokens = |text: &str| text.parse::<TokenStream>().expect("the test's input lexes");
    syn::parse2(crate::expand::socket(tokens(attribute), tokens(module))).expect("the macro writes items")
}

/// The texts of all `compile_error!`s.
fn errors(file: &syn::File) -> Vec<String> {
    struct Errors(Vec<String>);
    impl Visit<'_> for Errors {
        fn visit_macro(&mut self, item: &syn::Macro) {
            if item.path.segments.last().is_some_and(|segment| segment.ident == "compile_error") {
                self.0.push(item.parse_body::<syn::LitStr>().expect("a text").value());
            }
            visit::visit_macro(self, item);
        }
    }
    let mut errors = Errors(Vec::new());
    errors.visit_file(file);
    errors.0
}

/// The texts of all warnings.
#[cfg(all(feature = "check-python", feature = "check-javascript"))]
fn warnings(file: &syn::File) -> Vec<String> {
    struct Warnings(Vec<String>);
    impl Visit<'_> for Warnings {
        fn visit_item_const(&mut self, item: &syn::ItemConst) {
            let syn::Expr::Block(block) = &*item.expr else { return };
            let functions = block.block.stmts.iter().filter_map(|statement| match statement {
                syn::Stmt::Item(syn::Item::Fn(function)) => Some(function),
                _ => None,
            });
            for attribute in functions.flat_map(|function| &function.attrs) {
                if let Ok(list) = attribute.meta.require_list()
                    && let Ok(note) = list.parse_args::<syn::MetaNameValue>()
                    && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = note.value
                {
                    self.0.push(text.value());
                }
            }
        }
    }
    let mut warnings = Warnings(Vec::new());
    warnings.visit_file(file);
    warnings.0
}

/// The names of the client's methods.
fn methods(file: &syn::File) -> Vec<String> {
    struct Methods(Vec<String>);
    impl Visit<'_> for Methods {
        fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
            self.0.push(item.sig.ident.to_string());
        }
    }
    let mut methods = Methods(Vec::new());
    methods.visit_file(file);
    methods.0.retain(|name| name != "new");
    methods.0
}

/// The endpoints' names in the definition.
fn definition(file: &syn::File) -> String {
    let mut text = String::new();
    for item in &file.items {
        let syn::Item::Mod(module) = item else { continue };
        for item in module.content.iter().flat_map(|(_, items)| items) {
            if let syn::Item::Fn(function) = item
                && function.sig.ident == "definition"
            {
                let block = &function.block;
                text = quote::quote!(#block).to_string();
            }
        }
    }
    text
}
