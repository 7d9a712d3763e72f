//! Checks values. Both the schema and the value may come from strangers, so every step is counted.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::compile::{
    CompiledSchema, Id, ListRules, Node, NumberRules, ObjectRules, Pattern, TextRules, compare,
};
use super::explain::{shown, shown_text};
use crate::numbers::{self, LongNumbers, beyond_problem, is_float};
use crate::{Language, Map, Segment, quoted};

/// Steps that the check of any value may take, and those for each byte of it: a schema with a hundred alternatives takes
/// fewer, unless they lie inside each other. A step takes some nanoseconds.
const STEPS: usize = 200_000;
const STEPS_PER_BYTE: usize = 64;
const STEPS_AT_MOST: usize = 50_000_000;
/// Schemas that are entered inside each other. A value has at most 128 levels.
const DEEPEST: usize = 700;

/// Where a value doesn't fit its schema, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mismatch {
    /// The place in the value, as a JSON pointer; empty for the value itself.
    pub pointer: String,
    /// What was expected, and what is there.
    pub problem: String,
}

impl Mismatch {
    /// The first key on the way to the place.
    pub fn field(&self) -> Option<String> {
        let first = self.pointer.strip_prefix('/')?.split('/').next()?;
        Some(first.replace("~1", "/").replace("~0", "~"))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "at {pointer}: {}", self.problem)
    }
}

/// The check takes more than it may.
pub(super) struct TooMuch;

pub(super) type Checked<T> = Result<T, TooMuch>;

impl CompiledSchema {
    /// Checks a value that takes `bytes` as JSON. No mismatch: it fits. At most eight are reported.
    ///
    /// The work is bounded by the size of the value: more of it, as alternatives inside of alternatives may need, is a mismatch
    /// too.
    pub fn check(&self, value: &Value, bytes: usize) -> Vec<Mismatch> {
        self.run(value, bytes, None, LongNumbers::default()).found
    }

    /// Checks a value by the text that it was read from, which says of whole numbers beyond 64 bits what a [`Value`] doesn't.
    pub fn check_text(&self, value: &Value, json: &str) -> Vec<Mismatch> {
        let long = LongNumbers::of(None, json, value);
        self.run(value, json.len(), Some(None), long).found
    }

    /// Checks a value that a script is given as this text: numbers that its language doesn't hold with all their digits are
    /// mismatches too.
    ///
    /// ```
    /// use serde_json::json;
    /// use syncano_core::{CompiledSchema, Language};
    ///
    /// let schema = CompiledSchema::new(&json!({"type": "integer"})).expect("the schema is valid");
    /// let large = json!(9_007_199_254_740_993_u64);
    /// assert!(schema.check_for(Language::Python, &large, "9007199254740993").is_empty());
    /// assert_eq!(schema.check_for(Language::JavaScript, &large, "9007199254740993").len(), 1);
    /// ```
    pub fn check_for(&self, language: Language, value: &Value, json: &str) -> Vec<Mismatch> {
        let long = LongNumbers::of(Some(language), json, value);
        let check = self.run(value, json.len(), Some(Some(language)), long);
        match check.found.is_empty() {
            true if language.largest_whole_number().is_some() && !check.long.is_empty() => {
                check.long.lost(language, json, value)
            }
            true if language.largest_whole_number().is_none() => numbers::lost(language, json),
            _ => check.found,
        }
    }

    /// `reader` is there if `long` is all that the text has.
    fn run<'s>(
        &'s self,
        value: &Value,
        bytes: usize,
        reader: Option<Option<Language>>,
        long: LongNumbers<'s>,
    ) -> Check<'s> {
        let left = bytes.saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS).min(STEPS_AT_MOST);
        let (path, found) = (Vec::new(), Vec::new());
        let (has_text, reader) = (reader.is_some(), reader.flatten());
        let mut check = Check { nodes: &self.nodes, has_text, reader, long, left, depth: 0, path, found };
        let result = match check.fits(0, value) {
            Ok(true) => Ok(()),
            Ok(false) => check.explain(0, value),
            Err(much) => Err(much),
        };
        if result.is_err() {
            let problem = "this takes too many steps to check: use fewer levels and alternatives".to_owned();
            check.found = vec![Mismatch { pointer: String::new(), problem }];
        }
        check
    }
}

