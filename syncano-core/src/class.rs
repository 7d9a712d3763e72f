//! Classes that a socket needs: their fields, and the rules of a schema.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{ClassDependency, Map, NameKind, Path, Violation, ViolationKind, limits, normalize};

/// The types of fields.
pub const FIELD_TYPES: [&str; 12] = [
    "string",
    "text",
    "integer",
    "float",
    "boolean",
    "datetime",
    "file",
    "reference",
    "relation",
    "array",
    "object",
    "geopoint",
];
/// Types of fields that point to objects of a class, which `target` names.
const POINTING: [&str; 2] = ["reference", "relation"];
/// Keys that ask for an index.
const INDEXES: [&str; 2] = ["order_index", "filter_index"];

impl ClassDependency {
    /// The name that the class has on a server: in its normal form, and `user` is the profile of users.
    pub fn class_name(&self) -> String {
        match normalize(&self.name) {
            name if name == "user" => "user_profile".to_owned(),
            name => name,
        }
    }

    /// Names and types of the fields. What breaks the rules is left out.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.schema.iter().filter_map(|field| {
            let text = |key: &str| field.get(key).and_then(Value::as_str);
            text("name").zip(text("type"))
        })
    }

    /// Checks the schema; `path` is its own.
    pub(crate) fn check(&self, path: &Path) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut report = |path: Path, kind: ViolationKind| found.push(Violation { path, kind });
        let too_many = |what, limit, found| ViolationKind::TooMany { what, limit, found };
        if self.schema.len() > limits::CLASS_FIELDS {
            report(path.clone(), too_many("fields", limits::CLASS_FIELDS, self.schema.len()));
        }
        let indexes = self.schema.iter().flat_map(|field| INDEXES.map(|key| is_true(field, key)));
        let indexes = indexes.filter(|wanted| *wanted).count();
        if indexes > limits::CLASS_INDEXES {
            report(path.clone(), too_many("indexes", limits::CLASS_INDEXES, indexes));
        }
        let mut names = BTreeSet::new();
        for (index, field) in self.schema.iter().enumerate() {
            let path = path.index(index);
            let Some(field) = field.as_object() else {
                report(path, ViolationKind::ClassField("a field is an object with `name` and `type`"));
                continue;
            };
            let Some(name) = text(field, "name") else {
                report(
                    path.key("name"),
                    ViolationKind::ClassField("a field needs a `name`, which is a text"),
                );
                continue;
            };
            if let Err(problem) = NameKind::Field.check(name) {
                let name = name.to_owned();
                report(path.key("name"), ViolationKind::Name { kind: NameKind::Field, name, problem });
            }
            if !names.insert(name) {
                report(path.key("name"), ViolationKind::ClassField("another field has this name already"));
            }
            let kind = text(field, "type").filter(|kind| FIELD_TYPES.contains(kind));
            if kind.is_none() {
                let given = field.get("type").map_or_else(|| "nothing".to_owned(), Value::to_string);
                // A stranger decides how long it is.
                let given = given.chars().take(limits::NAME).collect();
                report(path.key("type"), ViolationKind::ClassFieldType(given));
            }
            if kind.is_some_and(|kind| POINTING.contains(&kind)) && text(field, "target").is_none() {
                report(
                    path.key("target"),
                    ViolationKind::ClassField(
                        "a reference or relation needs a `target`, the name of a class",
                    ),
                );
            }
            for key in ["order_index", "filter_index", "unique"] {
                if field.get(key).is_some_and(|value| !value.is_boolean()) {
                    report(path.key(key), ViolationKind::ClassField("this is true or false"));
                }
            }
        }
        found
    }
}

fn text<'a>(field: &'a Map, key: &str) -> Option<&'a str> {
    field.get(key).and_then(Value::as_str)
}

fn is_true(field: &Value, key: &str) -> bool {
    field.get(key).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value) -> Vec<String> {
        let schema = schema.as_array().unwrap().clone();
        let class = ClassDependency { name: "User".to_owned(), schema };
        class.check(&Path::root()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_schema_is_a_list_of_fields_with_name_and_type() {
        assert_eq!(
            check(json!([
                {"name": "fieldA", "type": "string", "order_index": true},
                {"name": "author", "type": "reference", "target": "user"},
            ])),
            [""; 0]
        );
        for (schema, path) in [
            (json!(["fieldA"]), "/0:"),
            (json!([{"type": "string"}]), "/0/name:"),
            (json!([{"name": "no spaces", "type": "string"}]), "/0/name:"),
            (json!([{"name": "a", "type": "string"}, {"name": "a", "type": "text"}]), "/1/name:"),
            (json!([{"name": "a"}]), "/0/type:"),
            (json!([{"name": "a", "type": "strnig"}]), "/0/type:"),
            (json!([{"name": "a", "type": "relation"}]), "/0/target:"),
            (json!([{"name": "a", "type": "string", "unique": 1}]), "/0/unique:"),
        ] {
            let found = check(schema.clone());
            assert!(found.len() == 1 && found[0].contains(path), "{schema}: {found:?}");
        }
        let many: Vec<Value> = (0..33)
            .map(|number| json!({"name": format!("f{number}"), "type": "string", "filter_index": true}))
            .collect();
        assert_eq!(check(json!(many)).len(), 2);
    }

    #[test]
    fn user_is_the_profile_of_users() {
        let class =
            ClassDependency { name: "User".to_owned(), schema: vec![json!({"name": "a", "type": "text"})] };
        assert_eq!(class.class_name(), "user_profile");
        assert_eq!(class.fields().collect::<Vec<_>>(), [("a", "text")]);
    }
}
