//! What both languages say: functions, and the types that they name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use syncano_core::{Call, Method, Methods, Socket, published_schema};

/// The types of all functions.
#[derive(Default)]
pub(super) struct Model {
    pub(super) functions: Vec<Function>,
    /// By name; a name may be used before it stands in the file.
    pub(super) declarations: BTreeMap<String, Declaration>,
}

/// A function of a socket.
pub(super) struct Function {
    /// The script's text.
    pub(super) source: String,
    /// Its name as a type's.
    pub(super) name: String,
    pub(super) about: String,
    pub(super) arguments: Vec<Field>,
    pub(super) result: Type,
}

/// What a name stands for.
#[derive(Clone, PartialEq)]
pub(super) enum Declaration {
    Object(Vec<Field>),
    Alias(Type),
}

#[derive(Clone, PartialEq)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) of: Type,
    pub(super) required: bool,
}

#[derive(Clone, PartialEq)]
pub(super) enum Type {
    Any,
    Nothing,
    Null,
    Bool,
    Whole,
    Number,
    Text,
    /// A text, a number, `true`, `false`.
    Literal(Value),
    List(Box<Type>),
    Map(Box<Type>),
    Named(String),
    Either(Vec<Type>),
}

impl Model {
    /// The functions to which `source` gives the text of a script.
    pub(super) fn of(sockets: &[Socket], source: impl Fn(&Socket, &Call) -> Option<String>) -> Model {
        let mut model = Model::default();
        for socket in sockets {
            for (endpoint, defined) in &socket.endpoints {
                for call in &defined.calls {
                    let Some(source) = source(socket, call) else { continue };
                    let method = match &call.methods {
                        Methods::Any => Method::Post,
                        Methods::Only(methods) => methods.first().copied().unwrap_or(Method::Post),
                    };
                    let name = model.function_name(&socket.name, &call.name, method);
                    let about = format!("{} of the endpoint `{}/{endpoint}`", call.methods, socket.name);
                    let mut function = Function {
                        source,
                        name: name.clone(),
                        about,
                        arguments: Vec::new(),
                        result: Type::Any,
                    };
                    let schema = |word| published_schema(&defined.metadata, method, word);
                    if let Some((_, inputs)) = schema("inputs") {
                        for mut field in Reader::new(&mut model, inputs).fields(inputs, &name) {
                            if !field.required {
                                // `None` is left out.
                                field.of = without_null(field.of);
                            }
                            function.arguments.push(field);
                        }
                    }
                    if let Some((_, outputs)) = schema("outputs") {
                        // The name of the Rust type.
                        let title = outputs.get("title").and_then(Value::as_str).map(type_name);
                        let title = title.unwrap_or_else(|| format!("{name}Value"));
                        function.result = Reader::new(&mut model, outputs).read(outputs, &title);
                    }
                    model.functions.push(function);
                }
            }
        }
        model
    }

    /// A function's name is its script's, as long as no other function has that.
    fn function_name(&self, socket: &str, script: &str, method: Method) -> String {
        let (socket, name) = (type_name(socket), type_name(script));
        let method = type_name(&method.as_str().to_lowercase());
        let mut names = vec![name.clone(), format!("{name}{method}"), format!("{socket}{name}{method}")];
        names
            .extend((2..).take(self.functions.len()).map(|number| format!("{socket}{name}{method}{number}")));
        let taken = |name: &String| self.functions.iter().any(|function| function.name == *name);
        names.into_iter().find(|name| !taken(name)).unwrap_or(name)
    }
}

/// Reads the schemas of one document.
struct Reader<'a> {
    model: &'a mut Model,
    root: &'a Value,
    /// The names that the document's own definitions have got.
    references: BTreeMap<String, String>,
    depth: usize,
}

/// Schemas may come from anybody.
const DEPTH: usize = 64;

