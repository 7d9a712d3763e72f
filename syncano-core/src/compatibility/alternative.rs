//! A schema in parts: each alternative is of one kind of JSON value, and all that is said about it is in one place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::number::Numbers;
use super::read::{Unreadable, excerpt};

/// Schemas of which a value must fit all.
pub(super) type All<'a> = Vec<&'a Value>;

pub(super) static NOTHING: Value = Value::Bool(false);
pub(super) static ANYTHING: Value = Value::Bool(true);

/// One of the alternatives that a schema admits.
#[derive(Debug, Clone)]
pub(super) struct Alternative<'a> {
    pub(super) kind: Kind<'a>,
    /// The `oneOf`s that it went through: which, and which of theirs it is.
    pub(super) choices: Vec<(usize, usize)>,
}

/// The values of one kind.
#[derive(Debug, Clone)]
pub(super) enum Kind<'a> {
    Value(Cow<'a, Value>),
    Number(Numbers<'a>),
    Text(Texts<'a>),
    List(Lists<'a>),
    Object(Objects<'a>),
}

/// Texts of certain lengths, in characters.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts<'a> {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    /// `format`s, `pattern`s and encodings, by keyword.
    pub(super) forms: BTreeSet<(&'a str, &'a str)>,
    /// Texts that are left out.
    pub(super) without: BTreeSet<&'a str>,
}

/// Lists whose first items may be of schemas of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists<'a> {
    pub(super) first: Vec<All<'a>>,
    pub(super) items: All<'a>,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) distinct: bool,
}

/// Objects by their keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects<'a> {
    pub(super) properties: BTreeMap<&'a str, All<'a>>,
    /// Keys that are whole numbers, of maps with such keys.
    pub(super) numbered: BTreeMap<Digits, All<'a>>,
    /// Every other key; `None` where the schema doesn't speak of them.
    pub(super) rest: Option<All<'a>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
}

/// The patterns of keys that schemars writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Digits {
    Unsigned,
    Signed,
}

impl Digits {
    pub(super) fn of(pattern: &str) -> Result<Digits, Unreadable> {
        match pattern {
            r"^\d+$" => Ok(Digits::Unsigned),
            r"^-?\d+$" => Ok(Digits::Signed),
            _ => Err(Unreadable::Keyword("patternProperties".to_owned())),
        }
    }

    pub(super) fn fits(self, key: &str) -> bool {
        let digits = match self {
            Digits::Unsigned => key,
            Digits::Signed => key.strip_prefix('-').unwrap_or(key),
        };
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// No value at all fits.
pub(super) fn is_nothing(all: &All<'_>) -> bool {
    all.iter().any(|schema| match schema {
        Value::Bool(anything) => !anything,
        Value::Object(keys) => keys.get("not").is_some_and(|not| *not == Value::Object(Default::default())),
        _ => false,
    })
}

impl<'a> Lists<'a> {
    pub(super) fn item(&self, index: usize) -> &All<'a> {
        self.first.get(index).unwrap_or(&self.items)
    }
}

impl<'a> Objects<'a> {
    /// What the value of a key must fit; `None` where the schema doesn't speak of the key.
    pub(super) fn of(&self, key: &str) -> Option<All<'a>> {
        let mut all = All::new();
        let mut told = false;
        for (digits, schemas) in &self.numbered {
            if digits.fits(key) {
                all.extend(schemas);
                told = true;
            }
        }
        if let Some(schemas) = self.properties.get(key) {
            all.extend(schemas);
            told = true;
        }
        match told {
            true => Some(all),
            false => self.rest.clone(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.rest.as_ref().is_some_and(is_nothing)
    }
}

/// What both admit; `None` where that is nothing.
pub(super) fn both<'a>(
    one: &Alternative<'a>,
    other: &Alternative<'a>,
) -> Result<Option<Alternative<'a>>, Unreadable> {
    let kind = match (&one.kind, &other.kind) {
        (Kind::Value(value), other @ (Kind::Value(_) | Kind::Number(_) | Kind::Text(_)))
        | (other @ (Kind::Number(_) | Kind::Text(_)), Kind::Value(value)) => match plainly(other, value) {
            Some(true) => Kind::Value(value.clone()),
            Some(false) => return Ok(None),
            None => return Err(Unreadable::Keyword("const".to_owned())),
        },
        (Kind::Value(value), Kind::List(_) | Kind::Object(_))
        | (Kind::List(_) | Kind::Object(_), Kind::Value(value)) => {
            if value.is_array() || value.is_object() {
                return Err(Unreadable::Keyword("const".to_owned()));
            }
            return Ok(None);
        }
        (Kind::Number(one), Kind::Number(other)) => {
            let mut numbers = one.clone();
            numbers.whole |= other.whole;
            other.least.into_iter().for_each(|bound| numbers.raise_least(bound));
            other.most.into_iter().for_each(|bound| numbers.lower_most(bound));
            numbers.multiples.extend(&other.multiples);
            numbers.without.extend(&other.without);
            let numbers = numbers.tidy();
            if numbers.is_empty() {
                return Ok(None);
            }
            Kind::Number(numbers)
        }
        (Kind::Text(one), Kind::Text(other)) => Kind::Text(Texts {
            least: one.least.max(other.least),
            most: fewest(one.most, other.most),
            forms: one.forms.union(&other.forms).copied().collect(),
            without: one.without.union(&other.without).copied().collect(),
        }),
        (Kind::List(one), Kind::List(other)) => {
            let length = one.first.len().max(other.first.len());
            Kind::List(Lists {
                first: (0..length).map(|index| joined(one.item(index), other.item(index))).collect(),
                items: joined(&one.items, &other.items),
                least: one.least.max(other.least),
                most: fewest(one.most, other.most),
                distinct: one.distinct || other.distinct,
            })
        }
        (Kind::Object(one), Kind::Object(other)) => Kind::Object(both_objects(one, other)?),
        _ => return Ok(None),
    };
    Ok(Some(Alternative { kind, choices: [&one.choices[..], &other.choices].concat() }))
}

