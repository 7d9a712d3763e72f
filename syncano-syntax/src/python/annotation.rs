//! Annotations: the kinds of JSON values that the simple ones name.

use ruff_python_ast::{Expr, Operator};

use super::kind::{Kind, Kinds};
use super::names::Names;

/// `None` if there is anything in it that isn't known here.
pub(super) fn kinds(annotation: &Expr, names: &Names) -> Option<Kinds> {
    let mut kinds = Vec::new();
    collect(annotation, names, &mut kinds)?;
    kinds.dedup();
    Some(Kinds(kinds))
}

fn collect(annotation: &Expr, names: &Names, kinds: &mut Vec<Kind>) -> Option<()> {
    match annotation {
        Expr::NoneLiteral(_) => kinds.push(Kind::None),
        Expr::Name(name) => kinds.push(named(&name.id, names)?),
        Expr::BinOp(either) if either.op == Operator::BitOr => {
            collect(&either.left, names, kinds)?;
            collect(&either.right, names, kinds)?;
        }
        Expr::Subscript(generic) => {
            let inner = |kinds: &mut Vec<Kind>| match &*generic.slice {
                Expr::Tuple(tuple) => {
                    tuple.elts.iter().try_for_each(|element| collect(element, names, kinds))
                }
                element => collect(element, names, kinds),
            };
            match of_typing(&generic.value, names) {
                Some("Optional") => {
                    inner(kinds)?;
                    kinds.push(Kind::None);
                }
                Some("Union") => inner(kinds)?,
                // What a list holds isn't looked at.
                Some("List") => kinds.push(Kind::List),
                Some("Dict") => kinds.push(Kind::Dict),
                _ => match named(&generic.value.as_name_expr()?.id, names)? {
                    kind @ (Kind::List | Kind::Dict) => kinds.push(kind),
                    _ => return None,
                },
            }
        }
        annotation => match of_typing(annotation, names)? {
            "List" => kinds.push(Kind::List),
            "Dict" => kinds.push(Kind::Dict),
            _ => return None,
        },
    }
    Some(())
}

fn named(name: &str, names: &Names) -> Option<Kind> {
    match name {
        "List" if names.is_of_typing(name) => Some(Kind::List),
        "Dict" if names.is_of_typing(name) => Some(Kind::Dict),
        _ if names.times_bound(name) == 0 => Kind::ALL.into_iter().find(|kind| kind.name() == name),
        _ => None,
    }
}

/// The name in `typing` that an expression stands for.
fn of_typing<'a>(expr: &'a Expr, names: &Names) -> Option<&'a str> {
    match expr {
        Expr::Name(name) => names.is_of_typing(&name.id).then_some(name.id.as_str()),
        Expr::Attribute(attribute) => {
            let module = attribute.value.as_name_expr()?;
            (module.id.as_str() == "typing" && names.times_bound("typing") == 1)
                .then_some(attribute.attr.as_str())
        }
        _ => None,
    }
}