impl<'a> Reader<'a> {
    fn new(model: &'a mut Model, root: &'a Value) -> Reader<'a> {
        Reader { model, root, references: BTreeMap::new(), depth: 0 }
    }

    fn read(&mut self, schema: &Value, hint: &str) -> Type {
        if self.depth == DEPTH {
            return Type::Any;
        }
        self.depth += 1;
        let read = self.of(schema, hint);
        self.depth -= 1;
        read
    }

    fn of(&mut self, schema: &Value, hint: &str) -> Type {
        let keys = match schema {
            Value::Object(keys) => keys,
            Value::Bool(false) => return Type::Nothing,
            _ => return Type::Any,
        };
        let combined = ["oneOf", "anyOf"].into_iter().find_map(|key| Some((key, keys.get(key)?.as_array()?)));
        // Beside other keywords each narrows the others: what can't be said in a type is left open.
        match (keys.get("$ref").and_then(Value::as_str), combined) {
            (Some(reference), None) if !keys.contains_key("properties") => return self.reference(reference),
            (None, Some((_, alternatives))) if !keys.contains_key("properties") => {
                let each = alternatives.iter().enumerate();
                let types = each.map(|(index, each)| self.read(each, &variant(each, hint, index)));
                let types = types.collect();
                return either(types);
            }
            (None, None) if !keys.contains_key("allOf") => {}
            _ => return Type::Any,
        }
        if let Some(value) = keys.get("const") {
            return literal(value);
        }
        if let Some(Value::Array(values)) = keys.get("enum") {
            return either(values.iter().map(literal).collect());
        }
        match keys.get("type") {
            Some(Value::String(name)) => self.kind(name, keys, schema, hint),
            Some(Value::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                either(names.into_iter().map(|name| self.kind(name, keys, schema, hint)).collect())
            }
            _ => Type::Any,
        }
    }

    fn kind(&mut self, name: &str, keys: &Map<String, Value>, schema: &Value, hint: &str) -> Type {
        match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => Type::Whole,
            "number" => Type::Number,
            "string" => Type::Text,
            "array" => {
                let mut types = Vec::new();
                for (index, item) in
                    keys.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate()
                {
                    types.push(self.read(item, &format!("{hint}{}", index + 1)));
                }
                match keys.get("items") {
                    Some(item) => types.push(self.read(item, &format!("{hint}Item"))),
                    None if types.is_empty() => types.push(Type::Any),
                    None => {}
                }
                Type::List(either(types).into())
            }
            "object" if keys.contains_key("properties") => {
                let declared = self.fields(schema, hint);
                Type::Named(self.declare(hint, Declaration::Object(declared)))
            }
            "object" => {
                let patterns = keys.get("patternProperties").and_then(Value::as_object);
                let of_pattern = patterns.and_then(|patterns| patterns.values().next());
                let of_rest = keys.get("additionalProperties").filter(|rest| **rest != Value::Bool(false));
                match of_pattern.or(of_rest) {
                    Some(value) => Type::Map(self.read(value, &format!("{hint}Value")).into()),
                    None => Type::Map(Type::Any.into()),
                }
            }
            _ => Type::Any,
        }
    }

    fn fields(&mut self, schema: &Value, hint: &str) -> Vec<Field> {
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = properties.map(|(key, schema)| Field {
            of: self.read(schema, &format!("{hint}{}", type_name(key))),
            required: required.is_some_and(|required| required.iter().any(|name| name == key)),
            key: key.clone(),
        });
        fields.collect()
    }

    fn reference(&mut self, reference: &str) -> Type {
        if let Some(name) = self.references.get(reference) {
            return Type::Named(name.clone());
        }
        let root = self.root;
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            return Type::Any;
        };
        let title = target.get("title").and_then(Value::as_str).filter(|_| reference == "#");
        let wanted = type_name(title.or_else(|| reference.rsplit('/').next()).unwrap_or_default());
        // The name is there before the schema is read, since that may refer to itself.
        let name = self.free(&wanted);
        self.model.declarations.insert(name.clone(), Declaration::Alias(Type::Any));
        self.references.insert(reference.to_owned(), name.clone());
        let declared = match target.get("properties") {
            Some(_) if ["oneOf", "anyOf", "allOf", "$ref"].iter().all(|key| target.get(key).is_none()) => {
                Declaration::Object(self.fields(target, &name))
            }
            _ => Declaration::Alias(self.read(target, &name)),
        };
        // Two documents often define the very same.
        let same = name != wanted && self.model.declarations.get(&wanted) == Some(&declared);
        if same {
            self.model.declarations.remove(&name);
            self.references.insert(reference.to_owned(), wanted.clone());
            return Type::Named(wanted);
        }
        self.model.declarations.insert(name.clone(), declared);
        Type::Named(name)
    }

    fn declare(&mut self, wanted: &str, declared: Declaration) -> String {
        if self.model.declarations.get(wanted) == Some(&declared) && !is_reserved(wanted) {
            return wanted.to_owned();
        }
        let name = self.free(wanted);
        self.model.declarations.insert(name.clone(), declared);
        name
    }

    /// The name, or one like it that nothing has.
    fn free(&self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while self.model.declarations.contains_key(&name) || is_reserved(&name) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        name
    }
}

