//! How serde reads a type, found by having its `Deserialize` read what is of interest.
//!
//! A schema that schemars makes knows the names that serde writes. It doesn't know an `alias`, nor the variant that stands for
//! all others (`other`), nor what a `deserialize_with` accepts. The code that serde derives does, and hands it to the
//! deserializer that it reads from: this one. Each question is a deserialization of its own that ends where the answer is known.

use std::cell::RefCell;
use std::fmt;
use std::mem::discriminant;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// A way from a value to one inside of it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The value of a key of a struct.
    Key(String),
    /// An item of a list or a tuple.
    Item(usize),
    /// Any value of a map.
    MapValue,
    /// What an externally tagged variant holds.
    Variant(String),
    /// What an adjacently tagged variant holds.
    Content { tag: String, variant: String, content: String },
}

/// What is asked of the place at the end of a way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question<'q> {
    /// For what it asks a deserializer.
    Form,
    /// Which field or variant a name stands for.
    Name(&'q str),
    /// Which variant a tag stands for that lies under a key.
    Tag { key: &'q str, name: &'q str },
    /// Whether a value is accepted.
    Accepts(Sample),
}

/// A value to try.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    Null,
    Bool,
    Whole(i64),
    Float(f64),
    Text(&'static str),
    List,
    Object,
}

/// For what a type asks a deserializer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Anything,
    Null,
    Bool,
    Number,
    Text,
    Bytes,
    List,
    Tuple(usize),
    /// A map; a struct that has `flatten` asks for one as well.
    Map,
    /// With the names of the fields, aliases among them.
    Struct(&'static [&'static str]),
    /// With the names of the variants, aliases among them.
    Enum(&'static [&'static str]),
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Form(Form),
    /// What the name stands for: equal for equal fields and variants.
    Identity(String),
    /// A name that is refused, and those that are known.
    Unknown(&'static [&'static str]),
    Accepted,
    /// It is refused, or the way leads nowhere.
    Nothing,
}

/// Asks how serde reads a `T`.
pub(super) fn ask<T: DeserializeOwned>(way: &[Step], question: Question<'_>) -> Found {
    let found = RefCell::new(None);
    let probe = Probe { way, goal: Goal::Asked(question), found: &found, depth: 0 };
    // A `deserialize_with` may panic at a value that no script has sent.
    let read = catch_unwind(AssertUnwindSafe(|| T::deserialize(probe).map(drop)));
    let found = found.into_inner();
    match (found, read) {
        (Some(found), _) => found,
        (None, Ok(Ok(()))) if way.is_empty() && matches!(question, Question::Accepts(_)) => Found::Accepted,
        (None, Ok(Err(Stop { known: Some(known) }))) => Found::Unknown(known),
        _ => Found::Nothing,
    }
}

/// The end of a question.
#[derive(Debug)]
struct Stop {
    /// The names that the type knows, if it was asked for one that it doesn't.
    known: Option<&'static [&'static str]>,
}

