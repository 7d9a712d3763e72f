//! Types as serde knows them: their schemas, as schemars writes them, and their values.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A type.
#[derive(Debug, Clone)]
pub(crate) enum Type {
    Null,
    Bool,
    Whole {
        least: i64,
        most: i64,
    },
    Float,
    Text {
        least: usize,
        most: Option<usize>,
    },
    Option(Box<Type>),
    List {
        item: Box<Type>,
        length: Option<usize>,
    },
    Tuple(Vec<Type>),
    Map(Box<Type>),
    Struct(Struct),
    /// Unit variants.
    Words(Vec<&'static str>),
    /// `{"Variant": content}`
    Tagged(BTreeMap<&'static str, Type>),
    /// `{"kind": "variant", …}`
    Inside(BTreeMap<&'static str, Struct>),
    Untagged(Vec<Type>),
    /// The struct that all of it is about, once more.
    Again,
}

#[derive(Debug, Clone)]
pub(crate) struct Struct {
    /// The type of each field, and whether it must be there.
    pub(crate) fields: BTreeMap<&'static str, (Type, bool)>,
    pub(crate) closed: bool,
}

const NAMES: [&str; 4] = ["a", "b", "c", "kind"];

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&NAMES[..3])
}

pub(crate) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Null),
        Just(Type::Bool),
        (-3i64..3, 0i64..6).prop_map(|(least, more)| Type::Whole { least, most: least + more }),
        Just(Type::Float),
        (0usize..3, option::of(0usize..3))
            .prop_map(|(least, more)| Type::Text { least, most: more.map(|more| least + more) }),
        vec(name(), 1..4).prop_map(Type::Words),
        Just(Type::Again),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Type::Option(of.into())),
            (inner.clone(), option::of(0usize..3))
                .prop_map(|(item, length)| Type::List { item: item.into(), length }),
            vec(inner.clone(), 1..3).prop_map(Type::Tuple),
            inner.clone().prop_map(|of| Type::Map(of.into())),
            structs(inner.clone()).prop_map(Type::Struct),
            btree_map(name(), inner.clone(), 1..3).prop_map(Type::Tagged),
            btree_map(name(), structs(inner.clone()), 1..3).prop_map(Type::Inside),
            vec(inner, 1..3).prop_map(Type::Untagged),
        ]
    })
}

fn structs(inner: impl Strategy<Value = Type>) -> impl Strategy<Value = Struct> {
    (btree_map(name(), (inner, any::<bool>()), 0..3), any::<bool>())
        .prop_map(|(fields, closed)| Struct { fields, closed })
}

/// The schema of a type that is the only one in its document.
pub(crate) fn document(of: &Type) -> Value {
    let mut schema = json!({"$ref": "#/$defs/it"});
    schema["$defs"] = json!({"it": of.schema()});
    schema
}

