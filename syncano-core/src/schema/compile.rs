//! Reads a JSON Schema (draft 2020-12) into what values are checked with. What can't be read breaks a rule.
//!
//! Schemas come from strangers. Nothing is fetched, no schema is read twice however often it is referred to, and
//! nothing here recurses.

use std::cmp::Ordering;
use std::collections::HashMap;

use regex_lite::{Regex, RegexBuilder};
use serde_json::{Number, Value};

use super::{REQUIRED, SchemaProblem};
use crate::{Map, Path, Violation, ViolationKind, limits};

/// A schema, ready to check values.
///
/// ```
/// use serde_json::json;
/// use syncano_core::CompiledSchema;
///
/// let schema = json!({"type": "object", "properties": {"left": {"type": "integer", "minimum": 0}}});
/// let schema = CompiledSchema::new(&schema).expect("the schema is valid");
/// assert!(schema.check(&json!({"left": 3}), 10).is_empty());
/// assert_eq!(
///     schema.check(&json!({"left": "3"}), 12)[0].to_string(),
///     "at /left: expected a whole number of at least 0, found the text `3`"
/// );
/// ```
#[derive(Debug)]
pub struct CompiledSchema {
    /// The first one is the schema itself.
    pub(super) nodes: Vec<Node>,
}

pub(super) type Id = usize;

/// One schema within the schema. Everything that it says must hold.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// It is `false`.
    pub(super) never: bool,
    pub(super) types: Option<Types>,
    /// `const` and `enum`.
    pub(super) values: Option<Vec<Value>>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) list: Option<Box<ListRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) inside: Inside,
}

/// Schemas for the very same value.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) reference: Option<Id>,
    pub(super) all_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    pub(super) not: Option<Id>,
    pub(super) condition: Option<Condition>,
}

impl Inside {
    fn ids(&self) -> impl Iterator<Item = Id> {
        let lists = [&self.all_of, &self.any_of, &self.one_of].into_iter().flatten().copied();
        let condition = self.condition.as_ref().map(|c| [Some(c.when), c.then, c.otherwise]);
        lists.chain([self.reference, self.not].into_iter().chain(condition.into_iter().flatten()).flatten())
    }
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) when: Id,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NAMES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

    pub(super) fn add(&mut self, name: &str) -> bool {
        let bit = Types::NAMES.iter().position(|known| *known == name);
        self.0 |= bit.map_or(0, |bit| 1 << bit);
        bit.is_some()
    }

    pub(super) fn has(self, name: &str) -> bool {
        Types::NAMES.iter().position(|known| *known == name).is_some_and(|bit| self.0 & (1 << bit) != 0)
    }

    /// Whether a value that isn't a number is of one of the types.
    pub(super) fn fits(self, value: &Value) -> bool {
        let bit = match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 3,
            Value::String(_) => 4,
            Value::Array(_) => 5,
            Value::Object(_) => 6,
        };
        self.0 & (1 << bit) != 0
    }
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) least: Option<Number>,
    pub(super) most: Option<Number>,
    pub(super) above: Option<Number>,
    pub(super) below: Option<Number>,
    pub(super) multiple_of: Option<Number>,
    /// A whole number may have more than 64 bits, and how many (`format` is `int128` or `uint128`).
    pub(super) wide: Option<Wide>,
}

/// Whole numbers of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wide {
    Signed,
    Unsigned,
}

impl Wide {
    pub(super) fn holds(self, whole: &str) -> bool {
        match self {
            Wide::Signed => whole.parse::<i128>().is_ok(),
            Wide::Unsigned => whole.parse::<u128>().is_ok(),
        }
    }

    pub(super) fn range(self) -> String {
        match self {
            Wide::Signed => format!("from {} to {}", i128::MIN, i128::MAX),
            Wide::Unsigned => format!("from 0 to {}", u128::MAX),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct TextRules {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) pattern: Option<Pattern>,
}

#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) regex: Regex,
    /// Steps that a byte of the text takes at most.
    pub(super) cost: usize,
}

#[derive(Debug, Default)]
pub(super) struct ListRules {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) unique: bool,
    pub(super) prefix: Vec<Id>,
    pub(super) items: Option<Id>,
    pub(super) contains: Option<Contains>,
}

