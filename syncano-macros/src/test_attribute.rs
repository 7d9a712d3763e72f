//! `#[syncano_testing::test(a, b)]`: a test with a server of its own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{FnArg, ItemFn, Path, Token};

use crate::errors::Errors;

/// What `#[test]` of `syncano-testing` makes of an async function.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let sockets = match Punctuated::<Path, Token![,]>::parse_terminated.parse2(attribute) {
        Ok(sockets) => sockets,
        Err(error) => {
            errors.at(
                error.span(),
                "name the modules of the sockets to publish: `#[syncano_testing::test(my_socket)]`",
            );
            Punctuated::new()
        }
    };
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            errors.over(&item, "`#[syncano_testing::test]` belongs on an `async fn`");
            let errors = errors.into_tokens();
            return quote! { #errors #item };
        }
    };
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let sockets = sockets.iter();
    let (name, inputs, output) = (&sig.ident, &sig.inputs, &sig.output);
    if sig.asyncness.is_none() {
        errors.over(sig.fn_token, "a test that calls sockets is async: write `async fn`");
    }
    if !sig.generics.params.is_empty() {
        errors.over(&sig.generics, "a test can't be generic");
    }
    if let Some(more) = inputs.iter().nth(1) {
        errors.over(more, "a test takes the `TestInstance`, or nothing");
    }
    if let Some(FnArg::Receiver(receiver)) = inputs.first() {
        errors.over(receiver, "a test is a function of its own: it has no `self`");
    }
    if errors.len() > 0 {
        let errors = errors.into_tokens();
        return quote! { #errors #[allow(dead_code)] #vis #sig #block };
    }
    let given = if inputs.is_empty() { quote!(_instance) } else { quote!(instance) };
    let call = if inputs.is_empty() { quote!(#name()) } else { quote!(#name(instance)) };
    quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis fn #name() #output {
            async fn #name(#inputs) #output #block
            ::syncano_testing::__run(::std::vec![#(#sockets::definition()),*], async |#given| #call.await)
        }
    }
}
