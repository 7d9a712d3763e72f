//! The arguments of `#[socket(…)]` and `#[endpoint(…)]`, one by one: a wrong one doesn't hide the others.

use std::fmt::Display;
use std::str::FromStr;

use proc_macro2::{Span, TokenStream};
use serde_json::{Value, json};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Error, Ident, LitBool, LitFloat, LitInt, LitStr, Meta, Path, Result, Token, Type, token,
};
use syncano_core::{Method, Methods, Runtime, ViolationKind, closest};
use syncano_syntax::{javascript, python};

use crate::errors::Errors;
use crate::json::{self, Object};

/// What `#[socket(…)]` says.
#[derive(Default)]
pub(crate) struct SocketOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) runtime: Option<NamedRuntime>,
    /// Where the scripts find their packages.
    pub(crate) environment: Option<LitStr>,
    /// The version of Python whose syntax the scripts have; `None` inside if there is none such, which has been reported.
    pub(crate) python: Option<Option<python::Version>>,
    /// The same of Node.
    pub(crate) node: Option<Option<javascript::Version>>,
    pub(crate) config: Option<Object>,
    pub(crate) metadata: Option<Object>,
    pub(crate) network: Option<(Value, Span)>,
    pub(crate) results: Option<(Value, Span)>,
    pub(crate) classes: Option<Object>,
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
    pub(crate) script: Option<ScriptReference>,
    pub(crate) script_endpoint: Option<LitStr>,
    pub(crate) runtime: Option<NamedRuntime>,
    pub(crate) script_name: Option<LitStr>,
    pub(crate) error: Option<Type>,
    pub(crate) private: Option<(bool, Span)>,
    pub(crate) cache: Option<(u32, Span)>,
    pub(crate) timeout: Option<(f64, Span)>,
    pub(crate) fresh: Option<(bool, Span)>,
    pub(crate) environment: Option<LitStr>,
    pub(crate) config: Option<Object>,
    pub(crate) description: Option<LitStr>,
    pub(crate) metadata: Option<Object>,
    pub(crate) acl: Option<Object>,
    /// Some of it couldn't be read, which has been reported: what seems to be missing may be there.
    pub(crate) unread: bool,
}