#[derive(Debug)]
pub(super) struct Contains {
    pub(super) item: Id,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) required: Vec<String>,
    /// Of each list one key at least: a field that is needed, and its aliases.
    pub(super) either: Vec<Vec<String>>,
    /// Those that are quick to check come first: the tag of an enum tells its variants apart before what they hold.
    pub(super) properties: Vec<(String, Id)>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    /// For keys that neither `properties` nor `patterns` name.
    pub(super) additional: Option<Id>,
    /// The names of `properties` in order, if somebody asks.
    pub(super) known: Vec<String>,
    pub(super) names: Option<Id>,
    pub(super) dependent_required: Vec<(String, Vec<String>)>,
    pub(super) dependent: Vec<(String, Id)>,
}

impl CompiledSchema {
    /// Reads a schema.
    ///
    /// Everything that draft 2020-12 asserts is checked but `unevaluatedItems`, `unevaluatedProperties` and formats of texts.
    /// `integer` is what serde reads as one (`1.0` isn't), and the formats `int8` to `uint64` are ranges.
    ///
    /// # Errors
    /// Every broken rule; paths begin at the schema.
    pub fn new(schema: &Value) -> Result<CompiledSchema, Vec<Violation>> {
        let mut compiler = Compiler::for_schema(schema);
        compiler.node(schema, Path::root());
        while let Some((id, value, path)) = compiler.pending.pop() {
            let node = compiler.read(value, &path);
            compiler.nodes[id] = node;
        }
        if compiler.known.len() > limits::SCHEMA_PARTS {
            let kind = ViolationKind::TooMany {
                what: "schemas inside of the schema",
                limit: limits::SCHEMA_PARTS,
                found: compiler.known.len(),
            };
            compiler.violations.push(Violation { path: Path::root(), kind });
        }
        if compiler.violations.is_empty() {
            compiler.nesting();
        }
        let Compiler { mut nodes, violations, .. } = compiler;
        if !violations.is_empty() {
            return Err(violations);
        }
        let quick: Vec<bool> = nodes.iter().map(Node::is_quick).collect();
        for object in nodes.iter_mut().filter_map(|node| node.object.as_mut()) {
            object.properties.sort_by_key(|(_, id)| !quick[*id]);
        }
        Ok(CompiledSchema { nodes })
    }

    /// Whether it asks for a text and nothing else.
    pub fn is_text(&self) -> bool {
        let mut text = Types::default();
        text.add("string");
        self.nodes.first().is_some_and(|node| node.types == Some(text))
    }

    /// Bytes that it takes, roughly.
    pub fn size(&self) -> usize {
        self.nodes.len() * (size_of::<Node>() + size_of::<ObjectRules>())
    }
}

impl Node {
    fn is_quick(&self) -> bool {
        self.values.is_some()
    }
}

struct Compiler<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    /// Which schema was read as which node.
    known: HashMap<*const Value, Id>,
    paths: Vec<Path>,
    pending: Vec<(Id, &'a Value, Path)>,
    violations: Vec<Violation>,
}

