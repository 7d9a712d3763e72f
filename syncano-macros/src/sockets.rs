//! `sockets![a, b]`: an application's sockets together.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Error, Path, Result, Token};

use crate::errors::Errors;

/// What `sockets!` makes of its modules.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let (krate, sockets) = match parse.parse2(input) {
        Ok(parsed) => parsed,
        Err(error) => {
            errors.push(error);
            (None, Vec::new())
        }
    };
    let names: Vec<String> =
        sockets.iter().map(|socket| socket.to_token_stream().to_string().replace(' ', "")).collect();
    for (index, (socket, name)) in sockets.iter().zip(&names).enumerate() {
        if names[..index].contains(name) {
            errors.over(socket, format!("`{name}` is named twice: remove one of them"));
        }
    }
    let broken = errors.len() > 0;
    let errors = errors.into_tokens();
    let krate = krate.map_or_else(|| quote!(::syncano_client), |path| path.to_token_stream());
    // One use for each path: one that leads nowhere is told once.
    let listed = sockets.iter().map(|socket| quote!(#socket::__SOCKET));
    let checks = sockets.iter().enumerate().skip(1).filter(|_| !broken).map(|(index, socket)| {
        let check = quote! {
            const _: () = match #krate::__private::clash(__SOCKETS, #index) {
                ::core::option::Option::Some(told) => ::core::panic!("{}", told.text()),
                ::core::option::Option::None => {}
            };
        };
        // The compiler shows the place of the panic: that of the later socket.
        at(socket.span(), check)
    });
    quote! {
        #errors

        #[doc(hidden)]
        const __SOCKETS: &[#krate::__private::Listed] = &[#(#listed),*];
        #(#checks)*

        /// The definitions of all sockets.
        #[must_use]
        #[allow(dead_code, unreachable_pub)]
        pub fn definitions() -> ::std::vec::Vec<#krate::Socket> {
            #krate::__private::definitions(__SOCKETS)
        }

        /// What publishing all sockets would change; nothing is written.
        ///
        /// # Errors
        /// As `plan` of the socket that failed.
        #[allow(dead_code, unreachable_pub)]
        pub async fn plan(
            instance: &#krate::Instance,
        ) -> ::core::result::Result<::std::vec::Vec<#krate::Plan>, #krate::Error> {
            #krate::__private::plan(instance, __SOCKETS).await
        }

        /// Publishes all sockets when awaited, one after the other; what is published already stays untouched. None is
        /// published if one would break its callers, unless `.allow_breaking(true)` allows it.
        ///
        /// # Errors
        /// As `publish` of the socket that failed; those before it are published.
        #[allow(dead_code, unreachable_pub)]
        pub fn publish(instance: &#krate::Instance) -> #krate::PublishAll {
            #krate::__private::publish(instance, __SOCKETS)
        }
    }
}

/// The same tokens, at another place.
fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), at(span, group.stream()));
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut token => {
            token.set_span(span);
            token
        }
    });
    tokens.collect()
}

/// `crate = path` perhaps, and the modules.
fn parse(input: ParseStream<'_>) -> Result<(Option<Path>, Vec<Path>)> {
    let mut krate = None;
    if input.peek(Token![crate]) && input.peek2(Token![=]) {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let place = input.span();
        let wrong =
            |_| Error::new(place, "`crate` is the path of `syncano_client`: write `crate = my_calls`");
        krate = Some(input.call(Path::parse_mod_style).map_err(wrong)?);
        input.parse::<Option<Token![,]>>()?;
    }
    let mut sockets = Vec::new();
    while !input.is_empty() {
        let place = input.span();
        let wrong = |_| Error::new(place, "a socket is named by its module: write `sockets![shop, stock];`");
        sockets.push(input.call(Path::parse_mod_style).map_err(wrong)?);
        if input.is_empty() {
            break;
        }
        let place = input.span();
        input.parse::<Token![,]>().map_err(|_| {
            Error::new(place, "expected `,` between two modules: write `sockets![shop, stock];`")
        })?;
    }
    if sockets.is_empty() {
        return Err(Error::new(Span::call_site(), "no socket is named: write `sockets![shop, stock];`"));
    }
    Ok((krate, sockets))
}