pub(super) struct Check<'s> {
    pub(super) nodes: &'s [Node],
    /// Whether the text of the value is known.
    has_text: bool,
    /// Who is given the value, if it is a script.
    reader: Option<Language>,
    /// Whole numbers that the reader can't hold.
    pub(super) long: LongNumbers<'s>,
    left: usize,
    pub(super) depth: usize,
    pub(super) path: Vec<Segment>,
    pub(super) found: Vec<Mismatch>,
}

impl<'s> Check<'s> {
    pub(super) fn spend(&mut self, steps: usize) -> Checked<()> {
        self.left = self.left.checked_sub(steps).ok_or(TooMuch)?;
        Ok(())
    }

    pub(super) fn enter(&mut self) -> Checked<()> {
        self.spend(1)?;
        self.depth += 1;
        if self.depth > DEEPEST { Err(TooMuch) } else { Ok(()) }
    }

    /// Whether the value fits; stops at the first thing that doesn't.
    pub(super) fn fits(&mut self, id: Id, value: &Value) -> Checked<bool> {
        self.enter()?;
        let node = &self.nodes[id];
        let fits = self.fits_itself(node, value)?
            && self.children_fit(node, value)?
            && self.alternatives_fit(node, value)?;
        self.depth -= 1;
        Ok(fits)
    }

    /// All but what is inside of the value, and other schemas for it.
    pub(super) fn fits_itself(&mut self, node: &Node, value: &Value) -> Checked<bool> {
        if node.never || !self.type_fits(node, value) || self.digits_problem(node, value).is_some() {
            return Ok(false);
        }
        if let Some(values) = &node.values {
            self.spend(values.len())?;
            if !values.iter().any(|listed| same(listed, value)) {
                return Ok(false);
            }
        }
        Ok(match value {
            Value::Number(number) => {
                let long = self.long.text(value);
                node.number.as_ref().is_none_or(|rules| number_problem(rules, number, long).is_none())
            }
            Value::String(text) => match &node.text {
                Some(rules) => self.text_problem(rules, text)?.is_none(),
                None => true,
            },
            Value::Array(items) => match &node.list {
                Some(rules) => self.list_problem(rules, items)?.is_none(),
                None => true,
            },
            Value::Object(fields) => match &node.object {
                Some(rules) => self.object_problem(rules, fields)?.is_none(),
                None => true,
            },
            Value::Null | Value::Bool(_) => true,
        })
    }

    pub(super) fn type_fits(&self, node: &Node, value: &Value) -> bool {
        let Some(types) = node.types else { return true };
        if types.fits(value) {
            return true;
        }
        let Value::Number(number) = value else { return false };
        // Without the text, what looks like a whole number counts as one where there may be large ones.
        let may_be_long = || {
            !self.has_text
                && node.number.as_ref().is_some_and(|rules| rules.wide.is_some())
                && number.as_f64().is_some_and(|number| number.fract() == 0.0)
        };
        // JavaScript writes the whole number -0 so, which a `Value` holds as a float.
        let is_negative_zero =
            || number.as_f64().is_some_and(|float| float == 0.0 && float.is_sign_negative());
        types.has("integer")
            && (number.is_i64()
                || number.is_u64()
                || is_negative_zero()
                || self.long.text(value).is_some()
                || may_be_long())
    }

    /// Returns what is wrong with a whole number that its reader would take for another one. Where the schema asks for a float,
    /// one that shows the same digits is as good.
    pub(super) fn digits_problem(&mut self, node: &Node, value: &Value) -> Option<String> {
        let reader = self.reader?;
        let largest = reader.largest_whole_number()?;
        let long = self.long.text(value)?;
        let types = node.types?;
        if !types.has("number") {
            return types.has("integer").then(|| beyond_problem(reader, largest, long));
        }
        if !is_float(long) {
            let shown = quoted(long);
            return Some(format!(
                "expected a number that a float holds with all its digits, found `{shown}`: send `{shown}.0` if the nearest \
                 float will do"
            ));
        }
        self.long.forget(value);
        None
    }

    pub(super) fn text_problem(&mut self, rules: &TextRules, text: &str) -> Checked<Option<String>> {
        if rules.least.is_some() || rules.most.is_some() {
            self.spend(text.len() / 16)?;
            let length = text.chars().count();
            if let Some(problem) = size_problem("characters", rules.least, rules.most, length) {
                return Ok(Some(problem));
            }
        }
        match &rules.pattern {
            Some(pattern) if !self.matches(pattern, text)? => Ok(Some(format!(
                "expected a text that matches `{}`, found {}",
                pattern.text,
                shown_text(text)
            ))),
            _ => Ok(None),
        }
    }