impl<'a> Compiler<'a> {
    fn for_schema(root: &'a Value) -> Compiler<'a> {
        Compiler {
            root,
            nodes: Vec::new(),
            known: HashMap::new(),
            paths: Vec::new(),
            pending: Vec::new(),
            violations: Vec::new(),
        }
    }

    fn report(&mut self, path: &Path, problem: SchemaProblem) {
        self.violations.push(Violation { path: path.clone(), kind: problem.into() });
    }

    /// The node of a schema, which is read later.
    fn node(&mut self, schema: &'a Value, path: Path) -> Id {
        if let Some(id) = self.known.get(&std::ptr::from_ref(schema)) {
            return *id;
        }
        let id = self.nodes.len();
        // Beyond the limit they are only counted.
        if self.known.len() < limits::SCHEMA_PARTS {
            self.nodes.push(Node::default());
            self.paths.push(path.clone());
            self.pending.push((id, schema, path));
        }
        self.known.insert(schema, id);
        id
    }

    fn read(&mut self, schema: &'a Value, path: &Path) -> Node {
        let object = match schema {
            Value::Bool(anything) => return Node { never: !anything, ..Node::default() },
            Value::Object(object) => object,
            _ => {
                self.report(path, SchemaProblem::NoSchema);
                return Node::default();
            }
        };
        for word in ["$dynamicRef", "$recursiveRef"] {
            if object.contains_key(word) {
                self.report(&path.key(word), SchemaProblem::Unsupported(word));
            }
        }
        // What it names would be where references begin.
        if object.contains_key("$id") && !path.0.is_empty() {
            self.report(&path.key("$id"), SchemaProblem::Unsupported("$id"));
        }
        let mut reader = Reader { object, path, compiler: self };
        Node {
            never: false,
            types: reader.types(),
            values: reader.values(),
            number: reader.number(),
            text: reader.text(),
            list: reader.list(),
            object: reader.object_rules(),
            inside: reader.inside(),
        }
    }

    /// Follows what is said about one and the same value: it must come to an end soon.
    fn nesting(&mut self) {
        let mut levels: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for id in 0..self.nodes.len() {
            let mut entered = vec![id];
            if let Err(problem) = self.level(id, &mut levels, &mut entered) {
                let path = self.paths[id].clone();
                self.report(&path, problem);
                return;
            }
        }
    }

    /// Recurses as deep as the limit.
    fn level(
        &self,
        id: Id,
        levels: &mut [Option<usize>],
        entered: &mut Vec<Id>,
    ) -> Result<usize, SchemaProblem> {
        if let Some(level) = levels[id] {
            return Ok(level);
        }
        let mut level = 0;
        let dependent = self.nodes[id].object.iter().flat_map(|object| &object.dependent).map(|(_, id)| *id);
        for next in self.nodes[id].inside.ids().chain(dependent) {
            if entered.contains(&next) {
                return Err(SchemaProblem::Endless);
            }
            if entered.len() >= limits::SCHEMA_DEPTH {
                return Err(SchemaProblem::TooDeep(limits::SCHEMA_DEPTH));
            }
            entered.push(next);
            level = level.max(1 + self.level(next, levels, entered)?);
            entered.pop();
        }
        if level >= limits::SCHEMA_DEPTH {
            return Err(SchemaProblem::TooDeep(limits::SCHEMA_DEPTH));
        }
        levels[id] = Some(level);
        Ok(level)
    }
}

/// Reads the keywords of one schema.
struct Reader<'r, 'a> {
    object: &'a Map,
    path: &'r Path,
    compiler: &'r mut Compiler<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn report(&mut self, keyword: &str, problem: SchemaProblem) {
        self.compiler.report(&self.path.key(keyword), problem);
    }

    fn expect<T>(
        &mut self,
        keyword: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.object.get(keyword)?;
        let found = read(value);
        if found.is_none() {
            self.report(keyword, SchemaProblem::Keyword { keyword, expected });
        }
        found
    }