fn both_objects<'a>(one: &Objects<'a>, other: &Objects<'a>) -> Result<Objects<'a>, Unreadable> {
    let mut objects = Objects {
        required: one.required.union(&other.required).copied().collect(),
        least: one.least.max(other.least),
        most: fewest(one.most, other.most),
        ..Objects::default()
    };
    if one.numbered.is_empty() && other.numbered.is_empty() {
        for key in one.properties.keys().chain(other.properties.keys()) {
            let mut all = one.of(key).unwrap_or_default();
            all.extend(other.of(key).unwrap_or_default());
            objects.properties.insert(key, all);
        }
    } else if other.properties.is_empty() && other.numbered.is_empty() && other.rest.is_none() {
        objects.properties.clone_from(&one.properties);
        objects.numbered.clone_from(&one.numbered);
    } else if one.properties.is_empty() && one.numbered.is_empty() && one.rest.is_none() {
        objects.properties.clone_from(&other.properties);
        objects.numbered.clone_from(&other.numbered);
    } else {
        return Err(Unreadable::Keyword("patternProperties".to_owned()));
    }
    objects.rest = match (&one.rest, &other.rest) {
        (None, None) => None,
        (Some(rest), None) | (None, Some(rest)) => Some(rest.clone()),
        (Some(one), Some(other)) => Some(joined(one, other)),
    };
    Ok(objects)
}

/// Whether a kind that says nothing about what lies inside admits a value; `None` where that can't be told.
pub(super) fn plainly(kind: &Kind<'_>, value: &Value) -> Option<bool> {
    match (kind, value) {
        (Kind::Value(one), _) => Some(**one == *value),
        (Kind::Number(numbers), Value::Number(number)) => numbers.contains(number),
        (Kind::Text(texts), Value::String(text)) => texts.contains(text),
        _ => Some(false),
    }
}

/// A text in each format whose texts are known.
const FORMATS: [(&str, &str); 10] = [
    ("date", "2026-01-31"),
    ("date-time", "2026-01-31T12:00:00Z"),
    ("time", "12:00:00Z"),
    ("duration", "P1D"),
    ("email", "ann@example.org"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("ip", "192.0.2.1"),
    ("uri", "https://example.org/"),
    ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
];

impl<'a> Texts<'a> {
    fn contains(&self, text: &str) -> Option<bool> {
        let length = text.chars().count();
        if length < self.least || self.most.is_some_and(|most| length > most) || self.without.contains(text) {
            return Some(false);
        }
        for (keyword, value) in &self.forms {
            let known = (*keyword == "format").then(|| FORMATS.iter().find(|(name, _)| name == value));
            match known.flatten() {
                Some((_, sample)) if *sample == text => {}
                // No format has a text of this one character.
                Some(_) if text == "?" => return Some(false),
                _ => return None,
            }
        }
        Some(true)
    }

    /// Texts at the bounds, and one that is in no format.
    pub(super) fn samples(&self) -> Vec<Value> {
        let mut samples: Vec<String> = match self.forms.first() {
            None => ["?", ""].map(str::to_owned).into(),
            Some(form) => {
                let sample = FORMATS.iter().find(|(name, _)| ("format", *name) == *form);
                sample.map(|(_, text)| (*text).to_owned()).into_iter().collect()
            }
        };
        if self.forms.is_empty() {
            // Longer texts prove nothing that shorter ones don't.
            let lengths = [Some(self.least), Some(self.least + 1), self.most];
            let lengths = lengths.into_iter().flatten().filter(|length| *length <= 1000);
            samples.extend(lengths.map(|length| "a".repeat(length)));
        }
        let samples = samples.into_iter().filter(|sample| self.contains(sample) == Some(true));
        samples.map(Value::String).collect()
    }
}

impl Kind<'_> {
    /// For people.
    pub(super) fn describe(&self) -> String {
        match self {
            Kind::Value(value) => excerpt(value),
            Kind::Number(numbers) if numbers.whole => "a whole number".to_owned(),
            Kind::Number(_) => "a number".to_owned(),
            Kind::Text(_) => "a text".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Object(_) => "an object".to_owned(),
        }
    }
}

/// For people: what all of the alternatives are, each kind once.
pub(super) fn describe(alternatives: &[Alternative<'_>]) -> String {
    const MOST: usize = 6;
    let mut words: Vec<String> = Vec::new();
    for alternative in alternatives {
        let word = alternative.kind.describe();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.len() > MOST {
        words.truncate(MOST);
        words.push("…".to_owned());
    }
    match words.pop() {
        None => "nothing".to_owned(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
    }
}

fn joined<'a>(one: &All<'a>, other: &All<'a>) -> All<'a> {
    let mut all = one.clone();
    all.extend(other.iter().filter(|schema| !one.iter().any(|known| std::ptr::eq(*known, **schema))));
    all
}

fn fewest(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
