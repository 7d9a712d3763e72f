//! The arguments of `#[socket(…)]` and `#[endpoint(…)]`, one by one: a wrong one doesn't hide the others.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Ident, LitStr, Meta, Path, Result, Token, Type};
use syncano_core::{Method, Methods, Runtime, ViolationKind, closest};

use crate::errors::Errors;

/// What `#[socket(…)]` says.
#[derive(Default)]
pub(crate) struct SocketOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) runtime: Option<NamedRuntime>,
    pub(crate) krate: Option<Path>,
}

/// What `#[endpoint(…)]` says.
pub(crate) struct EndpointOptions {
    /// The attribute, as the place of what is missing.
    pub(crate) attribute: Attribute,
    pub(crate) name: Option<LitStr>,
    pub(crate) methods: MethodList,
    pub(crate) source: Option<LitStr>,
    pub(crate) file: Option<LitStr>,
    pub(crate) runtime: Option<NamedRuntime>,
    pub(crate) script_name: Option<LitStr>,
    pub(crate) error: Option<Type>,
    /// Some of it couldn't be read, which has been reported: what seems to be missing may be there.
    pub(crate) unread: bool,
}

/// A runtime as written; `runtime` is `None` if there is none of that name, which has been reported.
#[derive(Clone)]
pub(crate) struct NamedRuntime {
    pub(crate) literal: LitStr,
    pub(crate) runtime: Option<Runtime>,
}

/// The methods as written.
#[derive(Default)]
pub(crate) struct MethodList {
    /// Each method that is one, and its place.
    pub(crate) listed: Vec<(Method, Span)>,
    /// The place of `*`.
    pub(crate) any: Option<Span>,
    /// Something stands there that is no method; it has been reported.
    pub(crate) broken: bool,
}

impl MethodList {
    /// The methods, if what is written makes sense.
    pub(crate) fn methods(&self) -> Option<Methods> {
        match (self.broken, self.any) {
            (true, _) => None,
            (false, Some(_)) => Some(Methods::Any),
            (false, None) => Some(Methods::Only(self.listed.iter().map(|(method, _)| *method).collect())),
        }
    }
}

const SOCKET_KEYS: [&str; 4] = ["name", "description", "runtime", "crate"];
const ENDPOINT_KEYS: [&str; 5] = ["source", "file", "runtime", "script_name", "error"];

impl SocketOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> SocketOptions {
        let mut options = SocketOptions::default();
        let mut found = Errors::default();
        let parser = |input: ParseStream<'_>| {
            each(input, &mut found, |input, errors| options.argument(input, errors));
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        errors.append(found);
        options
    }

    fn argument(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        let key = key(input, &SOCKET_KEYS)?;
        match key.to_string().as_str() {
            "name" => set(&mut self.name, &key, text(&key, input, "my_socket")?, errors),
            "description" => {
                set(&mut self.description, &key, text(&key, input, "what it is for")?, errors);
            }
            "runtime" => set(&mut self.runtime, &key, runtime(&key, input, errors)?, errors),
            _ => set(&mut self.krate, &key, input.call(Path::parse_mod_style)?, errors),
        }
        Ok(())
    }
}

