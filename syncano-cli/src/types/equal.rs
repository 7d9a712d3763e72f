//! Gives each type its name. Equal types of several documents are one.

use std::collections::{HashMap, HashSet};

use super::model::{Declaration, Field, Model, Type};

/// A type as one document declares it. Until all are known, types name each other by their numbers.
pub(super) struct Declared {
    /// The name in the document.
    pub(super) wanted: String,
    pub(super) declaration: Declaration,
}

/// Puts the types into the model, and the final names into all that refers to them.
pub(super) fn give_names(model: &mut Model, declared: Vec<Declared>) {
    let classes = classes(&declared);
    let (mut names, mut taken) = (Vec::<String>::new(), HashSet::new());
    for (number, Declared { wanted, .. }) in declared.iter().enumerate() {
        // The first of several that are equal is the one that is written.
        let name = match names.get(classes[number]) {
            Some(name) => name.clone(),
            None => free(&mut taken, wanted),
        };
        names.push(name);
    }
    let name_of = |number: &str| {
        let name = number.parse().ok().and_then(|number: usize| names.get(number));
        name.cloned().unwrap_or_else(|| number.to_owned())
    };
    for (number, Declared { declaration, .. }) in declared.iter().enumerate() {
        if classes[number] == number {
            model.declarations.insert(names[number].clone(), renamed(declaration, &name_of));
        }
    }
    for function in &mut model.functions {
        function.arguments = fields(&function.arguments, &name_of);
        function.result = of(&function.result, &name_of);
    }
    for raised in model.errors.values_mut() {
        raised.data = of(&raised.data, &name_of);
    }
}

/// For each type the number of the first one that is equal to it.
///
/// Types may refer to themselves, so this begins with all that have the same name, and parts those that differ until nothing
/// changes any more.
fn classes(declared: &[Declared]) -> Vec<usize> {
    let mut classes = first_of_each(declared.iter().map(|declared| declared.wanted.clone()));
    loop {
        let class_of = |number: &str| match number.parse::<usize>() {
            Ok(number) => classes[number].to_string(),
            Err(_) => number.to_owned(),
        };
        let parted = first_of_each(declared.iter().enumerate().map(|(number, declared)| {
            format!("{} {:?}", classes[number], renamed(&declared.declaration, &class_of))
        }));
        if parted == classes {
            return classes;
        }
        classes = parted;
    }
}

/// For each text the place of the first one like it.
fn first_of_each(texts: impl Iterator<Item = String>) -> Vec<usize> {
    let mut first = HashMap::new();
    texts.enumerate().map(|(number, text)| *first.entry(text).or_insert(number)).collect()
}

fn renamed(declaration: &Declaration, name_of: &impl Fn(&str) -> String) -> Declaration {
    match declaration {
        Declaration::Object(of) => Declaration::Object(fields(of, name_of)),
        Declaration::Alias(alias) => Declaration::Alias(of(alias, name_of)),
    }
}

fn fields(fields: &[Field], name_of: &impl Fn(&str) -> String) -> Vec<Field> {
    fields.iter().map(|field| Field { of: of(&field.of, name_of), ..field.clone() }).collect()
}

fn of(type_: &Type, name_of: &impl Fn(&str) -> String) -> Type {
    match type_ {
        Type::Named(name) => Type::Named(name_of(name)),
        Type::List(item) => Type::List(of(item, name_of).into()),
        Type::Map(value) => Type::Map(of(value, name_of).into()),
        Type::Either(types) => {
            let mut each: Vec<Type> = Vec::new();
            for type_ in types {
                let type_ = of(type_, name_of);
                if !each.contains(&type_) {
                    each.push(type_);
                }
            }
            // Several may have become the same.
            if each.len() == 1 { each.remove(0) } else { Type::Either(each) }
        }
        other => other.clone(),
    }
}

/// The name, or one like it that no other type has.
fn free(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while is_reserved(&name) || !taken.insert(name.clone()) {
        name = format!("{wanted}{number}");
        number += 1;
    }
    name
}

/// Names that mean something else in one of the languages, or that functions have got.
fn is_reserved(name: &str) -> bool {
    // Exceptions of Python, classes of JavaScript, and names of ours.
    const ENDS: [&str; 6] = ["Error", "Exception", "Warning", "Args", "Main", "Result"];
    const WORDS: [&str; 19] = [
        "Any",
        "AppErrors",
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
