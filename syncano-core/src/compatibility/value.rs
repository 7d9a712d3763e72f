//! Values of a schema: whether one fits, and some that do.

use serde_json::{Map, Value};

use super::alternative::{All, Alternative, Kind, Lists, Objects, plainly};
use super::read::Document;

/// References that are followed for one sample.
const DEPTH: usize = 12;
/// Items of a list that are made up.
const ITEMS: usize = 64;

impl<'a> Document<'a> {
    /// Whether a value fits; `None` where that can't be told.
    pub(super) fn admits(&self, all: &All<'a>, value: &Value) -> Option<bool> {
        let alternatives = self.all(all).ok()?;
        let fits: Vec<Option<bool>> =
            alternatives.iter().map(|alternative| self.fits(&alternative.kind, value)).collect();
        let mut unsure = fits.contains(&None);
        for (alternative, _) in alternatives.iter().zip(&fits).filter(|(_, fits)| **fits == Some(true)) {
            let mut alone = Some(true);
            for (other, fits) in alternatives.iter().zip(&fits) {
                if excludes(alternative, other) {
                    alone = and(alone, fits.map(|fits| !fits));
                }
            }
            match alone {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unsure = true,
            }
        }
        if unsure { None } else { Some(false) }
    }

    fn fits(&self, kind: &Kind<'a>, value: &Value) -> Option<bool> {
        match (kind, value) {
            (Kind::List(lists), Value::Array(items)) => self.fits_list(lists, items),
            (Kind::Object(objects), Value::Object(keys)) => self.fits_object(objects, keys),
            _ => plainly(kind, value),
        }
    }

    fn fits_list(&self, lists: &Lists<'a>, items: &[Value]) -> Option<bool> {
        let few = items.len() < lists.least;
        let many = lists.most.is_some_and(|most| items.len() > most);
        let repeated =
            || lists.distinct && items.iter().enumerate().any(|(index, item)| items[..index].contains(item));
        if few || many || repeated() {
            return Some(false);
        }
        let each = items.iter().enumerate().map(|(index, item)| self.admits(lists.item(index), item));
        each.fold(Some(true), and)
    }

    fn fits_object(&self, objects: &Objects<'a>, keys: &Map<String, Value>) -> Option<bool> {
        let few = keys.len() < objects.least;
        let many = objects.most.is_some_and(|most| keys.len() > most);
        if few || many || !objects.required.iter().all(|key| keys.contains_key(*key)) {
            return Some(false);
        }
        let each = keys.iter().map(|(key, value)| match objects.of(key) {
            Some(all) => self.admits(&all, value),
            None => Some(true),
        });
        each.fold(Some(true), and)
    }

    /// Some values that fit, the plainest first.
    pub(super) fn samples(&self, all: &All<'a>, depth: usize) -> Vec<Value> {
        let alternatives = self.all(all).unwrap_or_default();
        alternatives.iter().flat_map(|alternative| self.samples_of(&alternative.kind, depth)).collect()
    }

    pub(super) fn samples_of(&self, kind: &Kind<'a>, depth: usize) -> Vec<Value> {
        match kind {
            Kind::Value(value) => vec![(**value).clone()],
            Kind::Number(numbers) => numbers.samples(),
            Kind::Text(texts) => texts.samples(),
            Kind::List(lists) => self.list(lists, lists.least, depth).map(Value::Array).into_iter().collect(),
            Kind::Object(objects) => self.object(objects, depth).map(Value::Object).into_iter().collect(),
        }
    }

    /// A list of so many items at least.
    pub(super) fn list(&self, lists: &Lists<'a>, length: usize, depth: usize) -> Option<Vec<Value>> {
        if length > ITEMS {
            return None;
        }
        let mut items: Vec<Value> = Vec::new();
        for index in 0..length {
            let samples = self.deeper(lists.item(index), depth);
            items.push(samples.into_iter().find(|sample| !lists.distinct || !items.contains(sample))?);
        }
        Some(items)
    }

    /// An object with the keys that it must have.
    pub(super) fn object(&self, objects: &Objects<'a>, depth: usize) -> Option<Map<String, Value>> {
        let mut keys = Map::new();
        for key in &objects.required {
            let sample = match objects.of(key) {
                Some(all) => self.deeper(&all, depth).into_iter().next()?,
                None => Value::Null,
            };
            keys.insert((*key).to_owned(), sample);
        }
        for number in 0..objects.least.saturating_sub(keys.len()).min(ITEMS) {
            let key = format!("{FRESH}{number}");
            let sample = match objects.of(&key) {
                Some(all) => self.deeper(&all, depth).into_iter().next()?,
                None => Value::Null,
            };
            keys.insert(key, sample);
        }
        Some(keys)
    }

    fn deeper(&self, all: &All<'a>, depth: usize) -> Vec<Value> {
        if depth >= DEPTH { Vec::new() } else { self.samples(all, depth + 1) }
    }
}

/// The beginning of a key that no schema names.
pub(super) const FRESH: &str = "anything-";

/// Whether the two stand beside each other in a `oneOf`.
pub(super) fn excludes(one: &Alternative<'_>, other: &Alternative<'_>) -> bool {
    one.choices.iter().any(|(group, choice)| {
        other.choices.iter().any(|(its_group, its_choice)| group == its_group && choice != its_choice)
    })
}

fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), other) => other,
        (None, _) => None,
    }
}