impl Type {
    fn schema(&self) -> Value {
        match self {
            Type::Null => json!({"type": "null"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Whole { least, most } => json!({"type": "integer", "minimum": least, "maximum": most}),
            Type::Float => json!({"type": "number", "format": "double"}),
            Type::Text { least, most: None } => json!({"type": "string", "minLength": least}),
            Type::Text { least, most } => json!({"type": "string", "minLength": least, "maxLength": most}),
            Type::Option(of) => match &**of {
                Type::Bool => json!({"type": ["boolean", "null"]}),
                of => json!({"anyOf": [of.schema(), {"type": "null"}]}),
            },
            Type::List { item, length: None } => json!({"type": "array", "items": item.schema()}),
            Type::List { item, length } => {
                json!({"type": "array", "items": item.schema(), "minItems": length, "maxItems": length})
            }
            Type::Tuple(types) => {
                let first: Vec<_> = types.iter().map(Type::schema).collect();
                let length = types.len();
                json!({"type": "array", "prefixItems": first, "minItems": length, "maxItems": length})
            }
            Type::Map(of) => json!({"type": "object", "additionalProperties": of.schema()}),
            Type::Struct(of) => of.schema(),
            Type::Words(words) => json!({"type": "string", "enum": words}),
            Type::Tagged(variants) => {
                let variants: Vec<_> = variants
                    .iter()
                    .map(|(name, of)| {
                        json!({
                            "type": "object", "properties": {*name: of.schema()}, "required": [name],
                            "additionalProperties": false,
                        })
                    })
                    .collect();
                json!({"oneOf": variants})
            }
            Type::Inside(variants) => {
                let variants: Vec<_> = variants
                    .iter()
                    .map(|(name, of)| {
                        let mut schema = of.schema();
                        schema["properties"]["kind"] = json!({"type": "string", "const": name});
                        schema["required"].as_array_mut().unwrap().push("kind".into());
                        schema
                    })
                    .collect();
                json!({"oneOf": variants})
            }
            Type::Untagged(types) => {
                let types: Vec<_> = types.iter().map(Type::schema).collect();
                json!({"anyOf": types})
            }
            Type::Again => json!({"$ref": "#/$defs/it"}),
        }
    }

    /// Some values of the type; `None` where there are none so near.
    pub(crate) fn value(&self, whole: &Type, dice: &mut Dice, depth: usize) -> Option<Value> {
        if depth > 8 {
            return None;
        }
        let deeper = |of: &Type, dice: &mut Dice| of.value(whole, dice, depth + 1);
        Some(match self {
            Type::Null => Value::Null,
            Type::Bool => (dice.roll(2) == 0).into(),
            Type::Whole { least, most } => {
                (least + i64::try_from(dice.roll(usize::try_from(most - least).unwrap() + 1)).unwrap()).into()
            }
            Type::Float => json!(dice.roll(9) as f64 / 2.0 - 1.0),
            Type::Text { least, most } => {
                let more = most.map_or(3, |most| most - least);
                "a".repeat(least + dice.roll(more + 1)).into()
            }
            Type::Option(_) if dice.roll(2) == 0 => Value::Null,
            Type::Option(of) => deeper(of, dice)?,
            Type::List { item, length } => {
                let length = length.unwrap_or_else(|| dice.roll(3));
                let items: Option<Vec<_>> = (0..length).map(|_| deeper(item, dice)).collect();
                items.map_or_else(|| json!([]), Value::Array)
            }
            Type::Tuple(types) => {
                let items: Option<Vec<_>> = types.iter().map(|of| deeper(of, dice)).collect();
                Value::Array(items?)
            }
            Type::Map(of) => {
                let mut map = Map::new();
                for name in ["a", "b", "other"] {
                    if dice.roll(2) == 0
                        && let Some(value) = deeper(of, dice)
                    {
                        map.insert(name.to_owned(), value);
                    }
                }
                map.into()
            }
            Type::Struct(of) => of.value(whole, dice, depth)?.into(),
            Type::Words(words) => words[dice.roll(words.len())].into(),
            Type::Tagged(variants) => {
                let (name, of) = variants.iter().nth(dice.roll(variants.len()))?;
                json!({*name: deeper(of, dice)?})
            }
            Type::Inside(variants) => {
                let (name, of) = variants.iter().nth(dice.roll(variants.len()))?;
                let mut value = of.value(whole, dice, depth)?;
                value.insert("kind".to_owned(), (*name).into());
                value.into()
            }
            Type::Untagged(types) => deeper(&types[dice.roll(types.len())], dice)?,
            Type::Again => deeper(whole, dice)?,
        })
    }
}

impl Struct {
    fn schema(&self) -> Value {
        let fields: Map<String, Value> =
            self.fields.iter().map(|(name, (of, _))| ((*name).to_owned(), of.schema())).collect();
        let required: Vec<_> =
            self.fields.iter().filter(|(_, (_, there))| *there).map(|(name, _)| name).collect();
        let mut schema = json!({"type": "object", "properties": fields, "required": required});
        if self.closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }

    fn value(&self, whole: &Type, dice: &mut Dice, depth: usize) -> Option<Map<String, Value>> {
        let mut map = Map::new();
        for (name, (of, there)) in &self.fields {
            let value = of.value(whole, dice, depth + 1);
            match value {
                Some(value) if *there || dice.roll(2) == 0 => {
                    map.insert((*name).to_owned(), value);
                }
                None if *there => return None,
                _ => {}
            }
        }
        if !self.closed && dice.roll(3) == 0 {
            map.insert("fresh".to_owned(), json!([dice.roll(9)]));
        }
        Some(map)
    }
}

/// Numbers that look random, from a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}
