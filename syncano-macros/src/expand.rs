//! Writes the code of a validated module.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Path, ReturnType, Type};
use syncano_core::{Map, Method, Methods, Placement};

use crate::agreement::Warning;
use crate::attribute::SocketOptions;
use crate::errors::Errors;
use crate::parse::Module;
use crate::signature::Argument;
use crate::source::{Script, include};
use crate::validate::{Brought, Stub, ValidatedCall, ValidatedSocket, validate};

/// What `#[socket]` makes of the item it is written on.
pub(crate) fn socket(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = SocketOptions::parse(attribute, &mut errors);
    let Some(module) = Module::parse(item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote! { #errors #item };
    };
    let socket = validate(options, module, &mut errors);
    socket.expand(&errors.into_tokens())
}

/// Generated code is no business of the user's lints; the user's own items keep theirs.
fn allow() -> TokenStream {
    quote! { #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)] }
}

impl ValidatedSocket {
    fn expand(&self, errors: &TokenStream) -> TokenStream {
        let ValidatedSocket { attrs, vis, mod_token, ident, inner, kept, name, .. } = self;
        let krate = self.krate.as_ref().map_or_else(|| quote!(::syncano_client), Path::to_token_stream);
        let allow = allow();
        let description = self.description.iter();
        let config = object(&self.config).map(|json| quote!(.config(#json)));
        let metadata = object(&self.metadata).map(|json| quote!(.metadata(#json)));
        let classes = self.classes.iter().map(|class| {
            let (name, fields) = (&class.name, json_text(class.schema.clone()));
            quote!(.dependency(#krate::ClassDependency::new(#name, #krate::__private::list(#fields))))
        });
        let endpoints = self.calls.iter().map(|call| {
            let cfgs = call.cfgs();
            let endpoint = &call.endpoint;
            quote!(#(#cfgs)* #endpoint)
        });
        let steps = self.calls.iter().map(|call| call.definition(&krate));
        let methods = self.calls.iter().map(|call| call.method(&krate, self.script_of(call)));
        let stubs = self.stubs.iter().map(|stub| stub.method(&krate));
        let warnings = self.calls.iter().flat_map(ValidatedCall::warnings);
        let files = self.stubs.iter().filter_map(Stub::file);
        let about_name = " The socket's name.";
        let about_client = format!(" Calls the endpoints of the socket `{name}`.");
        quote! {
            #(#attrs)*
            #vis #mod_token #ident {
                #(#inner)*
                #(#kept)*
                #errors
                #(#files)*
                #(#warnings)*

                #[doc = #about_name]
                #allow
                pub const NAME: &str = #name;

                /// The socket's definition, scripts and schemas included.
                #[must_use]
                #[allow(deprecated)]
                #allow
                pub fn definition() -> #krate::Socket {
                    let definition = #krate::__private::Definition::new(NAME)
                        #(.description(#description))* #config #metadata;
                    #(#steps)*
                    definition #(#classes)* .build()
                }

                #[doc(hidden)]
                #allow
                pub const __SOCKET: #krate::__private::Listed =
                    #krate::__private::Listed { name: NAME, endpoints: &[#(#endpoints),*], definition };

                #[doc(hidden)]
                #allow
                static __CONTRACTS: #krate::__private::Contracts = #krate::__private::Contracts::new(definition);

                /// What publishing the socket would change; nothing is written.
                ///
                /// # Errors
                /// The server can't be reached or refuses.
                #allow
                pub async fn plan(
                    instance: &#krate::Instance,
                ) -> ::core::result::Result<#krate::Plan, #krate::Error> {
                    instance.plan(&definition()).await
                }

                /// Creates the socket in the instance when awaited, or updates it; what is published already stays
                /// untouched. What would break its callers is refused unless `.allow_breaking(true)` allows it.
                ///
                /// # Errors
                /// The server can't be reached or refuses, callers would break, or another socket stands in the way.
                #allow
                pub fn publish(instance: &#krate::Instance) -> #krate::Publish {
                    instance.publish(&definition())
                }

                #[doc = #about_client]
                #allow
                #[derive(::core::fmt::Debug, ::core::clone::Clone)]
                pub struct Client {
                    instance: #krate::Instance,
                }

                #allow
                impl Client {
                    /// A client of the socket in the instance.
                    #[must_use]
                    pub fn new(instance: &#krate::Instance) -> Self {
                        Self { instance: ::core::clone::Clone::clone(instance) }
                    }
                    #(#methods)*
                    #(#stubs)*
                }
            }
        }
    }
}

impl ValidatedSocket {
    /// The script that a call runs, if a function of the module brings it along.
    fn script_of(&self, call: &ValidatedCall) -> Option<&Script> {
        self.calls.iter().find_map(|other| match &other.script {
            Brought::New { script, .. } if other.call.name == call.call.name => Some(script),
            _ => None,
        })
    }
}

impl ValidatedCall {
    /// What the call adds to the definition.
    fn definition(&self, krate: &TokenStream) -> TokenStream {
        let ValidatedCall { endpoint, call, .. } = self;
        let private = quote!(#krate::__private);
        let cfgs = self.cfgs();
        let name = &call.name;
        let script = match &self.script {
            Brought::New { runtime, script } => {
                let runtime = Ident::new(&format!("{runtime:?}"), Span::call_site());
                let source = match script {
                    // Makes the file an input of the build, and finds it beside the Rust file.
                    Script::File { literal, .. } => include(literal),
                    script => script.text().to_token_stream(),
                };
                Some(quote!(#krate::ScriptDependency::new(#name, #krate::Runtime::#runtime, #source)))
            }
            Brought::Existing(number) => Some(quote!(#krate::ScriptDependency::existing(#name, #number))),
            Brought::Nothing => None,
        };
        let config = self.config.as_ref().map(|config| {
            let text = json_text(config.clone());
            quote!(.config(#private::object(#text)))
        });
        let script = script.map(|script| quote!(.dependency(#script #config)));
        let methods = match &call.methods {
            Methods::Any => quote!(#krate::Methods::Any),
            Methods::Only(methods) => {
                let methods = methods.iter().map(|method| method_path(krate, *method));
                quote!(#private::methods(&[#(#methods),*]))
            }
        };
        let private_call = call.private.iter();
        let cache = call.cache.iter();
        let timeout = call.timeout.iter();
        let metadata = object(&self.metadata).map(|json| quote!(.endpoint_metadata(#endpoint, #json)));
        let acl = object(&self.acl).map(|json| quote!(.acl(#endpoint, #json)));
        let checks = self.arguments.iter().map(|argument| argument.check(krate));
        let inputs = self.arguments.iter().map(|argument| argument.input(krate));
        let result = self.result(krate);
        let option = quote!(::core::option::Option);
        let errors = match self.error(krate) {
            Some(error) => quote!(#option::Some(#error().schema())),
            None => quote!(#option::None),
        };
        quote! {
            #(#cfgs)*
            let definition = {
                #(#checks)*
                definition
                    #script
                    .call(
                        #endpoint,
                        #krate::ScriptCall::new(#name, #methods)
                            #(.private(#private_call))* #(.cache(#cache))* #(.timeout(#timeout))*,
                        #private::Inputs::new() #(#inputs)*,
                        #result().schema(),
                        #errors,
                    )
                    #metadata
                    #acl
            };
        }
    }

    /// The conditions under which the call is there.
    fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }

    /// On stable Rust only the use of something deprecated is a warning that a macro can write.
    fn warnings(&self) -> impl Iterator<Item = TokenStream> {
        let lints = |attr: &&Attribute| {
            ["cfg", "allow", "warn", "deny"].iter().any(|word| attr.path().is_ident(word))
        };
        self.warnings.iter().map(move |Warning { span, item, note }| {
            let attrs = self.attrs.iter().filter(lints);
            let used = Ident::new(item, *span);
            let item = Ident::new(item, Span::call_site());
            quote! {
                #(#attrs)*
                const _: () = {
                    #[deprecated(note = #note)]
                    const fn #item() {}
                    #used();
                };
            }
        })
    }

    /// The client's method; `script` is what it runs, if the module has it.
    fn method(&self, krate: &TokenStream, script: Option<&Script>) -> TokenStream {
        let ValidatedCall { attrs, vis, ident, endpoint, .. } = self;
        let docs = (!is_documented(attrs)).then(|| {
            let text = format!(" Calls the endpoint `{endpoint}` (`{}`).", self.call.methods);
            quote!(#[doc = #text])
        });
        let inputs = self.arguments.iter().map(|Argument { ident, ty, .. }| quote!(#ident: #ty));
        let call_type = call_type(krate, &self.output, self.error.as_ref());
        let methods = match &self.call.methods {
            Methods::Any => quote!(&#krate::Method::ALL),
            Methods::Only(methods) => {
                let methods = methods.iter().map(|method| method_path(krate, *method));
                quote!(&[#(#methods),*])
            }
        };
        let result = self.result(krate);
        let error = match self.error(krate) {
            Some(error) => error,
            None => quote!(#krate::__private::no_error),
        };
        let script = match script.and_then(|script| script.compiled(krate)) {
            Some(script) => quote!(::core::option::Option::Some(#script)),
            None => quote!(::core::option::Option::None),
        };
        let call = quote! {
            #krate::__private::call(
                &self.instance,
                {
                    static TARGET: #krate::__private::Target = #krate::__private::Target {
                        socket: NAME,
                        endpoint: #endpoint,
                        methods: #methods,
                        script: #script,
                        contracts: &__CONTRACTS,
                    };
                    &TARGET
                },
                #result(),
                #error(),
            )
        };
        let call = self.arguments.iter().fold(call, |call, argument| argument.add(krate, &call));
        let call = if self.arguments.is_empty() {
            call
        } else {
            // The signature has told already that a type is deprecated.
            quote! {
                #[allow(deprecated)]
                let call = #call;
                call
            }
        };
        quote! {
            #(#attrs)*
            #docs
            #[track_caller]
            #vis fn #ident(&self #(, #inputs)*) -> #call_type {
                #call
            }
        }
    }

    /// What reads the script's own error, if one is declared.
    fn error(&self, krate: &TokenStream) -> Option<TokenStream> {
        self.error.as_ref().map(|ty| at_type(ty, krate, &quote!(error), &ty.to_token_stream()))
    }

    /// What reads the result. A type that can't be one is told once, as with arguments.
    fn result(&self, krate: &TokenStream) -> TokenStream {
        let output = output_type(&self.output);
        at_type(&output, krate, &quote!(result), &output)
    }
}

/// A type that can't be an argument is told once, at the type: the definition and the method name the same bound of the
/// same function at the same place, and the compiler shows equal errors once.
impl Argument {
    fn check(&self, krate: &TokenStream) -> TokenStream {
        let Argument { ty, .. } = self;
        let function = at_type(ty, krate, &quote!(argument), &quote!((), (), #ty));
        quote!(let _ = #function;)
    }

    fn input(&self, krate: &TokenStream) -> TokenStream {
        let Argument { key, ty, .. } = self;
        let placement = self.placement(krate);
        let method = quote_spanned!(ty.span()=> argument::<#ty>);
        quote!(.#method(#key, #placement))
    }

    fn add(&self, krate: &TokenStream, call: &TokenStream) -> TokenStream {
        let Argument { ident, key, ty, .. } = self;
        let function = at_type(ty, krate, &quote!(argument), &quote!(_, _, #ty));
        let placement = self.placement(krate);
        quote!(({ #function })(#call, #key, &#ident, #placement))
    }

    fn placement(&self, krate: &TokenStream) -> TokenStream {
        let placement = match self.placement {
            Placement::ByMethod => quote!(ByMethod),
            Placement::Body => quote!(Body),
            Placement::Query => quote!(Query),
        };
        quote!(#krate::__private::Placement::#placement)
    }
}

impl Stub {
    /// The method's signature; the body is never run, since the build fails.
    fn method(&self, krate: &TokenStream) -> TokenStream {
        let Stub { attrs, vis, ident, generics, inputs, .. } = self;
        let call_type = call_type(krate, &self.output, self.error.as_ref());
        let clause = &generics.where_clause;
        quote! {
            #(#attrs)*
            #vis fn #ident #generics(&self #(, _: #inputs)*) -> #call_type #clause {
                loop {}
            }
        }
    }

    /// Names the script file, so that a missing one is told along with the rest.
    fn file(&self) -> Option<TokenStream> {
        match &self.script {
            Some(Script::File { literal, .. }) => {
                let text = include(literal);
                Some(quote!(const _: &str = #text;))
            }
            _ => None,
        }
    }
}

/// Writes the path of a function whose bound `ty` must meet, over the type.
fn at_type(
    ty: &impl ToTokens,
    krate: &TokenStream,
    function: &TokenStream,
    generics: &TokenStream,
) -> TokenStream {
    let spans: Vec<Span> = ty.to_token_stream().into_iter().map(|token| token.span()).collect();
    let (first, last) = match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => (Span::call_site(), Span::call_site()),
    };
    let path = quote!(#krate::__private::#function::<).into_iter().map(|mut token| {
        token.set_span(first);
        token
    });
    let path: TokenStream = path.collect();
    let close = quote_spanned!(last=> >);
    quote!(#path #generics #close)
}

fn output_type(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

fn call_type(krate: &TokenStream, output: &ReturnType, error: Option<&Type>) -> TokenStream {
    let output = output_type(output);
    let error = error.into_iter();
    quote!(#krate::Call<#output #(, #error)*>)
}

fn method_path(krate: &TokenStream, method: Method) -> TokenStream {
    let variant = Ident::new(&format!("{method:?}"), Span::call_site());
    quote!(#krate::Method::#variant)
}

/// Parses at run time what was parsed at compile time, if there is anything in it.
fn object(map: &Map) -> Option<TokenStream> {
    (!map.is_empty()).then(|| json_text(map.clone()).to_token_stream())
}

fn json_text(value: impl Into<Value>) -> String {
    value.into().to_string()
}

fn is_documented(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("doc"))
}