/// Names that mean something else in one of the languages, or that functions have got.
fn is_reserved(name: &str) -> bool {
    // Exceptions of Python, classes of JavaScript, and names of ours.
    const ENDS: [&str; 6] = ["Error", "Exception", "Warning", "Args", "Main", "Result"];
    const WORDS: [&str; 18] = [
        "Any",
        "Array",
        "Context",
        "False",
        "HttpResponse",
        "Literal",
        "Never",
        "None",
        "NotRequired",
        "Number",
        "Promise",
        "Protocol",
        "Record",
        "String",
        "Symbol",
        "True",
        "TypeAlias",
        "TypedDict",
    ];
    WORDS.contains(&name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// A name for one of several alternatives: its tag, if it has one.
fn variant(schema: &Value, hint: &str, index: usize) -> String {
    let properties = schema.get("properties").and_then(Value::as_object);
    let tag = properties.and_then(|properties| {
        let of_value = properties.values().find_map(|value| value.get("const")?.as_str());
        of_value.or_else(|| properties.keys().next().filter(|_| properties.len() == 1).map(String::as_str))
    });
    match tag {
        Some(tag) => format!("{hint}{}", type_name(tag)),
        None => format!("{hint}{}", index + 1),
    }
}

fn literal(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::String(_) | Value::Bool(_) => Type::Literal(value.clone()),
        Value::Number(number) if number.is_f64() => Type::Number,
        Value::Number(_) => Type::Literal(value.clone()),
        _ => Type::Any,
    }
}

fn either(types: Vec<Type>) -> Type {
    let mut flat: Vec<Type> = Vec::new();
    for of in types {
        let each = match of {
            Type::Either(types) => types,
            Type::Nothing => Vec::new(),
            of => vec![of],
        };
        for of in each {
            if !flat.contains(&of) {
                flat.push(of);
            }
        }
    }
    match flat.len() {
        _ if flat.contains(&Type::Any) => Type::Any,
        0 => Type::Nothing,
        1 => flat.remove(0),
        _ => Type::Either(flat),
    }
}

fn without_null(of: Type) -> Type {
    match of {
        Type::Either(types) => either(types.into_iter().filter(|of| *of != Type::Null).collect()),
        of => of,
    }
}

/// `list_items` → `ListItems`
pub(super) fn type_name(name: &str) -> String {
    let mut made = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        made.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        made.push_str(letters.as_str());
    }
    if made.is_empty() || made.starts_with(|c: char| c.is_ascii_digit()) {
        made.insert(0, 'T');
    }
    made
}
