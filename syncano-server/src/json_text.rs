//! Reads JSON whose whole numbers may be of any size, and says what it can't read.

use std::str;

use serde_json::{Error, Value};
use syncano_core::{Mismatch, limits, numbers};

use crate::errors::{ApiError, NO_FIELD, quoted};

/// Why a text can't be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is no JSON.
    Syntax(Error),
    /// It has more levels than anything here reads.
    Depth,
    /// It has a number that no float holds.
    Number(Mismatch),
}

impl Unreadable {
    /// The answer to the sender of such a text; `what` it is.
    pub(crate) fn refuse(self, what: &str) -> ApiError {
        match self {
            Unreadable::Syntax(error) => ApiError::bad_request(format!("{what} is not JSON: {error}")),
            Unreadable::Depth => {
                ApiError::bad_request(format!("{what} is not JSON that can be read: {}", too_deep()))
            }
            Unreadable::Number(mismatch) => by_field(vec![mismatch]),
        }
    }

    /// What is wrong with a result.
    pub(crate) fn mismatch(self, json: &[u8]) -> Mismatch {
        let reason = match self {
            Unreadable::Number(mismatch) => return mismatch,
            Unreadable::Depth => too_deep(),
            Unreadable::Syntax(error) => error.to_string(),
        };
        let problem = match str::from_utf8(json) {
            Ok(text) => format!("expected JSON, found `{}` ({reason})", quoted(text)),
            Err(_) => "expected JSON, found bytes that are no UTF-8 text".to_owned(),
        };
        Mismatch { pointer: String::new(), problem }
    }
}

/// What is wrong with a body, by its fields.
pub(crate) fn by_field(mismatches: Vec<Mismatch>) -> ApiError {
    let mut wrong = std::collections::BTreeMap::<_, Vec<_>>::new();
    for mismatch in mismatches {
        let field = mismatch.field().unwrap_or_else(|| NO_FIELD.to_owned());
        wrong.entry(field).or_default().push(mismatch.to_string());
    }
    ApiError::Fields(wrong)
}

/// Reads a value. Where it has a number that no float holds, a whole one stands there as another number.
pub(crate) fn read(json: &[u8]) -> Result<Value, Unreadable> {
    read_by(json, |json| serde_json::from_slice(json))
}

/// Reads a value in a way of one's own.
pub(crate) fn read_by(
    json: &[u8],
    parse: impl Fn(&[u8]) -> Result<Value, Error>,
) -> Result<Value, Unreadable> {
    parse(json).or_else(|error| {
        // serde_json tells its errors apart by their texts only.
        let problem = error.to_string();
        if problem.starts_with("recursion limit exceeded") {
            return Err(Unreadable::Depth);
        }
        match str::from_utf8(json).map(numbers::in_range) {
            Ok(Err(mismatch)) if problem.starts_with("number out of range") => {
                Err(Unreadable::Number(mismatch))
            }
            Ok(Ok(Some(text))) => parse(text.as_bytes()).map_err(Unreadable::Syntax),
            _ => Err(Unreadable::Syntax(error)),
        }
    })
}

/// Reads a value that is kept as one: it has no whole number of more than 64 bits.
pub(crate) fn read_stored(json: &[u8], what: &str) -> Result<Value, ApiError> {
    let value = read(json).map_err(|unreadable| unreadable.refuse(what))?;
    match str::from_utf8(json).map(numbers::beyond_64_bits) {
        Ok(lost) if !lost.is_empty() => Err(by_field(lost)),
        _ => Ok(value),
    }
}

fn too_deep() -> String {
    format!("objects and lists lie more than {} levels deep: use fewer", limits::JSON_LEVELS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_of_any_size_are_read() {
        let long = "7".repeat(1000);
        assert_eq!(read(format!("[{long}]").as_bytes()).unwrap(), json!([1e308]));
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(deep(127).as_bytes()).is_ok());
        assert!(matches!(read(deep(128).as_bytes()), Err(Unreadable::Depth)));
        assert!(matches!(read(b"[1e400]"), Err(Unreadable::Number(_))));
        for broken in
            [format!("[{long}"), "[1e400".to_owned(), "[1e400, }".to_owned(), "[x, 1e400]".to_owned()]
        {
            let read = read(broken.as_bytes());
            assert!(!matches!(read, Ok(_) | Err(Unreadable::Depth)), "{broken}: {read:?}");
        }
        assert!(matches!(read(b"[x, 1e400]"), Err(Unreadable::Syntax(_))));
    }

    #[test]
    fn what_is_stored_fits_into_64_bits() {
        assert!(read_stored(b"[18446744073709551615, 0.1]", "it").is_ok());
        let refused = read_stored(br#"{"config": {"id": 18446744073709551616}}"#, "it").unwrap_err();
        let ApiError::Fields(fields) = refused else { panic!("{refused:?}") };
        assert_eq!(
            fields["config"],
            ["at /config/id: the whole number `18446744073709551616` has more than 64 bits: send it as text"]
        );
    }
}