const STOP: Stop = Stop { known: None };

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the question is answered")
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Stop {
        STOP
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Stop {
        Stop { known: Some(expected) }
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Stop {
        Stop { known: Some(expected) }
    }
}

/// Values inside of each other that are made up.
const DEEPEST: usize = 16;

#[derive(Clone, Copy)]
struct Probe<'p> {
    way: &'p [Step],
    goal: Goal<'p>,
    found: &'p RefCell<Option<Found>>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Goal<'p> {
    Asked(Question<'p>),
    /// Be this text.
    Text(&'p str),
    /// Be any value that the type takes: it stands before the one that is asked about.
    Fill,
}

impl<'p> Probe<'p> {
    fn answer(self, found: Found) {
        self.found.borrow_mut().get_or_insert(found);
    }

    fn with(self, goal: Goal<'p>) -> Probe<'p> {
        Probe { way: &[], goal, depth: self.depth + 1, ..self }
    }

    /// Reads a value of a type, and takes note if that is what was asked.
    fn give<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        let value = seed.deserialize(self);
        if let (true, Ok(_), Goal::Asked(Question::Accepts(_))) = (self.way.is_empty(), &value, self.goal) {
            self.answer(Found::Accepted);
        }
        value
    }

    /// Finds what a name is read as.
    fn identify<'de, S: DeserializeSeed<'de>>(self, seed: S, name: &'p str) -> Stop {
        match seed.deserialize(self.with(Goal::Text(name))) {
            Ok(value) => {
                self.answer(Found::Identity(format!("{:?}", discriminant(&value))));
                STOP
            }
            Err(stop) => stop,
        }
    }

    fn asked<'de, V: Visitor<'de>>(self, form: Form, visitor: V) -> Result<V::Value, Stop> {
        let Some((step, rest)) = self.way.split_first() else { return self.arrived(form, visitor) };
        let next = Given::Probe(Probe { way: rest, ..self });
        match step {
            Step::Key(key) => visitor.visit_map(Entries::of(self, vec![(Some(key), next)])),
            Step::MapValue => visitor.visit_map(Entries::of(self, vec![(None, next)])),
            Step::Content { tag, variant, content } => {
                let tag = (Some(tag.as_str()), Given::Probe(self.with(Goal::Text(variant))));
                visitor.visit_map(Entries::of(self, vec![tag, (Some(content), next)]))
            }
            Step::Item(index) => {
                let before = (0..*index).map(|_| (None, Given::Probe(self.with(Goal::Fill))));
                let items = before.chain([(None, next)]).collect();
                visitor.visit_seq(Entries::of(self, items))
            }
            Step::Variant(name) => visitor.visit_enum(OneVariant { probe: self, name: Some(name), next }),
        }
    }

    fn arrived<'de, V: Visitor<'de>>(self, form: Form, visitor: V) -> Result<V::Value, Stop> {
        match self.goal {
            Goal::Asked(Question::Form) => {
                self.answer(Found::Form(form));
                Err(STOP)
            }
            Goal::Asked(Question::Name(name)) => match form {
                Form::Enum(_) => {
                    visitor.visit_enum(OneVariant { probe: self, name: None, next: Given::Identify(name) })
                }
                Form::Struct(_) | Form::Map | Form::Anything => {
                    visitor.visit_map(Entries { name: Some(name), ..Entries::of(self, Vec::new()) })
                }
                _ => Err(STOP),
            },
            Goal::Asked(Question::Tag { key, name }) => {
                visitor.visit_map(Entries::of(self, vec![(Some(key), Given::Identify(name))]))
            }
            Goal::Asked(Question::Accepts(sample)) => match sample {
                Sample::Null => visitor.visit_unit(),
                Sample::Bool => visitor.visit_bool(true),
                Sample::Whole(number) => match u64::try_from(number) {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i64(number),
                },
                Sample::Float(number) => visitor.visit_f64(number),
                Sample::Text(text) => self.text(form, text, visitor),
                Sample::List => visitor.visit_seq(Entries::of(self, Vec::new())),
                Sample::Object => visitor.visit_map(Entries::of(self, Vec::new())),
            },
            Goal::Text(text) => self.text(form, text, visitor),
            Goal::Fill => self.fill(form, visitor),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, form: Form, text: &'p str, visitor: V) -> Result<V::Value, Stop> {
        match form {
            Form::Enum(_) => {
                visitor.visit_enum(OneVariant { probe: self, name: Some(text), next: Given::Unit })
            }
            _ => visitor.visit_str(text),
        }
    }

    /// Any value that the type takes, as far as its form tells.
    fn fill<'de, V: Visitor<'de>>(self, form: Form, visitor: V) -> Result<V::Value, Stop> {
        if self.depth > DEEPEST {
            return Err(STOP);
        }
        let filled = Given::Probe(self.with(Goal::Fill));
        match form {
            Form::Null => visitor.visit_unit(),
            Form::Bool => visitor.visit_bool(false),
            Form::Number => visitor.visit_u64(1),
            Form::Anything | Form::Text => visitor.visit_str("1"),
            Form::Bytes => visitor.visit_bytes(&[]),
            Form::List => visitor.visit_seq(Entries::of(self, Vec::new())),
            Form::Tuple(length) => {
                visitor.visit_seq(Entries::of(self, (0..length).map(|_| (None, filled)).collect()))
            }
            Form::Map => visitor.visit_map(Entries::of(self, Vec::new())),
            // By position, since among the names are aliases of each other.
            Form::Struct(fields) => {
                visitor.visit_seq(Entries::of(self, fields.iter().map(|_| (None, filled)).collect()))
            }
            Form::Enum(variants) => {
                let name = variants.first().copied();
                visitor.visit_enum(OneVariant { probe: self, name, next: filled })
            }
        }
    }
}

macro_rules! forms {
    ($($method:ident($($argument:ident: $type:ty),*) $form:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, Stop> {
            self.asked($form, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    forms! {
        deserialize_any() Form::Anything;
        deserialize_ignored_any() Form::Anything;
        deserialize_unit() Form::Null;
        deserialize_unit_struct(_name: &'static str) Form::Null;
        deserialize_bool() Form::Bool;
        deserialize_i8() Form::Number;
        deserialize_i16() Form::Number;
        deserialize_i32() Form::Number;
        deserialize_i64() Form::Number;
        deserialize_i128() Form::Number;
        deserialize_u8() Form::Number;
        deserialize_u16() Form::Number;
        deserialize_u32() Form::Number;
        deserialize_u64() Form::Number;
        deserialize_u128() Form::Number;
        deserialize_f32() Form::Number;
        deserialize_f64() Form::Number;
        deserialize_char() Form::Text;
        deserialize_str() Form::Text;
        deserialize_string() Form::Text;
        deserialize_identifier() Form::Text;
        deserialize_bytes() Form::Bytes;
        deserialize_byte_buf() Form::Bytes;
        deserialize_seq() Form::List;
        deserialize_tuple(length: usize) Form::Tuple(length);
        deserialize_tuple_struct(_name: &'static str, length: usize) Form::Tuple(length);
        deserialize_map() Form::Map;
        deserialize_struct(_name: &'static str, fields: &'static [&'static str]) Form::Struct(fields);
        deserialize_enum(_name: &'static str, variants: &'static [&'static str]) Form::Enum(variants);
    }

    /// The place of an `Option` is that of what it holds.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.goal {
            Goal::Asked(Question::Accepts(Sample::Null)) | Goal::Fill if self.way.is_empty() => {
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }
}

/// What a place is given.
#[derive(Clone, Copy)]
enum Given<'p> {
    Probe(Probe<'p>),
    /// The text of which is asked what it stands for.
    Identify(&'p str),
    /// A variant that holds nothing.
    Unit,
}

/// The entries of a map, or with no keys the items of a list.
struct Entries<'p> {
    probe: Probe<'p>,
    left: std::vec::IntoIter<(Option<&'p str>, Given<'p>)>,
    next: Option<Given<'p>>,
    /// A key of which is asked what it stands for.
    name: Option<&'p str>,
}

impl<'p> Entries<'p> {
    fn of(probe: Probe<'p>, entries: Vec<(Option<&'p str>, Given<'p>)>) -> Entries<'p> {
        Entries { probe, left: entries.into_iter(), next: None, name: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        if let Some(name) = self.name {
            return Err(self.probe.identify(seed, name));
        }
        let Some((key, given)) = self.left.next() else { return Ok(None) };
        self.next = Some(given);
        let key = key.map_or(Goal::Fill, Goal::Text);
        seed.deserialize(self.probe.with(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        match self.next.take() {
            Some(Given::Probe(probe)) => probe.give(seed),
            Some(Given::Identify(name)) => Err(self.probe.identify(seed, name)),
            Some(Given::Unit) | None => Err(STOP),
        }
    }
}

impl<'de> SeqAccess<'de> for Entries<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        match self.left.next() {
            Some((_, Given::Probe(probe))) => probe.give(seed).map(Some),
            _ => Ok(None),
        }
    }
}

/// One variant of an enum.
struct OneVariant<'p> {
    probe: Probe<'p>,
    /// `None` where its name is what is asked.
    name: Option<&'p str>,
    next: Given<'p>,
}

impl<'de, 'p> EnumAccess<'de> for OneVariant<'p> {
    type Error = Stop;
    type Variant = Given<'p>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Given<'p>), Stop> {
        match (self.next, self.name) {
            (Given::Identify(name), _) => Err(self.probe.identify(seed, name)),
            (next, Some(name)) => Ok((seed.deserialize(self.probe.with(Goal::Text(name)))?, next)),
            (_, None) => Err(STOP),
        }
    }
}

impl<'de> VariantAccess<'de> for Given<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        match self {
            Given::Unit => Ok(()),
            Given::Probe(probe) if matches!(probe.goal, Goal::Fill) => Ok(()),
            _ => Err(STOP),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        match self {
            Given::Probe(probe) => probe.give(seed),
            _ => Err(STOP),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        match self {
            Given::Probe(probe) => probe.asked(Form::Tuple(length), visitor),
            _ => Err(STOP),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self {
            Given::Probe(probe) => probe.asked(Form::Struct(fields), visitor),
            _ => Err(STOP),
        }
    }
}
