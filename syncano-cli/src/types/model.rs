//! What both languages say: functions, and the types that they name.

use std::collections::BTreeMap;

use serde_json::Value;
use syncano_core::{Call, Method, Methods, Socket, published_schema};

use super::equal;
use super::reader::Reader;

/// The types of all functions.
#[derive(Default)]
pub(super) struct Model {
    pub(super) functions: Vec<Function>,
    /// By name; a name may be used before it stands in the file.
    pub(super) declarations: BTreeMap<String, Declaration>,
    /// The errors that the functions declare, by the name that a script gives to `AppError`.
    pub(super) errors: BTreeMap<String, Raised>,
    /// Whether a script may raise an error of another name: a function declares none, or its schema leaves the names open.
    pub(super) has_open_errors: bool,
}

/// The data of an error that a script raises.
pub(super) struct Raised {
    pub(super) data: Type,
    /// Whether the error can't be raised without data.
    pub(super) needs_data: bool,
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
#[derive(Debug, Clone)]
pub(super) enum Declaration {
    Object(Vec<Field>),
    Alias(Type),
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) of: Type,
    pub(super) required: bool,
}

#[derive(Debug, Clone, PartialEq)]
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
        let mut declared = Vec::new();
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
                        for mut field in Reader::new(&mut declared, inputs).fields(inputs, &name) {
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
                        function.result = Reader::new(&mut declared, outputs).read(outputs, &title);
                    }
                    match schema("errors") {
                        Some((_, errors)) => {
                            let mut reader = Reader::new(&mut declared, errors);
                            let (errors, is_open) = reader.errors(&format!("{name}Failure"));
                            model.has_open_errors |= is_open;
                            for (name, raised) in errors {
                                model.add_error(name, raised);
                            }
                        }
                        None => model.has_open_errors = true,
                    }
                    model.functions.push(function);
                }
            }
        }
        equal::give_names(&mut model, declared);
        model
    }

    /// Several functions may declare an error of the same name: a script may raise any of them.
    fn add_error(&mut self, name: String, raised: Raised) {
        let known = self.errors.remove(&name);
        let both = match known {
            Some(known) => Raised {
                data: either(vec![known.data, raised.data]),
                needs_data: known.needs_data && raised.needs_data,
            },
            None => raised,
        };
        self.errors.insert(name, both);
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

/// One of several types.
pub(super) fn either(types: Vec<Type>) -> Type {
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

/// The type without `null`.
pub(super) fn without_null(of: Type) -> Type {
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
