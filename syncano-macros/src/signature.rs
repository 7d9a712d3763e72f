//! The functions' signatures: what may be written, and where each argument travels.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    FnArg, GenericParam, Generics, Ident, Lifetime, LifetimeParam, Meta, Pat, PatType, ReturnType, Signature,
    Type,
};
use syncano_core::{Method, Methods, Placement, TRANSPORT_KEYS, closest};

use crate::errors::Errors;
use crate::types::{fallible, written};

/// An argument of a call.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    /// The name by which the script gets it.
    pub(crate) key: String,
    pub(crate) ty: Type,
    pub(crate) placement: Placement,
}

/// Reports what can't be, and returns the arguments that can.
pub(crate) fn arguments(sig: &Signature, methods: Option<&Methods>, errors: &mut Errors) -> Vec<Argument> {
    qualifiers(sig, errors);
    let mut arguments = Vec::new();
    let mut body: Option<Span> = None;
    let mut by_method: Vec<Span> = Vec::new();
    for input in &sig.inputs {
        let typed = match input {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(receiver) => {
                errors.over(receiver, "the function takes no `self`: remove it, the client adds its own");
                continue;
            }
        };
        let placement = placement(typed, errors);
        match placement {
            Some((Placement::Body, span)) => {
                if body.is_some() {
                    errors.at(span, "a request has one body: remove the second `#[body]`");
                }
                body.get_or_insert(span);
                if let Some(Methods::Only(methods)) = methods
                    && !methods.is_empty()
                    && !methods.iter().any(|method| method.has_body())
                {
                    let names =
                        methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" and ");
                    let carry = if methods.len() == 1 { "carries" } else { "carry" };
                    errors.at(
                        span,
                        format!("{names} {carry} no body: remove `#[body]`, or answer POST, PUT or PATCH"),
                    );
                }
            }
            Some((Placement::ByMethod, span)) => by_method.push(span),
            _ => {}
        }
        types(&typed.ty, false, errors);
        let Some(ident) = name(typed, errors) else { continue };
        let key = ident.unraw().to_string();
        if let Some((placement, _)) = placement {
            if let Some(way) = way_into_the_query(placement, methods)
                && TRANSPORT_KEYS.contains(&key.as_str())
            {
                errors.at(
                    ident.span(),
                    format!(
                        "{way} puts `{key}` into the query, where this key belongs to the transport and never reaches a \
                         script: rename it, or send it in the body of POST, PUT or PATCH"
                    ),
                );
            }
            arguments.push(Argument { ident, key, ty: (*typed.ty).clone(), placement });
        }
    }
    if body.is_some() {
        for span in by_method {
            errors.at(span, "the body is another argument's (`#[body]`): write `#[query]` before this one");
        }
    }
    arguments
}

/// Returns what makes an argument travel in the query: its mark, or a method without a body.
fn way_into_the_query(placement: Placement, methods: Option<&Methods>) -> Option<&'static str> {
    match placement {
        Placement::Body => None,
        Placement::Query => Some("`#[query]`"),
        Placement::ByMethod => {
            methods?.expanded().into_iter().find(|method| !method.has_body()).map(Method::as_str)
        }
    }
}

/// The result type and the error type must own what they hold.
pub(crate) fn results(sig: &Signature, error: Option<&Type>, errors: &mut Errors) {
    if let (ReturnType::Type(_, ty), Some(fallible)) = (&sig.output, fallible(&sig.output)) {
        let value = written(fallible.value);
        let what = match fallible.own_error().filter(|_| error.is_none()) {
            Some(own) => format!("write `-> {value}`, and `error = {}` in `#[endpoint]`", written(own)),
            None => format!("write `-> {value}`"),
        };
        errors.over(ty, format!("a call gives a `Result` by itself: {what}"));
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        types(ty, true, errors);
    }
    if let Some(ty) = error {
        types(ty, true, errors);
    }
}

fn qualifiers(sig: &Signature, errors: &mut Errors) {
    if let Some(word) = &sig.constness {
        errors.over(word, "the function can't be `const`: remove it");
    }
    match &sig.safety {
        syn::Safety::Default => {}
        word => errors.over(word, "the function can't be `unsafe`: remove it"),
    }
    if let Some(abi) = &sig.abi {
        errors.over(abi, "the function can't be `extern`: remove it");
    }
    if sig.asyncness.is_none() {
        errors.at(sig.fn_token.span, "a call goes over the network: write `async fn`");
    }
    if !sig.generics.params.is_empty() {
        errors.over(&sig.generics, "the function can't be generic: write the types themselves");
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.over(clause, "the function takes no `where`: remove it");
    }
    if let Some(variadic) = &sig.variadic {
        errors.over(variadic, "the function takes a fixed number of arguments: remove `...`");
    }
}

