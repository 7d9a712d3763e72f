//! `#[endpoint]` where no `#[socket]` consumes it: it explains itself.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Token;
use syn::parse::{ParseStream, Parser};

use crate::errors::Errors;
use crate::parse::Function;

pub(crate) fn endpoint(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    errors.at(
        Span::call_site(),
        "`#[endpoint]` belongs on a function of a module tagged with `#[socket]`: \
         write `#[socket] mod my_socket { #[endpoint(…)] pub async fn … }`",
    );
    let errors = errors.into_tokens();
    // A function keeps its name, so that what uses it doesn't fail too.
    let function = |input: ParseStream<'_>| {
        let function: Function = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(function)
    };
    let kept = match function.parse2(item.clone()) {
        Ok(Function { attrs, vis, sig, body: None, .. }) => {
            quote! { #(#attrs)* #[allow(unused_variables)] #vis #sig { loop {} } }
        }
        Ok(function) => function.into_token_stream(),
        Err(_) => item,
    };
    quote! { #errors #kept }
}