/// What `script = …` names.
#[derive(Clone)]
pub(crate) enum ScriptReference {
    /// A script on the server.
    Number(i64, Span),
    /// The script of another function.
    Name(LitStr),
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

const SOCKET_KEYS: [&str; 12] = [
    "name",
    "description",
    "runtime",
    "environment",
    "python",
    "node",
    "config",
    "metadata",
    "network",
    "results",
    "classes",
    "crate",
];
const ENDPOINT_KEYS: [&str; 16] = [
    "source",
    "file",
    "script",
    "script_endpoint",
    "runtime",
    "script_name",
    "error",
    "private",
    "cache",
    "timeout",
    "fresh",
    "environment",
    "config",
    "description",
    "metadata",
    "acl",
];
/// Keys that may stand alone, for `true`.
const FLAGS: [&str; 2] = ["private", "fresh"];

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
            "environment" => set(&mut self.environment, &key, text(&key, input, "science")?, errors),
            "python" => set(&mut self.python, &key, version(&key, input, "3.13", errors)?, errors),
            "node" => set(&mut self.node, &key, version(&key, input, "22", errors)?, errors),
            "config" => set(&mut self.config, &key, Object::parse(&key, input, CONFIG)?, errors),
            "metadata" => set(&mut self.metadata, &key, Object::parse(&key, input, METADATA)?, errors),
            "network" => set(&mut self.network, &key, network(&key, input)?, errors),
            "results" => {
                let literal = text(&key, input, "warn")?;
                set(&mut self.results, &key, (literal.value().into(), literal.span()), errors);
            }
            "classes" => {
                let example = r#"{"item": [{"name": "title", "type": "string"}]}"#;
                set(&mut self.classes, &key, Object::parse(&key, input, example)?, errors);
            }
            _ => {
                let error = wrong(&key, input, "the path of `syncano_client`", "my_calls");
                set(&mut self.krate, &key, input.call(Path::parse_mod_style).map_err(|_| error)?, errors);
            }
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
            script: None,
            script_endpoint: None,
            runtime: None,
            script_name: None,
            error: None,
            private: None,
            cache: None,
            timeout: None,
            fresh: None,
            environment: None,
            config: None,
            description: None,
            metadata: None,
            acl: None,
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
        let mut found = errors.aside();
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
            if FLAGS.contains(&name.as_str()) {
                self.flag(&method, true, errors);
                return Ok(());
            }
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
                    let methods = Method::ALL.map(Method::as_str);
                    Err(match (closest(&name, methods), closest(&name, FLAGS)) {
                        (None, Some(flag)) => {
                            Error::new(method.span(), format!("unknown key `{name}`: did you mean `{flag}`?"))
                        }
                        _ => Error::new(method.span(), unknown),
                    })
                }
            };
        }
        let complete = !std::mem::replace(&mut self.unread, true);
        let key = key(input, &ENDPOINT_KEYS)?;
        match key.to_string().as_str() {
            "source" => set(&mut self.source, &key, text(&key, input, "print('hello')")?, errors),
            "file" => set(&mut self.file, &key, text(&key, input, "scripts/hello.py")?, errors),
            "runtime" => set(&mut self.runtime, &key, runtime(&key, input, errors)?, errors),
            "script" => set(&mut self.script, &key, script(&key, input)?, errors),
            "script_endpoint" => set(&mut self.script_endpoint, &key, text(&key, input, "monthly")?, errors),
            "script_name" => set(&mut self.script_name, &key, text(&key, input, "hello")?, errors),
            "private" | "fresh" => {
                let truth = truth(&key, input)?;
                self.flag(&key, truth, errors);
            }
            "cache" => set(&mut self.cache, &key, cache(&key, input)?, errors),
            "timeout" => set(&mut self.timeout, &key, timeout(&key, input)?, errors),
            "environment" => set(&mut self.environment, &key, text(&key, input, "science")?, errors),
            "config" => set(&mut self.config, &key, Object::parse(&key, input, CONFIG)?, errors),
            "description" => {
                set(&mut self.description, &key, text(&key, input, "what it is for")?, errors);
            }
            "metadata" => set(&mut self.metadata, &key, Object::parse(&key, input, METADATA)?, errors),
            "acl" => set(&mut self.acl, &key, Object::parse(&key, input, r#"{"*": ["GET"]}"#)?, errors),
            _ => {
                let error = wrong(&key, input, "a type", "StockError");
                set(&mut self.error, &key, input.parse().map_err(|_| error)?, errors);
            }
        }
        self.unread = !complete;
        Ok(())
    }

    fn flag(&mut self, key: &Ident, truth: bool, errors: &mut Errors) {
        let flag = if key == "private" { &mut self.private } else { &mut self.fresh };
        set(flag, key, (truth, key.span()), errors);
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
                errors.push(input.error("expected `,`: write one between two keys"));
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

const CONFIG: &str = r#"{"currency": "EUR"}"#;
const METADATA: &str = r#"{"author": "Ada"}"#;

/// An error at a key's value.
fn wrong(key: &Ident, input: ParseStream<'_>, is: &str, example: &str) -> Error {
    let place = if input.is_empty() || input.peek(Token![,]) { key.span() } else { input.span() };
    Error::new(place, format!("`{key}` is {is}: write `{key} = {example}`"))
}

fn version<V: FromStr<Err: Display>>(
    key: &Ident,
    input: ParseStream<'_>,
    example: &str,
    errors: &mut Errors,
) -> Result<Option<V>> {
    let literal = text(key, input, example)?;
    let version = literal.value().parse();
    Ok(version.map_err(|unknown| errors.at(literal.span(), unknown)).ok())
}

fn script(key: &Ident, input: ParseStream<'_>) -> Result<ScriptReference> {
    let is = "the number of a script on the server, or the name of another function's script";
    let error = wrong(key, input, is, "12");
    if input.peek(LitStr) {
        return Ok(ScriptReference::Name(input.parse()?));
    }
    let literal = input.parse::<LitInt>().map_err(|_| error.clone())?;
    match literal.base10_parse() {
        Ok(number) if literal.suffix().is_empty() => Ok(ScriptReference::Number(number, literal.span())),
        _ => Err(error),
    }
}

fn truth(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    let error = wrong(key, input, "`true` or `false`", "true");
    input.parse::<LitBool>().map(|literal| literal.value).map_err(|_| error)
}

fn cache(key: &Ident, input: ParseStream<'_>) -> Result<(u32, Span)> {
    let error = wrong(key, input, "a whole number of seconds", "60");
    let literal = input.parse::<LitInt>().map_err(|_| error.clone())?;
    match literal.base10_parse() {
        Ok(seconds) if literal.suffix().is_empty() => Ok((seconds, literal.span())),
        _ => Err(error),
    }
}

fn timeout(key: &Ident, input: ParseStream<'_>) -> Result<(f64, Span)> {
    let error = wrong(key, input, "a number of seconds", "2.5");
    let (seconds, suffix, span) = if input.peek(LitFloat) {
        let literal: LitFloat = input.parse()?;
        (literal.base10_parse(), literal.suffix().to_owned(), literal.span())
    } else {
        let literal = input.parse::<LitInt>().map_err(|_| error.clone())?;
        (
            literal.base10_digits().parse().map_err(|_| error.clone()),
            literal.suffix().to_owned(),
            literal.span(),
        )
    };
    match seconds {
        Ok(seconds) if suffix.is_empty() => Ok((seconds, span)),
        _ => Err(error),
    }
}

/// A word, or a list of hosts.
fn network(key: &Ident, input: ParseStream<'_>) -> Result<(Value, Span)> {
    let span = if input.is_empty() { key.span() } else { input.span() };
    if !input.peek(token::Bracket) && !input.peek(LitStr) {
        return Err(wrong(
            key,
            input,
            "`\"none\"`, `\"public\"` or a list of hosts",
            "[\"api.example.com\"]",
        ));
    }
    let value = json::value(input)?;
    Ok((if value.is_array() { json!({ "hosts": value }) } else { value }, span))
}

fn set<T>(option: &mut Option<T>, key: &Ident, value: T, errors: &mut Errors) {
    if option.is_some() {
        errors.at(key.span(), format!("`{key}` is given twice: remove one of them"));
    } else {
        *option = Some(value);
    }
}