/// Where the argument travels, and the place that says so. `None` if that can't be told.
fn placement(typed: &PatType, errors: &mut Errors) -> Option<(Placement, Span)> {
    let mut placement = Some((Placement::ByMethod, typed.pat.span()));
    let mut marked = false;
    for attr in &typed.attrs {
        let given = match (&attr.meta, attr.path().get_ident().map(Ident::to_string).as_deref()) {
            (Meta::Path(_), Some("body")) => Placement::Body,
            (Meta::Path(_), Some("query")) => Placement::Query,
            (_, Some(word @ ("body" | "query"))) => {
                errors.over(&attr.meta, format!("`#[{word}]` takes nothing: write it alone"));
                placement = None;
                continue;
            }
            (_, word) => {
                let meant = word.and_then(|word| Some((word, closest(word, ["body", "query"])?)));
                match meant {
                    Some((word, meant)) => errors.over(
                        &attr.meta,
                        format!("unknown attribute `#[{word}]`: did you mean `#[{meant}]`?"),
                    ),
                    None => errors.over(
                        &attr.meta,
                        "an argument may only be marked `#[body]` or `#[query]`: remove the attribute",
                    ),
                }
                placement = None;
                continue;
            }
        };
        if marked {
            errors.over(&attr.meta, "an argument travels one way: write `#[body]` or `#[query]`, once");
        } else if placement.is_some() {
            placement = Some((given, attr.meta.span()));
        }
        marked = true;
    }
    placement
}

fn name(typed: &PatType, errors: &mut Errors) -> Option<Ident> {
    if let Pat::Ident(pat) = &*typed.pat
        && pat.by_ref.is_none()
        && pat.mutability.is_none()
        && pat.subpat.is_none()
    {
        return Some(pat.ident.clone());
    }
    errors.over(
        &typed.pat,
        "an argument is a plain name, which is the key that the script gets: write `name: Type`",
    );
    None
}

/// Refuses what can't cross the network: `impl Trait`, explicit lifetimes, and references in results.
fn types(ty: &Type, owned: bool, errors: &mut Errors) {
    Types { owned, errors }.visit_type(ty);
}

struct Types<'e> {
    owned: bool,
    errors: &'e mut Errors,
}

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.errors.over(ty, "its types can't be `impl Trait`: write the type itself");
    }

    fn visit_type_reference(&mut self, ty: &'ast syn::TypeReference) {
        if self.owned {
            self.errors
                .over(ty, "a result is made from the answer and owns its data: write a type without `&`");
        } else {
            visit::visit_type_reference(self, ty);
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" && (self.owned || lifetime.ident != "_") {
            self.errors.over(lifetime, format!("its types take no lifetimes: remove `{lifetime}`"));
        }
    }
}

/// The output and the error of a stub whose function was written with a `Result`: what is meant, so that the code that uses
/// it is told nothing more.
pub(crate) fn without_result(output: ReturnType, error: Option<Type>) -> (ReturnType, Option<Type>) {
    let Some(fallible) = fallible(&output) else { return (output, error) };
    let error = error.or_else(|| fallible.own_error().cloned());
    let value = fallible.value.clone();
    (ReturnType::Type(Default::default(), Box::new(value)), error)
}

/// The output of a stub: `impl Trait` would be inferred from a body that isn't there.
pub(crate) fn without_impl_trait(output: ReturnType) -> ReturnType {
    struct Found(bool);
    impl<'ast> Visit<'ast> for Found {
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut found = Found(false);
    found.visit_return_type(&output);
    if found.0 { ReturnType::Default } else { output }
}

/// The generics of a stub: every lifetime in its types is declared.
pub(crate) fn with_all_lifetimes(
    mut generics: Generics,
    inputs: &[Type],
    output: &ReturnType,
    error: Option<&Type>,
) -> Generics {
    struct Named(Vec<Lifetime>);
    impl<'ast> Visit<'ast> for Named {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" && lifetime.ident != "_" && !self.0.contains(lifetime) {
                self.0.push(lifetime.clone());
            }
        }
    }
    let mut named = Named(Vec::new());
    inputs.iter().chain(error).for_each(|ty| named.visit_type(ty));
    named.visit_return_type(output);
    for lifetime in named.0 {
        if !generics.lifetimes().any(|declared| declared.lifetime == lifetime) {
            generics.params.insert(0, GenericParam::Lifetime(LifetimeParam::new(lifetime)));
        }
    }
    generics
}
