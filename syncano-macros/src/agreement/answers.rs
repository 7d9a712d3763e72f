//! The errors that a script raises and the objects that it returns, against types that the module defines itself.

use syn::{ReturnType, Type};
use syncano_core::closest;

use super::Pair;
use crate::errors::Errors;

impl Pair<'_> {
    /// Reports names of errors that the declared type doesn't have, and results without a field that theirs needs.
    pub(crate) fn answers(&self, errors: &mut Errors) {
        self.raised(errors);
        self.results(errors);
    }

    fn raised(&self, errors: &mut Errors) {
        let Some((ty, variants)) =
            self.error.and_then(|ty| Some((name(ty)?, self.shapes.variants(&name(ty)?)?)))
        else {
            return;
        };
        for raised in &self.reading.raised {
            if variants.contains(&raised.text) {
                continue;
            }
            let what = match closest(&raised.text, variants.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("add it to `{ty}`"),
            };
            let place = self.show(&raised.span, &format!("`{ty}` has no such variant"));
            errors.at(
                self.place(),
                format!(
                    "the script of endpoint `{}` raises `{}`, which `{ty}` doesn't have: {what}\n{place}",
                    self.endpoint, raised.text
                ),
            );
        }
    }

    fn results(&self, errors: &mut Errors) {
        let ReturnType::Type(_, ty) = self.output else { return };
        let Some((ty, fields)) = name(ty).and_then(|ty| Some((ty.clone(), self.shapes.needed(&ty)?))) else {
            return;
        };
        for result in self.reading.results.iter().filter(|result| !result.has_others) {
            let has = |field: &String| result.keys.iter().any(|key| key.text == *field);
            for field in fields.iter().filter(|field| !has(field)) {
                let others = result.keys.iter().filter(|key| !fields.contains(&key.text));
                let slip = others.clone().find(|key| closest(&key.text, [field.as_str()]).is_some());
                let (span, what) = match slip {
                    Some(key) => (&key.span, format!("did you mean `{field}` by `{}`?", key.text)),
                    None => (&result.span, "add it".to_owned()),
                };
                let place = self.show(span, &format!("no `{field}`"));
                errors.at(
                    self.place(),
                    format!(
                        "the script of endpoint `{}` returns no `{field}`, which `{ty}` needs: {what}\n{place}",
                        self.endpoint
                    ),
                );
            }
        }
    }
}

/// The name of a type that is one, without generics.
fn name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.get_ident().map(ToString::to_string)
}
