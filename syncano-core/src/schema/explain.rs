//! Why a value doesn't fit its schema, in words. Only values that don't come here.

use serde_json::Value;

use super::check::{Check, Checked, Mismatch, bounds, number_problem, same};
use super::compile::{Id, Node, ObjectRules};
use crate::{Path, Segment, closest, quoted};

/// Mismatches that are reported.
const REPORTED: usize = 8;
/// Values that are named where one of them is expected.
const NAMED: usize = 24;

impl Check<'_> {
    fn report(&mut self, problem: String) {
        if self.found.len() < REPORTED {
            let pointer = match self.path.as_slice() {
                [] => String::new(),
                segments => Path(segments.to_vec()).to_string(),
            };
            self.found.push(Mismatch { pointer, problem });
        }
    }

    fn report_at(&mut self, key: &str, problem: String) {
        self.path.push(Segment::Key(key.to_owned()));
        self.report(problem);
        self.path.pop();
    }

    fn shown(&self, value: &Value) -> String {
        self.long.text(value).map_or_else(|| shown(value), |whole| format!("`{}`", quoted(whole)))
    }

    /// Tells why a value doesn't fit. Only values that don't come here.
    pub(super) fn explain(&mut self, id: Id, value: &Value) -> Checked<()> {
        self.enter()?;
        if self.found.len() < REPORTED {
            let node = &self.nodes[id];
            if self.fits_itself(node, value)? {
                self.explain_children(node, value)?;
                self.explain_alternatives(node, value)?;
            } else {
                self.explain_itself(id, value)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn explain_child(&mut self, segment: Segment, id: Id, value: &Value) -> Checked<()> {
        if self.found.len() < REPORTED && !self.fits(id, value)? {
            self.path.push(segment);
            self.explain(id, value)?;
            self.path.pop();
        }
        Ok(())
    }

    fn explain_itself(&mut self, id: Id, value: &Value) -> Checked<()> {
        let node = &self.nodes[id];
        let listed =
            node.values.as_ref().is_none_or(|values| values.iter().any(|listed| same(listed, value)));
        if node.never || !listed || !self.type_fits(node, value) {
            self.report(format!("expected {}, found {}", self.noun(id), self.shown(value)));
            return Ok(());
        }
        let problem = match value {
            Value::Number(number) => {
                let rules = node.number.as_ref();
                let long = self.long.text(value);
                let problem = rules.and_then(|rules| number_problem(rules, number, long));
                problem.or_else(|| self.digits_problem(node, value))
            }
            Value::String(text) => match &node.text {
                Some(rules) => self.text_problem(rules, text)?,
                None => None,
            },
            Value::Array(items) => match &node.list {
                Some(rules) => self.list_problem(rules, items)?,
                None => None,
            },
            Value::Object(fields) => match &node.object {
                Some(rules) => {
                    let missing: Vec<&String> = rules
                        .required
                        .iter()
                        .filter(|name| !fields.contains_key(*name))
                        .take(REPORTED)
                        .collect();
                    let none = |names: &&Vec<String>| !names.iter().any(|name| fields.contains_key(name));
                    let neither: Vec<&Vec<String>> =
                        rules.either.iter().filter(none).take(REPORTED).collect();
                    if !missing.is_empty() || !neither.is_empty() {
                        for names in neither {
                            let known =
                                rules.properties.iter().find(|(known, _)| names.first() == Some(known));
                            let noun = known.map_or("a value".to_owned(), |(_, id)| self.noun(*id));
                            let keys = or(names.iter().map(|name| format!("`{}`", quoted(name))));
                            let first = names.first().cloned().unwrap_or_default();
                            self.report_at(&first, format!("expected {noun} under {keys}, found nothing"));
                        }
                        for name in missing {
                            let known = rules.properties.iter().find(|(known, _)| known == name);
                            let noun = known.map_or("a value".to_owned(), |(_, id)| self.noun(*id));
                            self.report_at(name, format!("expected {noun}, found nothing"));
                        }
                        // What else is there may be what is missing, misspelled.
                        return self.explain_children(node, value);
                    }
                    self.object_problem(rules, fields)?
                }
                None => None,
            },
            Value::Null | Value::Bool(_) => None,
        };
        let problem =
            problem.unwrap_or_else(|| format!("expected {}, found {}", self.noun(id), self.shown(value)));
        self.report(problem);
        Ok(())
    }

    fn explain_children(&mut self, node: &Node, value: &Value) -> Checked<()> {
        match (value, &node.list, &node.object) {
            (Value::Array(items), Some(rules), _) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(id) = rules.prefix.get(index).copied().or(rules.items) {
                        if rules.prefix.len() <= index && self.nodes[id].never {
                            let most = rules.prefix.len();
                            self.report(format!("expected at most {most} items, found {}", items.len()));
                            break;
                        }
                        self.explain_child(Segment::Index(index), id, item)?;
                    }
                }
            }
            (Value::Object(fields), _, Some(rules)) => {
                for (name, id) in &rules.properties {
                    if let Some(value) = fields.get(name) {
                        self.explain_child(Segment::Key(name.clone()), *id, value)?;
                    }
                }
                for (name, value) in fields {
                    if !self.other_key_fits(rules, name, value)? {
                        self.explain_other_key(rules, name, value)?;
                    }
                }
                for (name, id) in &rules.dependent {
                    if fields.contains_key(name) && !self.fits(*id, value)? {
                        self.explain(*id, value)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn explain_other_key(&mut self, rules: &ObjectRules, name: &str, value: &Value) -> Checked<()> {
        for (pattern, id) in &rules.patterns {
            if self.matches(pattern, name)? && !self.fits(*id, value)? {
                return self.explain_child(Segment::Key(name.to_owned()), *id, value);
            }
        }
        let unknown = rules.additional.is_some_and(|id| self.nodes[id].never);
        match rules.additional {
            Some(id) if !unknown => self.explain_child(Segment::Key(name.to_owned()), id, value)?,
            _ => {
                let known: Vec<&str> = rules.known.iter().map(String::as_str).collect();
                let problem = match closest(name, known.iter().copied()) {
                    Some(meant) => format!("unknown key: did you mean `{meant}`?"),
                    None if known.is_empty() => "unknown key".to_owned(),
                    None => format!("unknown key: use {}", or(known.iter().map(|name| format!("`{name}`")))),
                };
                self.report_at(name, problem);
            }
        }
        Ok(())
    }

    fn explain_alternatives(&mut self, node: &Node, value: &Value) -> Checked<()> {
        let inside = &node.inside;
        for id in inside.reference.iter().chain(&inside.all_of) {
            if !self.fits(*id, value)? {
                self.explain(*id, value)?;
            }
        }
        for (alternatives, one) in [(&inside.any_of, false), (&inside.one_of, true)] {
            if alternatives.is_empty() {
                continue;
            }
            match self.count(alternatives, value)? {
                0 => self.explain_best(alternatives, value)?,
                2 if one => self.report("expected one alternative to fit, found several that do".to_owned()),
                _ => {}
            }
        }
        if let Some(id) = inside.not
            && self.fits(id, value)?
        {
            self.report(format!("expected something else, found {}", self.shown(value)));
        }
        if let Some(id) = self.condition(node, value)?
            && !self.fits(id, value)?
        {
            self.explain(id, value)?;
        }
        Ok(())
    }

    /// Explains the alternative that the value was most likely meant to be.
    fn explain_best(&mut self, alternatives: &[Id], value: &Value) -> Checked<()> {
        let mut best = (0, None);
        for id in alternatives {
            let closeness = self.closeness(*id, value, 0)?;
            match closeness.cmp(&best.0) {
                std::cmp::Ordering::Greater => best = (closeness, Some(*id)),
                // Several are equally close: none of them is what was meant.
                std::cmp::Ordering::Equal => best.1 = None,
                std::cmp::Ordering::Less => {}
            }
        }
        match best {
            (1.., Some(id)) => self.explain(id, value),
            _ if let Some((tag, names)) = self.tags(alternatives, value) => {
                let found = value.get(&tag).map_or("nothing".to_owned(), shown);
                self.report_at(&tag, format!("expected {names}, found {found}"));
                Ok(())
            }
            _ => {
                let mut nouns = Vec::new();
                alternatives.iter().take(REPORTED).for_each(|id| self.nouns(*id, &mut nouns, 0));
                self.report(format!("expected {}, found {}", or(nouns.into_iter()), self.shown(value)));
                Ok(())
            }
        }
    }

    /// The key that tells alternatives apart, if the value has none of theirs under it, and what they have there.
    fn tags(&self, alternatives: &[Id], value: &Value) -> Option<(String, String)> {
        let fields = value.as_object()?;
        let rules = |id: &Id| {
            let node = &self.nodes[*id];
            node.object.as_deref().or_else(|| self.nodes[node.inside.reference?].object.as_deref())
        };
        let under = |id: &Id, tag: &str| {
            let (_, id) = rules(id)?.properties.iter().find(|(name, _)| name == tag)?;
            self.nodes[*id].values.as_ref()
        };
        let (tag, _) = rules(alternatives.first()?)?
            .properties
            .iter()
            .find(|(name, _)| alternatives.iter().all(|id| under(id, name).is_some()))?;
        let mut values = alternatives.iter().filter_map(|id| under(id, tag)).flatten();
        let found = fields.get(tag);
        if found.is_some_and(|found| values.clone().any(|value| same(value, found))) {
            return None;
        }
        let mut nouns = Vec::new();
        name_values(&mut values, &mut nouns);
        Some((tag.clone(), or(nouns.into_iter())))
    }

    /// How much speaks for an alternative: its type, its tag, its keys.
    fn closeness(&mut self, id: Id, value: &Value, depth: usize) -> Checked<usize> {
        self.spend(1)?;
        let node = &self.nodes[id];
        if let Some(id) = node.inside.reference.filter(|_| depth < 4) {
            return self.closeness(id, value, depth + 1);
        }
        let listed =
            node.values.as_ref().is_none_or(|values| values.iter().any(|listed| same(listed, value)));
        if node.never || !listed || !self.type_fits(node, value) {
            return Ok(0);
        }
        let (Value::Object(fields), Some(rules)) = (value, &node.object) else { return Ok(1) };
        let mut closeness = 1;
        for (name, id) in &rules.properties {
            self.spend(1)?;
            let Some(value) = fields.get(name) else { continue };
            match self.nodes[*id].values.is_some() {
                true if self.fits(*id, value)? => closeness += 100,
                // Another tag.
                true => return Ok(0),
                false => closeness += 1,
            }
        }
        closeness += 2 * rules.required.iter().filter(|name| fields.contains_key(*name)).count();
        Ok(closeness)
    }

    /// What a schema asks for, in words.
    fn noun(&self, id: Id) -> String {
        let mut nouns = Vec::new();
        self.nouns(id, &mut nouns, 0);
        or(nouns.into_iter())
    }

    fn nouns(&self, id: Id, nouns: &mut Vec<String>, depth: usize) {
        const ANYTHING: &str = "something else";
        let node = &self.nodes[id];
        let inside = &node.inside;
        let alternatives = if inside.any_of.is_empty() { &inside.one_of } else { &inside.any_of };
        if node.never {
            nouns.push("nothing".to_owned());
        } else if depth > 6 || nouns.len() > REPORTED {
            nouns.push(ANYTHING.to_owned());
        } else if let Some(values) = &node.values {
            name_values(&mut values.iter(), nouns);
        } else if let Some(types) = node.types {
            let order = ["boolean", "integer", "number", "string", "array", "object", "null"];
            let both = types.has("number");
            let asked = order.into_iter().filter(|name| types.has(name) && !(both && *name == "integer"));
            nouns.extend(asked.map(|name| type_noun(node, name)));
        } else if let Some(id) = inside.reference {
            self.nouns(id, nouns, depth + 1);
        } else if !alternatives.is_empty() {
            alternatives.iter().take(REPORTED).for_each(|id| self.nouns(*id, nouns, depth + 1));
        } else if let Some(id) = inside.all_of.first() {
            self.nouns(*id, nouns, depth + 1);
        } else {
            nouns.push(ANYTHING.to_owned());
        }
    }
}

/// Names values, and says if there are more of them.
fn name_values(values: &mut dyn Iterator<Item = &Value>, nouns: &mut Vec<String>) {
    nouns.extend(values.take(NAMED).map(|value| match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("`{}`", quoted(text)),
        other => format!("`{}`", quoted(&other.to_string())),
    }));
    match values.count() {
        0 => {}
        1 => nouns.push("one other".to_owned()),
        more => nouns.push(format!("one of {more} others")),
    }
}

fn type_noun(node: &Node, name: &str) -> String {
    let bounds = || node.number.as_deref().map(bounds).unwrap_or_default();
    match name {
        "boolean" => "true or false".to_owned(),
        "integer" => format!("a whole number{}", bounds()),
        "number" => format!("a number{}", bounds()),
        "string" => "a text".to_owned(),
        "array" => "a list".to_owned(),
        "object" => match node.object.as_ref().map(|rules| rules.required.as_slice()) {
            Some([only]) => format!("an object with `{}`", quoted(only)),
            _ => "an object".to_owned(),
        },
        _ => "null".to_owned(),
    }
}

/// `a`, `b` or `c`, each once.
fn or(words: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for word in words {
        if !different.contains(&word) {
            different.push(word);
        }
    }
    match different.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value as errors show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => shown_text(text),
        Value::Array(items) => match items.len() {
            0 => "an empty list".to_owned(),
            1 => "a list of one".to_owned(),
            more => format!("a list of {more}"),
        },
        Value::Object(_) => "an object".to_owned(),
    }
}

pub(super) fn shown_text(text: &str) -> String {
    format!("the text `{}`", quoted(text))
}
