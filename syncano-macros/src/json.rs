//! JSON written out in an attribute: `config = {"currency": "EUR"}`.

use proc_macro2::{Span, TokenTree};
use serde_json::{Number, Value};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, Lit, LitStr, Result, Token, braced, bracketed, token};
use syncano_core::Map;

/// An object, and where its keys stand.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) map: Map,
    pub(crate) span: Span,
    keys: Vec<(String, Span)>,
}

impl Object {
    /// The value of the attribute's `key`.
    pub(crate) fn parse(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<Object> {
        if !input.peek(token::Brace) {
            let place = if input.is_empty() { key.span() } else { input.span() };
            return Err(Error::new(place, format!("`{key}` is a JSON object: write `{key} = {example}`")));
        }
        let mut object = Object { map: Map::new(), span: key.span(), keys: Vec::new() };
        entries(input, |name, span, value| {
            object.keys.push((name.clone(), span));
            object.map.insert(name, value);
        })?;
        Ok(object)
    }

    /// The place of a key, or of the whole.
    pub(crate) fn key(&self, name: &str) -> Span {
        self.keys.iter().find(|(key, _)| key == name).map_or(self.span, |(_, span)| *span)
    }
}

/// A value as it stands in an attribute.
pub(crate) fn value(input: ParseStream<'_>) -> Result<Value> {
    if input.peek(token::Brace) {
        let mut map = Map::new();
        entries(input, |name, _, value| {
            map.insert(name, value);
        })?;
        return Ok(Value::Object(map));
    }
    if input.peek(token::Bracket) {
        let content;
        bracketed!(content in input);
        let values = all(&content, |content| content.parse_terminated(value, Token![,]))?;
        return Ok(Value::Array(values.into_iter().collect()));
    }
    let place = input.span();
    let wrong = || {
        Error::new(
            place,
            "JSON is written out here: a string, a number, `true`, `false`, `null`, `[…]` or `{\"key\": …}`",
        )
    };
    let too_large = || Error::new(place, "the number is too large: write a smaller one, or a text");
    let minus = input.parse::<Option<Token![-]>>()?.is_some();
    let value = match input.parse::<Lit>() {
        Ok(Lit::Str(text)) if !minus => Value::String(text.value()),
        Ok(Lit::Bool(truth)) if !minus => Value::Bool(truth.value),
        Ok(Lit::Int(number)) if number.suffix().is_empty() => {
            let magnitude: i128 = number.base10_parse().map_err(|_| too_large())?;
            let number = if minus { -magnitude } else { magnitude };
            Value::Number(Number::from_i128(number).ok_or_else(too_large)?)
        }
        Ok(Lit::Float(number)) if number.suffix().is_empty() => {
            let magnitude: f64 = number.base10_parse().map_err(|_| too_large())?;
            let number = if minus { -magnitude } else { magnitude };
            Value::Number(Number::from_f64(number).ok_or_else(too_large)?)
        }
        Ok(_) => return Err(wrong()),
        Err(_) => {
            let word = input.call(Ident::parse_any).map_err(|_| wrong())?;
            if minus || word != "null" {
                return Err(wrong());
            }
            Value::Null
        }
    };
    Ok(value)
}

/// Reads what is inside of brackets. After an error the rest is dropped, since syn would report that too.
fn all<T>(content: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    read(content).inspect_err(|_| while content.parse::<TokenTree>().is_ok() {})
}

/// Calls `one` with each key, its place and its value.
fn entries(input: ParseStream<'_>, one: impl FnMut(String, Span, Value)) -> Result<()> {
    let content;
    braced!(content in input);
    all(&content, |content| each(content, one))
}

fn each(content: ParseStream<'_>, mut one: impl FnMut(String, Span, Value)) -> Result<()> {
    let mut seen = Vec::new();
    while !content.is_empty() {
        let place = content.span();
        let key = content
            .parse::<LitStr>()
            .map_err(|_| Error::new(place, "a JSON key is a string: write `\"key\": value`"))?;
        content
            .parse::<Token![:]>()
            .map_err(|_| Error::new(key.span(), "a JSON key needs a value: write `\"key\": value`"))?;
        let name = key.value();
        if seen.contains(&name) {
            return Err(Error::new(
                key.span(),
                format!("the key `{name}` is given twice: remove one of them"),
            ));
        }
        seen.push(name.clone());
        one(name, key.span(), value(content)?);
        if content.is_empty() {
            break;
        }
        let place = content.span();
        content
            .parse::<Token![,]>()
            .map_err(|_| Error::new(place, "expected `,` between two keys: write one"))?;
    }
    Ok(())
}
