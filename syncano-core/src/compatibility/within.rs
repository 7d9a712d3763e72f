//! Whether each alternative of one schema lies within those of another.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::alternative::{
    ANYTHING, All, Alternative, Digits, Kind, Lists, Objects, describe, is_nothing, plainly,
};
use super::incompatibility::{Incompatibility, Reason};
use super::number::{Bound, Num, Numbers};
use super::read::{Document, Unreadable, excerpt};
use super::value::{FRESH, excludes};
use crate::Segment;

/// Steps of one comparison. The schemas of an ordinary function take some hundred.
const EFFORT: usize = 500_000;
/// Levels of one comparison; schemas that recurse are followed once around.
const DEPTH: usize = 96;
/// Levels that are looked at to tell two alternatives apart.
const TELLING: usize = 3;

/// A pair of schemas, by where they lie.
type Pair = (Vec<usize>, Vec<usize>);

/// One comparison.
pub(super) struct Comparison<'a> {
    narrow: Document<'a>,
    wide: Document<'a>,
    /// Equal texts mean equal things in both.
    same_references: bool,
    /// Pairs that fit, or are being looked at: a schema that recurses fits as long as nothing else speaks against it.
    assumed: HashSet<Pair>,
    /// The same in the order of their coming.
    trail: Vec<Pair>,
    failed: HashMap<Pair, Incompatibility>,
    depth: usize,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(narrow: &'a Value, wide: &'a Value) -> Comparison<'a> {
        let definitions = |root: &Value| (root.get("$defs").cloned(), root.get("definitions").cloned());
        Comparison {
            narrow: Document::new(narrow, EFFORT),
            wide: Document::new(wide, EFFORT),
            same_references: definitions(narrow) == definitions(wide),
            assumed: HashSet::new(),
            trail: Vec::new(),
            failed: HashMap::new(),
            depth: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<(), Incompatibility> {
        let (narrow, wide) = (vec![self.narrow.root], vec![self.wide.root]);
        self.within(&narrow, &wide).map_err(|misfit| self.prove(&narrow, &wide, misfit))
    }

    /// Keeps the witness only if it is one.
    fn prove(&self, narrow: &All<'a>, wide: &All<'a>, misfit: Incompatibility) -> Incompatibility {
        let Incompatibility { path, reason, witness } = misfit;
        let witness = witness.filter(|witness| {
            self.narrow.admits(narrow, witness) == Some(true)
                && self.wide.admits(wide, witness) == Some(false)
        });
        Incompatibility { path, reason, witness }
    }

    fn within(&mut self, narrow: &All<'a>, wide: &All<'a>) -> Result<(), Incompatibility> {
        if self.equal(narrow, wide) {
            return Ok(());
        }
        let addresses = |all: &All<'_>| all.iter().map(|schema| std::ptr::from_ref(*schema).addr()).collect();
        let pair: Pair = (addresses(narrow), addresses(wide));
        if self.assumed.contains(&pair) {
            return Ok(());
        }
        if let Some(misfit) = self.failed.get(&pair) {
            return Err(misfit.clone());
        }
        if self.depth == DEPTH {
            return Err(Incompatibility::unknown(Unreadable::TooLarge));
        }
        self.depth += 1;
        let before = self.trail.len();
        self.assumed.insert(pair.clone());
        self.trail.push(pair.clone());
        let result = self.each_within(narrow, wide);
        self.depth -= 1;
        if let Err(misfit) = &result {
            // What was found on the way stood on this.
            for pair in self.trail.drain(before..) {
                self.assumed.remove(&pair);
            }
            self.failed.insert(pair, misfit.clone());
        }
        result
    }

    /// Whether the texts are equal, and mean the same.
    fn equal(&self, narrow: &All<'a>, wide: &All<'a>) -> bool {
        let anything = |all: &All<'_>| all.iter().all(|schema| **schema == ANYTHING);
        let alone = narrow == wide && (self.same_references || !narrow.iter().any(|schema| refers(schema)));
        alone || anything(wide)
    }

    fn each_within(&mut self, narrow: &All<'a>, wide: &All<'a>) -> Result<(), Incompatibility> {
        let alternatives = self.narrow.all(narrow).map_err(Incompatibility::unknown)?;
        let others = self.wide.all(wide).map_err(Incompatibility::unknown)?;
        alternatives.iter().try_for_each(|alternative| self.covered(alternative, &others, wide))
    }

    /// Whether one of the others, or as many as are needed, cover the alternative.
    fn covered(
        &mut self,
        alternative: &Alternative<'a>,
        others: &[Alternative<'a>],
        wide: &All<'a>,
    ) -> Result<(), Incompatibility> {
        if let Kind::Value(value) = &alternative.kind {
            return match self.wide.admits(wide, value) {
                Some(true) => Ok(()),
                Some(false) => {
                    let of_its_kind = others.iter().any(|other| {
                        matches!((&other.kind, &**value),
                            (Kind::Value(other), value) if kind_of(other) == kind_of(value))
                    });
                    let reason = match of_its_kind {
                        true => Reason::Value(excerpt(value)),
                        false => Reason::Kind { found: excerpt(value), expected: describe(others) },
                    };
                    Err(Incompatibility::new(reason, Some((**value).clone())))
                }
                None => Err(Incompatibility::new(Reason::Value(excerpt(value)), None)),
            };
        }
        let mut closest: Option<Incompatibility> = None;
        let mut closeness = (false, 0);
        for other in others {
            self.narrow.spend(1).map_err(Incompatibility::unknown)?;
            let fits = match (&alternative.kind, &other.kind) {
                (Kind::Number(narrow), Kind::Number(wide)) => numbers(narrow, wide),
                (Kind::Text(_), Kind::Text(_)) => self.texts(&alternative.kind, &other.kind),
                (Kind::List(narrow), Kind::List(wide)) => self.lists(narrow, wide),
                (Kind::Object(narrow), Kind::Object(wide)) => self.objects(narrow, wide),
                _ => continue,
            };
            let Err(misfit) = fits else {
                let alone = others.iter().filter(|another| excludes(other, another));
                let alone = alone.into_iter().all(|another| self.apart(&alternative.kind, &another.kind, 0));
                if alone {
                    return Ok(());
                }
                closest = closest.or(Some(Incompatibility::new(Reason::Ambiguous, None)));
                continue;
            };
            if misfit.is_unknown() {
                return Err(misfit);
            }
            // The alternative that was meant is the one that isn't told apart at a glance, and went furthest.
            let close = (!self.apart(&alternative.kind, &other.kind, 0), misfit.path.0.len());
            let further = closest.is_none() || close > closeness;
            closeness = closeness.max(close);
            let witness = [closest.as_ref(), Some(&misfit)].into_iter().flatten();
            let witness = witness.filter_map(|misfit| misfit.witness.clone());
            let witness = witness.into_iter().find(|value| self.wide.admits(wide, value) == Some(false));
            let kept = if further { misfit } else { closest.unwrap_or(misfit) };
            closest = Some(Incompatibility { witness, ..kept });
        }
        if let Some(result) = self.split(alternative, others, wide) {
            return result;
        }
        Err(closest.unwrap_or_else(|| {
            let reason = Reason::Kind { found: alternative.kind.describe(), expected: describe(others) };
            Incompatibility::new(reason, self.narrow.samples_of(&alternative.kind, 0).into_iter().next())
        }))
    }

    /// Takes an object apart by a key that has few values (a tag), when no other covers all of it.
    fn split(
        &mut self,
        alternative: &Alternative<'a>,
        others: &[Alternative<'a>],
        wide: &All<'a>,
    ) -> Option<Result<(), Incompatibility>> {
        const VALUES: usize = 16;
        let Kind::Object(objects) = &alternative.kind else { return None };
        if others.iter().filter(|other| matches!(other.kind, Kind::Object(_))).count() < 2 {
            return None;
        }
        for key in &objects.required {
            let Some(schemas) = objects.properties.get(key) else { continue };
            // Each value's own schema has to lie in the document.
            let [Value::Object(schema)] = schemas[..] else { continue };
            let Some(Value::Array(values)) = schema.get("oneOf").or_else(|| schema.get("anyOf")) else {
                continue;
            };
            if values.len() < 2 || values.len() > VALUES {
                continue;
            }
            let result = values.iter().try_for_each(|value| {
                let mut part = objects.clone();
                part.properties.insert(key, vec![value]);
                let part = Alternative { kind: Kind::Object(part), choices: Vec::new() };
                self.covered(&part, others, wide)
            });
            return Some(result);
        }
        None
    }

    fn texts(&self, narrow: &Kind<'a>, wide: &Kind<'a>) -> Result<(), Incompatibility> {
        let (Kind::Text(texts), Kind::Text(others)) = (narrow, wide) else { return Ok(()) };
        let samples = || self.narrow.samples_of(narrow, 0);
        let witness = |wrong: &dyn Fn(usize) -> bool| {
            samples().into_iter().find(|text| text.as_str().is_some_and(|text| wrong(text.chars().count())))
        };
        if texts.least < others.least {
            let reason = Reason::Few { what: "characters", least: others.least };
            return Err(Incompatibility::new(reason, witness(&|length| length < others.least)));
        }
        if let Some(most) = others.most
            && texts.most.is_none_or(|its| its > most)
        {
            let reason = Reason::Many { what: "characters", most };
            let longer = (most < 1000 && texts.forms.is_empty()).then(|| "a".repeat(most + 1).into());
            return Err(Incompatibility::new(reason, witness(&|length| length > most).or(longer)));
        }
        let left_out = others.without.difference(&texts.without);
        let mut left_out =
            left_out.map(|text| Value::from(*text)).filter(|text| plainly(narrow, text) != Some(false));
        if let Some(text) = left_out.next() {
            return Err(Incompatibility::new(Reason::Value(excerpt(&text)), Some(text)));
        }
        match others.forms.difference(&texts.forms).next() {
            None => Ok(()),
            Some((keyword, value)) => {
                let reason = Reason::Form { keyword: (*keyword).to_owned(), value: (*value).to_owned() };
                Err(Incompatibility::new(reason, samples().into_iter().next()))
            }
        }
    }

    fn lists(&mut self, narrow: &Lists<'a>, wide: &Lists<'a>) -> Result<(), Incompatibility> {
        let of_length = |length| self.narrow.list(narrow, length, 0).map(Value::Array);
        if narrow.most.is_some_and(|most| most < narrow.least) {
            return Ok(());
        }
        if narrow.least < wide.least {
            let reason = Reason::Few { what: "items", least: wide.least };
            return Err(Incompatibility::new(reason, of_length(narrow.least)));
        }
        if let Some(most) = wide.most
            && narrow.most.is_none_or(|its| its > most)
        {
            let reason = Reason::Many { what: "items", most };
            return Err(Incompatibility::new(reason, of_length(narrow.least.max(most + 1))));
        }
        if wide.distinct && !narrow.distinct && narrow.most.is_none_or(|most| most > 1) {
            let twice = self.narrow.list(narrow, narrow.least.max(2), 0).map(|mut items| {
                items[1] = items[0].clone();
                Value::Array(items)
            });
            return Err(Incompatibility::new(Reason::Repeated, twice));
        }
        let firsts = narrow.first.len().max(wide.first.len());
        let reached = narrow.most.map_or(firsts, |most| most.min(firsts));
        for index in 0..reached {
            self.within(narrow.item(index), wide.item(index)).map_err(|misfit| {
                misfit.under(Segment::Index(index), |value| self.with_item(narrow, index, value))
            })?;
        }
        if narrow.most.is_none_or(|most| most > firsts) {
            self.within(&narrow.items, &wide.items)
                .map_err(|misfit| misfit.under(any(), |value| self.with_item(narrow, firsts, value)))?;
        }
        Ok(())
    }

    fn with_item(&self, lists: &Lists<'a>, index: usize, item: Value) -> Option<Value> {
        let mut items = self.narrow.list(lists, lists.least.max(index + 1), 0)?;
        *items.get_mut(index)? = item;
        Some(Value::Array(items))
    }

    fn objects(&mut self, narrow: &Objects<'a>, wide: &Objects<'a>) -> Result<(), Incompatibility> {
        let impossible =
            narrow.required.iter().any(|key| narrow.of(key).is_some_and(|schemas| is_nothing(&schemas)));
        if impossible {
            return Ok(());
        }
        for (key, schemas) in &narrow.properties {
            let under = |misfit: Incompatibility, this: &Self| {
                misfit
                    .under(Segment::Key((*key).to_owned()), |value| this.with_key(narrow, Some((key, value))))
            };
            match wide.of(key) {
                None => {}
                Some(_) if is_nothing(schemas) => {}
                Some(others) if is_nothing(&others) => {
                    let sample = self.narrow.samples(schemas, 0).into_iter().next();
                    return Err(under(Incompatibility::new(Reason::Unexpected, sample), self));
                }
                Some(others) => {
                    self.within(schemas, &others).map_err(|misfit| under(misfit, self))?;
                }
            }
        }
        if let Some(key) = wide.required.difference(&narrow.required).next() {
            let missing = Incompatibility::new(Reason::Missing, self.with_key(narrow, None));
            return Err(missing.under(Segment::Key((*key).to_owned()), Some));
        }
        for (digits, schemas) in &narrow.numbered {
            const SOME: &str = "7";
            let unknown = || Incompatibility::unknown(Unreadable::Keyword("patternProperties".to_owned()));
            if wide.properties.keys().any(|key| digits.fits(key)) {
                return Err(unknown());
            }
            let signed = wide.numbered.get(&Digits::Signed).filter(|_| *digits == Digits::Unsigned);
            let others = match wide.numbered.get(digits).or(signed) {
                Some(others) => Some(others.clone()),
                None if wide.numbered.is_empty() => wide.rest.clone(),
                None => return Err(unknown()),
            };
            if let Some(others) = others {
                self.within(schemas, &others).map_err(|misfit| {
                    misfit.under(any(), |value| self.with_key(narrow, Some((SOME, value))))
                })?;
            }
        }
        self.further_keys(narrow, wide)?;
        if narrow.required.len().max(narrow.least) < wide.least {
            let reason = Reason::Few { what: "keys", least: wide.least };
            return Err(Incompatibility::new(reason, self.with_key(narrow, None)));
        }
        if let Some(most) = wide.most {
            let declared = narrow.is_closed() && narrow.numbered.is_empty();
            let its = [narrow.most, declared.then_some(narrow.properties.len())];
            if its.into_iter().flatten().min().is_none_or(|its| its > most) {
                return Err(Incompatibility::new(Reason::Many { what: "keys", most }, None));
            }
        }
        Ok(())
    }

    /// Keys that the narrow one doesn't name.
    fn further_keys(&mut self, narrow: &Objects<'a>, wide: &Objects<'a>) -> Result<(), Incompatibility> {
        let fresh = format!("{FRESH}0");
        let Some(rest) = &narrow.rest else {
            // It says nothing about them: whoever knows none of them doesn't send those that the other knows.
            return match &wide.rest {
                None => Ok(()),
                Some(others) if is_nothing(others) => {
                    let witness = self.with_key(narrow, Some((&fresh, json!(true))));
                    Err(Incompatibility::new(Reason::Open, witness))
                }
                Some(others) => self.within(&vec![&ANYTHING], others).map_err(|misfit| {
                    misfit.under(any(), |value| self.with_key(narrow, Some((&fresh, value))))
                }),
            };
        };
        if is_nothing(rest) {
            return Ok(());
        }
        for (key, others) in wide.properties.iter().filter(|(key, _)| !narrow.properties.contains_key(*key)) {
            self.within(rest, others).map_err(|misfit| {
                misfit
                    .under(Segment::Key((*key).to_owned()), |value| self.with_key(narrow, Some((key, value))))
            })?;
        }
        for others in wide.numbered.values() {
            self.within(rest, others)
                .map_err(|misfit| misfit.under(any(), |value| self.with_key(narrow, Some(("7", value)))))?;
        }
        match &wide.rest {
            None => Ok(()),
            Some(others) if is_nothing(others) => {
                let sample = self.narrow.samples(rest, 0).into_iter().next();
                let witness = sample.and_then(|value| self.with_key(narrow, Some((&fresh, value))));
                Err(Incompatibility::new(Reason::Open, witness))
            }
            Some(others) => self
                .within(rest, others)
                .map_err(|misfit| misfit.under(any(), |value| self.with_key(narrow, Some((&fresh, value))))),
        }
    }

    fn with_key(&self, objects: &Objects<'a>, key: Option<(&str, Value)>) -> Option<Value> {
        let mut keys = self.narrow.object(objects, 0)?;
        keys.extend(key.map(|(key, value)| (key.to_owned(), value)));
        Some(Value::Object(keys))
    }

    /// Whether no value is of both kinds, as far as that is plain.
    fn apart(&self, narrow: &Kind<'a>, wide: &Kind<'a>, depth: usize) -> bool {
        if depth > TELLING {
            return false;
        }
        match (narrow, wide) {
            (Kind::Number(one), Kind::Number(other)) => {
                match (one.most, other.least, one.least, other.most) {
                    (Some(most), Some(least), _, _) if most.at.cmp(least.at).is_lt() => true,
                    (_, _, Some(least), Some(most)) => most.at.cmp(least.at).is_lt(),
                    _ => false,
                }
            }
            (Kind::List(one), Kind::List(other)) => {
                let longer =
                    |one: &Lists<'_>, other: &Lists<'_>| other.most.is_some_and(|most| one.least > most);
                longer(one, other) || longer(other, one) || {
                    let common = one.least.min(other.least);
                    (0..common.min(16)).any(|index| self.all_apart(one.item(index), other.item(index), depth))
                }
            }
            (Kind::Object(one), Kind::Object(other)) => {
                let lacking = |objects: &Objects<'_>, key: &str, open: bool| match objects.of(key) {
                    Some(schemas) => is_nothing(&schemas),
                    None => open,
                };
                // Keys that the narrow one doesn't know don't occur in it.
                other.required.iter().any(|key| lacking(one, key, true))
                    || one.required.iter().any(|key| lacking(other, key, false))
                    || one.required.iter().chain(&other.required).any(|key| {
                        (one.required.contains(key) || other.required.contains(key))
                            && match (one.of(key), other.of(key)) {
                                (Some(one), Some(other)) => self.all_apart(&one, &other, depth),
                                _ => false,
                            }
                    })
            }
            (Kind::Value(value), other) | (other, Kind::Value(value)) => {
                super::alternative::plainly(other, value) == Some(false)
                    && !matches!(
                        (other, &**value),
                        (Kind::List(_), Value::Array(_)) | (Kind::Object(_), Value::Object(_))
                    )
            }
            (Kind::Text(_), Kind::Text(_)) => false,
            _ => true,
        }
    }

    fn all_apart(&self, narrow: &All<'a>, wide: &All<'a>, depth: usize) -> bool {
        let (Ok(narrow), Ok(wide)) = (self.narrow.all(narrow), self.wide.all(wide)) else { return false };
        narrow.iter().all(|one| wide.iter().all(|other| self.apart(&one.kind, &other.kind, depth + 1)))
    }
}

fn numbers(narrow: &Numbers<'_>, wide: &Numbers<'_>) -> Result<(), Incompatibility> {
    let outside = || {
        let edges = [wide.least, wide.most].into_iter().flatten();
        let mut edges: Vec<Value> = edges
            .flat_map(|bound| {
                let beyond = Numbers { least: Some(bound), most: Some(bound), ..Numbers::default() };
                beyond.near()
            })
            .collect();
        edges.extend(narrow.samples());
        edges.into_iter().find(|value| match value {
            Value::Number(number) => {
                narrow.contains(number) == Some(true) && wide.contains(number) == Some(false)
            }
            _ => false,
        })
    };
    let reason = if wide.whole && !narrow.whole {
        Reason::Fraction
    } else if let Some(least) = wide.least.filter(|least| !narrow.starts_within(*least)) {
        Reason::Low(least.at.to_string())
    } else if let Some(most) = wide.most.filter(|most| !narrow.ends_within(*most)) {
        Reason::High(most.at.to_string())
    } else if let Some(multiple) = wide.multiples.iter().find(|multiple| !narrow.multiples.contains(multiple))
    {
        Reason::Multiple(multiple.to_string())
    } else if let Some(number) = wide.without.iter().find(|number| narrow.may_be(**number)) {
        return Err(Incompatibility::new(Reason::Value(format!("`{number}`")), number.to_json()));
    } else {
        return Ok(());
    };
    Err(Incompatibility::new(reason, outside()))
}

impl Numbers<'_> {
    fn starts_within(&self, bound: Bound) -> bool {
        self.least.is_some_and(|least| {
            least.at.cmp(bound.at).is_gt()
                || (least.at.cmp(bound.at).is_eq() && (least.exclusive || !bound.exclusive))
        })
    }

    fn ends_within(&self, bound: Bound) -> bool {
        self.most.is_some_and(|most| {
            most.at.cmp(bound.at).is_lt()
                || (most.at.cmp(bound.at).is_eq() && (most.exclusive || !bound.exclusive))
        })
    }

    fn may_be(&self, number: Num) -> bool {
        match number.to_json() {
            Some(Value::Number(number)) => self.contains(&number) != Some(false),
            _ => true,
        }
    }
}

/// Whether a schema may refer to another.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(keys) => keys.iter().any(|(key, value)| key == "$ref" || refers(value)),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

fn kind_of(value: &Value) -> std::mem::Discriminant<Value> {
    std::mem::discriminant(value)
}

/// Any item of a list, any key of a map.
fn any() -> Segment {
    Segment::Key("*".to_owned())
}