    pub(super) fn matches(&mut self, pattern: &Pattern, text: &str) -> Checked<bool> {
        self.spend(pattern.cost.saturating_mul(text.len() + 1))?;
        Ok(pattern.regex.is_match(text))
    }

    pub(super) fn list_problem(&mut self, rules: &ListRules, items: &[Value]) -> Checked<Option<String>> {
        if let Some(problem) = size_problem("items", rules.least, rules.most, items.len()) {
            return Ok(Some(problem));
        }
        if rules.unique {
            let mut seen = HashSet::new();
            for item in items {
                let text = self.long.text(item).map_or_else(|| item.to_string(), str::to_owned);
                self.spend(1 + text.len() / 16)?;
                if !seen.insert(text) {
                    return Ok(Some(format!("expected different items, found {} twice", shown(item))));
                }
            }
        }
        if let Some(contains) = &rules.contains {
            let mut count = 0;
            for item in items {
                count += usize::from(self.fits(contains.item, item)?);
            }
            if let Some(problem) = size_problem("fitting items", Some(contains.least), contains.most, count) {
                return Ok(Some(problem));
            }
        }
        Ok(None)
    }

    pub(super) fn object_problem(&mut self, rules: &ObjectRules, fields: &Map) -> Checked<Option<String>> {
        self.spend(rules.required.len() + rules.dependent_required.len())?;
        if rules.required.iter().any(|name| !fields.contains_key(name)) {
            return Ok(Some(String::new()));
        }
        for names in &rules.either {
            self.spend(names.len())?;
            if !names.iter().any(|name| fields.contains_key(name)) {
                return Ok(Some(String::new()));
            }
        }
        if let Some(problem) = size_problem("fields", rules.least, rules.most, fields.len()) {
            return Ok(Some(problem));
        }
        for (name, wanted) in &rules.dependent_required {
            self.spend(wanted.len())?;
            if let Some(missing) = wanted.iter().find(|missing| !fields.contains_key(*missing))
                && fields.contains_key(name)
            {
                return Ok(Some(format!("expected `{missing}` beside `{name}`, found none")));
            }
        }
        Ok(None)
    }

    fn children_fit(&mut self, node: &Node, value: &Value) -> Checked<bool> {
        match (value, &node.list, &node.object) {
            (Value::Array(items), Some(rules), _) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(id) = rules.prefix.get(index).copied().or(rules.items)
                        && !self.fits(id, item)?
                    {
                        return Ok(false);
                    }
                }
            }
            (Value::Object(fields), _, Some(rules)) => {
                for (name, id) in &rules.properties {
                    self.spend(1)?;
                    if let Some(value) = fields.get(name)
                        && !self.fits(*id, value)?
                    {
                        return Ok(false);
                    }
                }
                if rules.additional.is_some() || rules.names.is_some() || !rules.patterns.is_empty() {
                    for (name, value) in fields {
                        if !self.other_key_fits(rules, name, value)? {
                            return Ok(false);
                        }
                    }
                }
                for (name, id) in &rules.dependent {
                    self.spend(1)?;
                    if fields.contains_key(name) && !self.fits(*id, value)? {
                        return Ok(false);
                    }
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// What is said of a key by other rules than `properties`.
    pub(super) fn other_key_fits(&mut self, rules: &ObjectRules, name: &str, value: &Value) -> Checked<bool> {
        self.spend(1)?;
        if let Some(id) = rules.names
            && !self.fits(id, &Value::from(name))?
        {
            return Ok(false);
        }
        let mut known = rules.known.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        for (pattern, id) in &rules.patterns {
            if self.matches(pattern, name)? {
                known = true;
                if !self.fits(*id, value)? {
                    return Ok(false);
                }
            }
        }
        match rules.additional {
            Some(id) if !known => self.fits(id, value),
            _ => Ok(true),
        }
    }

    fn alternatives_fit(&mut self, node: &Node, value: &Value) -> Checked<bool> {
        let inside = &node.inside;
        for id in inside.reference.iter().chain(&inside.all_of) {
            if !self.fits(*id, value)? {
                return Ok(false);
            }
        }
        if !inside.any_of.is_empty() {
            let mut any = false;
            for id in &inside.any_of {
                if self.fits(*id, value)? {
                    any = true;
                    break;
                }
            }
            if !any {
                return Ok(false);
            }
        }
        if !inside.one_of.is_empty() && self.count(&inside.one_of, value)? != 1 {
            return Ok(false);
        }
        if let Some(id) = inside.not
            && self.fits(id, value)?
        {
            return Ok(false);
        }
        match self.condition(node, value)? {
            Some(id) => self.fits(id, value),
            None => Ok(true),
        }
    }

    /// How many of the schemas it fits, two for more.
    pub(super) fn count(&mut self, ids: &[Id], value: &Value) -> Checked<usize> {
        let mut count = 0;
        for id in ids {
            count += usize::from(self.fits(*id, value)?);
            if count > 1 {
                break;
            }
        }
        Ok(count)
    }

    /// What `if` leads to.
    pub(super) fn condition(&mut self, node: &Node, value: &Value) -> Checked<Option<Id>> {
        let Some(condition) = &node.inside.condition else { return Ok(None) };
        Ok(if self.fits(condition.when, value)? { condition.then } else { condition.otherwise })
    }
}

/// Numbers by their value: `1.0` is `1`.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare(one, other).is_eq(),
        _ => one == other,
    }
}