    fn types(&mut self) -> Option<Types> {
        let value = self.object.get("type")?;
        let names: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap_or("")).collect(),
            _ => vec![""],
        };
        let mut types = Types::default();
        for name in names {
            if !types.add(name) {
                self.report("type", SchemaProblem::Type(name.chars().take(64).collect()));
            }
        }
        if types.has("number") {
            types.add("integer");
        }
        Some(types)
    }

    fn values(&mut self) -> Option<Vec<Value>> {
        let listed = self.expect("enum", "a list of values", Value::as_array).cloned();
        match (self.object.get("const"), listed) {
            (Some(only), None) => Some(vec![only.clone()]),
            (Some(only), Some(mut listed)) => {
                listed.retain(|value| value == only);
                Some(listed)
            }
            (None, listed) => listed,
        }
    }

    fn number(&mut self) -> Option<Box<NumberRules>> {
        let mut bound = |keyword| self.expect(keyword, "a number", Value::as_number).cloned();
        let mut rules = NumberRules {
            least: bound("minimum"),
            most: bound("maximum"),
            above: bound("exclusiveMinimum"),
            below: bound("exclusiveMaximum"),
            multiple_of: bound("multipleOf"),
            wide: None,
        };
        if rules.multiple_of.as_ref().is_some_and(|number| number.as_f64().is_none_or(|number| number <= 0.0))
        {
            let (keyword, expected) = ("multipleOf", "a number above 0");
            self.report(keyword, SchemaProblem::Keyword { keyword, expected });
        }
        let range: Option<(Number, Number)> = match self.object.get("format").and_then(Value::as_str) {
            Some("int8") => Some((i8::MIN.into(), i8::MAX.into())),
            Some("int16") => Some((i16::MIN.into(), i16::MAX.into())),
            Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
            Some("int64" | "int") => Some((i64::MIN.into(), i64::MAX.into())),
            Some("uint8") => Some((0.into(), u8::MAX.into())),
            Some("uint16") => Some((0.into(), u16::MAX.into())),
            Some("uint32") => Some((0.into(), u32::MAX.into())),
            Some("uint64" | "uint") => Some((0.into(), u64::MAX.into())),
            Some("int128") => {
                rules.wide = Some(Wide::Signed);
                None
            }
            Some("uint128") => {
                rules.wide = Some(Wide::Unsigned);
                None
            }
            _ => None,
        };
        if let Some((least, most)) = range.filter(|_| self.object.get("type").is_some_and(is_whole)) {
            rules.least = Some(rules.least.filter(|own| compare(own, &least).is_gt()).unwrap_or(least));
            rules.most = Some(rules.most.filter(|own| compare(own, &most).is_lt()).unwrap_or(most));
        }
        let NumberRules { least, most, above, below, multiple_of, wide } = &rules;
        let any =
            [least, most, above, below, multiple_of].iter().any(|bound| bound.is_some()) || wide.is_some();
        any.then(|| Box::new(rules))
    }

    fn size(&mut self, keyword: &'static str) -> Option<usize> {
        let whole = |value: &Value| {
            let float = value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
            // Sizes beyond what a machine counts are no limit.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            value.as_u64().or(float.map(|number| number as u64))
        };
        let size = self.expect(keyword, "a whole number of at least 0", whole)?;
        Some(usize::try_from(size).unwrap_or(usize::MAX))
    }

    fn text(&mut self) -> Option<Box<TextRules>> {
        let (least, most) = (self.size("minLength"), self.size("maxLength"));
        let pattern = self.expect("pattern", "a text", Value::as_str);
        let pattern = pattern.and_then(|text| self.pattern("pattern", text));
        let any = least.is_some() || most.is_some() || pattern.is_some();
        any.then(|| Box::new(TextRules { least, most, pattern }))
    }

    /// The engine takes time in proportion to the text, times the size of the expression: hence its bound.
    fn pattern(&mut self, keyword: &str, text: &str) -> Option<Pattern> {
        let built = if text.len() > limits::SCHEMA_PATTERN {
            Err(format!("{} bytes, at most {} are allowed", text.len(), limits::SCHEMA_PATTERN))
        } else {
            let sizes = [1 << 10, 1 << 12, 1 << 14, 1 << 16];
            let build = |size| RegexBuilder::new(text).size_limit(size).nest_limit(50).build();
            let mut built = Err(String::new());
            for size in sizes {
                built = build(size).map_err(|error| error.to_string()).map(|regex| (regex, size));
                if built.is_ok() {
                    break;
                }
            }
            built
        };
        match built {
            Ok((regex, size)) => Some(Pattern { text: text.to_owned(), regex, cost: size >> 10 }),
            Err(reason) => {
                self.report(keyword, SchemaProblem::Pattern(reason));
                None
            }
        }
    }

    fn list(&mut self) -> Option<Box<ListRules>> {
        let (least, most) = (self.size("minItems"), self.size("maxItems"));
        let unique = self.expect("uniqueItems", "true or false", Value::as_bool).unwrap_or_default();
        let prefix = self.schemas("prefixItems");
        let items = match self.object.get("items") {
            Some(Value::Array(_)) => {
                self.report("items", SchemaProblem::ItemsAsList);
                None
            }
            _ => self.schema("items"),
        };
        let contains = self.schema("contains").map(|item| Contains {
            item,
            least: self.size("minContains").unwrap_or(1),
            most: self.size("maxContains"),
        });
        let any = least.is_some()
            || most.is_some()
            || unique
            || !prefix.is_empty()
            || items.is_some()
            || contains.is_some();
        any.then(|| Box::new(ListRules { least, most, unique, prefix, items, contains }))
    }

    fn object_rules(&mut self) -> Option<Box<ObjectRules>> {
        let required = self.expect("required", "a list of texts", texts).unwrap_or_default();
        let either = self.expect(REQUIRED, "a list of lists of texts", |value| {
            value.as_array()?.iter().map(texts).collect()
        });
        let properties = self.named_schemas("properties");
        let mut known: Vec<String> = properties.iter().map(|(name, _)| name.clone()).collect();
        known.sort_unstable();
        let mut patterns = Vec::new();
        for (text, id) in self.named_schemas("patternProperties") {
            patterns.extend(self.pattern("patternProperties", &text).map(|pattern| (pattern, id)));
        }
        let mut dependent_required = Vec::new();
        let wanted = self.expect("dependentRequired", "an object of lists of texts", |value| {
            value.as_object()?.iter().map(|(name, list)| Some((name.clone(), texts(list)?))).collect()
        });
        dependent_required.extend::<Vec<_>>(wanted.unwrap_or_default());
        let rules = ObjectRules {
            least: self.size("minProperties"),
            most: self.size("maxProperties"),
            required,
            either: either.unwrap_or_default(),
            properties,
            patterns,
            additional: self.schema("additionalProperties"),
            known,
            names: self.schema("propertyNames"),
            dependent_required,
            dependent: self.named_schemas("dependentSchemas"),
        };
        let any = rules.least.is_some()
            || rules.most.is_some()
            || !rules.required.is_empty()
            || !rules.either.is_empty()
            || !rules.properties.is_empty()
            || !rules.patterns.is_empty()
            || rules.additional.is_some()
            || rules.names.is_some()
            || !rules.dependent_required.is_empty()
            || !rules.dependent.is_empty();
        any.then(|| Box::new(rules))
    }

    fn inside(&mut self) -> Inside {
        Inside {
            reference: self.reference(),
            all_of: self.schemas("allOf"),
            any_of: self.schemas("anyOf"),
            one_of: self.schemas("oneOf"),
            not: self.schema("not"),
            condition: self.schema("if").map(|when| Condition {
                when,
                then: self.schema("then"),
                otherwise: self.schema("else"),
            }),
        }
    }

    fn reference(&mut self) -> Option<Id> {
        let target = self.expect("$ref", "a text", Value::as_str)?;
        let shown = || target.chars().take(128).collect::<String>();
        let Some(pointer) = target.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            self.report("$ref", SchemaProblem::Outside(shown()));
            return None;
        };
        let root = self.compiler.root;
        let found = root.pointer(pointer).or_else(|| root.pointer(&percent_decoded(pointer)?));
        match found {
            Some(schema) => {
                let path = pointer.split('/').skip(1).fold(Path::root(), |path, key| path.key(key));
                Some(self.compiler.node(schema, path))
            }
            None => {
                self.report("$ref", SchemaProblem::Nowhere(shown()));
                None
            }
        }
    }

    fn schema(&mut self, keyword: &'static str) -> Option<Id> {
        let schema = self.object.get(keyword)?;
        Some(self.compiler.node(schema, self.path.key(keyword)))
    }

    fn schemas(&mut self, keyword: &'static str) -> Vec<Id> {
        let schemas =
            self.expect(keyword, "a list of schemas", |value| value.as_array().filter(|l| !l.is_empty()));
        let path = self.path.key(keyword);
        let schemas = schemas.into_iter().flatten().enumerate();
        schemas.map(|(index, schema)| self.compiler.node(schema, path.index(index))).collect()
    }

    fn named_schemas(&mut self, keyword: &'static str) -> Vec<(String, Id)> {
        let schemas = self.expect(keyword, "an object of schemas", Value::as_object);
        let path = self.path.key(keyword);
        let schemas = schemas.into_iter().flatten();
        schemas.map(|(name, schema)| (name.clone(), self.compiler.node(schema, path.key(name)))).collect()
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn is_whole(types: &Value) -> bool {
    match types {
        Value::Array(names) => names.iter().any(|name| name == "integer"),
        name => name == "integer",
    }
}

/// A reference is a URL: what a URL can't have is written as `%20`.
fn percent_decoded(pointer: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(pointer.len());
    let mut bytes = pointer.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok()
}

/// Whole numbers exactly, others as far as a float tells them apart.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => {
            let (one, other) = (one.as_f64(), other.as_f64());
            one.partial_cmp(&other).unwrap_or(Ordering::Equal)
        }
    }
}