impl EndpointOptions {
    pub(crate) fn parse(attribute: Attribute, errors: &mut Errors) -> EndpointOptions {
        let mut options = EndpointOptions {
            attribute: attribute.clone(),
            name: None,
            methods: MethodList::default(),
            source: None,
            file: None,
            runtime: None,
            script_name: None,
            error: None,
            unread: false,
        };
        let Meta::List(list) = &attribute.meta else {
            errors.over(
                &attribute.meta,
                "an endpoint needs a name, methods and a script: write `#[endpoint(\"name\", GET, source = \"…\")]`",
            );
            options.methods.broken = true;
            options.unread = true;
            return options;
        };
        let mut found = Errors::default();
        let parsed = list.parse_args_with(|input: ParseStream<'_>| {
            Ok(each(input, &mut found, |input, errors| options.argument(input, errors)))
        });
        match parsed {
            Ok(complete) => options.unread |= !complete,
            Err(error) => errors.push(error),
        }
        if options.name.is_none() && found.len() == 0 {
            found.over(
                &list.path,
                "the endpoint's name is missing: write `#[endpoint(\"name\", GET, source = \"…\")]`",
            );
        }
        if let (Some(any), false) = (options.methods.any, options.methods.listed.is_empty()) {
            found.at(any, ViolationKind::WildcardNotAlone);
            options.methods.broken = true;
        }
        errors.append(found);
        options
    }

    fn argument(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        if input.peek(syn::Lit) {
            return self.literal(input);
        }
        if input.peek(Token![*]) {
            let star: Token![*] = input.parse()?;
            if self.methods.any.replace(star.span).is_some() {
                return Err(Error::new(star.span, ViolationKind::WildcardNotAlone));
            }
            return Ok(());
        }
        if input.peek(Ident::peek_any) && !input.peek2(Token![=]) {
            let method = Ident::parse_any(input)?;
            let name = method.to_string();
            return match name.parse::<Method>() {
                Ok(known) => {
                    self.methods.listed.push((known, method.span()));
                    Ok(())
                }
                Err(_) if ENDPOINT_KEYS.contains(&name.as_str()) => {
                    self.unread = true;
                    Err(Error::new(method.span(), format!("`{name}` needs a value: write `{name} = …`")))
                }
                Err(unknown) => {
                    self.methods.broken = true;
                    Err(Error::new(method.span(), unknown))
                }
            };
        }
        let complete = !std::mem::replace(&mut self.unread, true);
        let key = key(input, &ENDPOINT_KEYS)?;
        match key.to_string().as_str() {
            "source" => set(&mut self.source, &key, text(&key, input, "print('hello')")?, errors),
            "file" => set(&mut self.file, &key, text(&key, input, "scripts/hello.py")?, errors),
            "runtime" => set(&mut self.runtime, &key, runtime(&key, input, errors)?, errors),
            "script_name" => set(&mut self.script_name, &key, text(&key, input, "hello")?, errors),
            _ => set(&mut self.error, &key, input.parse()?, errors),
        }
        self.unread = !complete;
        Ok(())
    }

    /// The name, or a method in quotes.
    fn literal(&mut self, input: ParseStream<'_>) -> Result<()> {
        let place = input.span();
        let literal = input
            .parse::<LitStr>()
            .map_err(|_| Error::new(place, "the endpoint's name is a string: write `\"name\"`"))?;
        if self.name.is_none() {
            self.name = Some(literal);
            return Ok(());
        }
        self.methods.broken = true;
        let text = literal.value();
        let candidates = ["GET", "POST", "PUT", "PATCH", "DELETE", "*"];
        Err(match closest(&text, candidates) {
            Some(method) => Error::new(place, format!("methods are written without quotes: `{method}`")),
            None => Error::new(place, "the endpoint has a name already: tag another function with this one"),
        })
    }
}

/// Parses arguments separated by commas; after a wrong one it goes on behind the next comma. Returns whether nothing
/// was left out for want of a comma.
fn each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> Result<()>,
) -> bool {
    let mut complete = true;
    while !input.is_empty() {
        match one(input, errors) {
            Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
            Ok(()) => {
                complete = false;
                errors.push(input.error("expected `,`"));
            }
            Err(error) => errors.push(error),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            if input.parse::<proc_macro2::TokenTree>().is_err() {
                return false;
            }
        }
        if input.parse::<Option<Token![,]>>().is_err() {
            return false;
        }
    }
    complete
}

/// A key and its `=`.
fn key(input: ParseStream<'_>, known: &[&str]) -> Result<Ident> {
    let expected = |span| Error::new(span, format!("expected `key = value`: the keys are {}", listed(known)));
    let place = input.span();
    let key = input.call(Ident::parse_any).map_err(|_| expected(place))?;
    let name = key.to_string();
    if !known.contains(&name.as_str()) {
        return Err(match closest(&name, known.iter().copied()) {
            Some(meant) => Error::new(key.span(), format!("unknown key `{name}`: did you mean `{meant}`?")),
            None => Error::new(key.span(), format!("unknown key `{name}`: the keys are {}", listed(known))),
        });
    }
    if input.parse::<Token![=]>().is_err() {
        return Err(Error::new(key.span(), format!("`{name}` needs a value: write `{name} = …`")));
    }
    Ok(key)
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    let place = if input.is_empty() { key.span() } else { input.span() };
    input
        .parse::<LitStr>()
        .map_err(|_| Error::new(place, format!("`{key}` is a string: write `{key} = \"{example}\"`")))
}

fn runtime(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> Result<NamedRuntime> {
    let literal = text(key, input, "python3")?;
    let runtime = match literal.value().parse::<Runtime>() {
        Ok(runtime) => Some(runtime),
        Err(unknown) => {
            errors.at(literal.span(), unknown);
            None
        }
    };
    Ok(NamedRuntime { literal, runtime })
}

fn set<T>(option: &mut Option<T>, key: &Ident, value: T, errors: &mut Errors) {
    if option.is_some() {
        errors.at(key.span(), format!("`{key}` is given twice: remove one of them"));
    } else {
        *option = Some(value);
    }
}