/// `long` is how the number is written, if a [`Value`] doesn't hold it.
pub(super) fn number_problem(rules: &NumberRules, number: &Number, long: Option<&str>) -> Option<String> {
    let found = || quoted(long.unwrap_or(&number.to_string()));
    if let (Some(wide), Some(whole)) = (rules.wide, long)
        && !wide.holds(whole)
    {
        return Some(format!("expected a whole number {}, found `{}`", wide.range(), found()));
    }
    let compared = |bound: &Number| match long {
        Some(whole) => compare_long(whole, number, bound),
        None => compare(number, bound),
    };
    let fits = rules.least.as_ref().is_none_or(|least| compared(least).is_ge())
        && rules.most.as_ref().is_none_or(|most| compared(most).is_le())
        && rules.above.as_ref().is_none_or(|above| compared(above).is_gt())
        && rules.below.as_ref().is_none_or(|below| compared(below).is_lt());
    if !fits {
        let kind = if long.is_some() { "a whole number" } else { "a number" };
        return Some(format!("expected {kind}{}, found `{}`", bounds(rules), found()));
    }
    match &rules.multiple_of {
        Some(unit) if !is_multiple(number, long, unit) => {
            Some(format!("expected a multiple of {unit}, found `{}`", found()))
        }
        _ => None,
    }
}

fn compare_long(whole: &str, number: &Number, bound: &Number) -> Ordering {
    match (whole.parse::<i128>(), bound.as_i128()) {
        (Ok(whole), Some(bound)) => whole.cmp(&bound),
        (Err(_), Some(_)) if whole.starts_with('-') => Ordering::Less,
        (Err(_), Some(_)) => Ordering::Greater,
        (_, None) => compare(number, bound),
    }
}

pub(super) fn bounds(rules: &NumberRules) -> String {
    match rules {
        NumberRules { least: Some(least), most: Some(most), .. } => format!(" from {least} to {most}"),
        NumberRules { least: Some(least), .. } => format!(" of at least {least}"),
        NumberRules { most: Some(most), .. } => format!(" of at most {most}"),
        NumberRules { above: Some(above), .. } => format!(" above {above}"),
        NumberRules { below: Some(below), .. } => format!(" below {below}"),
        _ => String::new(),
    }
}

fn is_multiple(number: &Number, long: Option<&str>, unit: &Number) -> bool {
    let whole = match long {
        Some(whole) => whole.parse().ok(),
        None => number.as_i128(),
    };
    match (whole, unit.as_i128()) {
        (Some(number), Some(unit)) => unit != 0 && number % unit == 0,
        _ => {
            let times = number.as_f64().unwrap_or(f64::NAN) / unit.as_f64().unwrap_or(f64::NAN);
            (times - times.round()).abs() < 1e-9
        }
    }
}

fn size_problem(what: &str, least: Option<usize>, most: Option<usize>, found: usize) -> Option<String> {
    match (least, most) {
        (Some(least), _) if found < least => Some(format!("expected at least {least} {what}, found {found}")),
        (_, Some(most)) if found > most => Some(format!("expected at most {most} {what}, found {found}")),
        _ => None,
    }
}
