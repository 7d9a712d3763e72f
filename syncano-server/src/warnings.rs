//! What the server notes about a definition that it installs all the same: keys that nothing reads, and what a
//! `socket.yml` asks for that this server doesn't have.

use serde_json::{Map, Value};
use syncano_core::{Violation, ignored_keys};

/// How many warnings of a socket are kept. Strangers decide how many there would be.
const MOST: usize = 20;
/// Characters of one warning.
const LONGEST: usize = 300;

/// Returns the warnings about the body that creates a socket.
pub(crate) fn of(body: &Value) -> String {
    written(ignored_keys(body).iter().map(Violation::to_string))
}

/// Returns the warnings about a socket after a change: those about a field of the definition stay until the field is
/// sent anew.
pub(crate) fn after(before: &str, body: &Map<String, Value>) -> String {
    let stays = |warning: &String| {
        let place = |field: &str| {
            let rest = warning.strip_prefix("at /").and_then(|rest| rest.strip_prefix(field));
            rest.is_some_and(|rest| rest.starts_with(['/', ':']))
        };
        ["endpoints", "dependencies"].into_iter().any(|field| place(field) && !body.contains_key(field))
    };
    let kept = read(before).into_iter().filter(stays);
    let new = ignored_keys(&Value::Object(body.clone()));
    written(kept.chain(new.iter().map(Violation::to_string)))
}

/// Returns the warnings as they are stored.
pub(crate) fn written(warnings: impl IntoIterator<Item = String>) -> String {
    let mut all = warnings.into_iter();
    let mut kept: Vec<String> = all.by_ref().take(MOST).map(shortened).collect();
    match all.count() {
        0 => {}
        more => kept.push(format!("{more} more warnings")),
    }
    serde_json::to_string(&kept).expect("texts are written to memory")
}

/// Returns stored warnings.
pub(crate) fn read(stored: &str) -> Vec<String> {
    serde_json::from_str(stored).unwrap_or_default()
}

fn shortened(mut warning: String) -> String {
    if let Some((end, _)) = warning.char_indices().nth(LONGEST) {
        warning.truncate(end);
        warning.push('…');
    }
    warning
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_warning_stays_until_its_field_is_sent_anew() {
        let body = json!({ "name": "s", "colour": 1, "endpoints": { "e": { "label": 1 } }, "dependencies": [{ "label": 1 }] });
        let first = of(&body);
        assert_eq!(read(&first).len(), 3);
        let change = |body: Value| read(&after(&first, body.as_object().unwrap()));
        let kept = change(json!({ "description": "d" }));
        assert!(kept.len() == 2 && kept[0].starts_with("at /endpoints/e/label: "), "{kept:?}");
        let changed = change(json!({ "endpoints": { "e": { "size": 1 } } }));
        assert!(changed[0].starts_with("at /dependencies/0/label: "), "{changed:?}");
        assert!(changed[1].starts_with("at /endpoints/e/size: ") && changed.len() == 2, "{changed:?}");
    }

    #[test]
    fn strangers_do_not_decide_how_much_is_kept() {
        let keys: Map<String, Value> =
            (0..50).map(|n| (format!("{n}{}", "x".repeat(999)), json!(1))).collect();
        let kept = read(&of(&Value::Object(keys)));
        assert_eq!((kept.len(), kept[20].as_str()), (21, "30 more warnings"));
        assert!(kept[0].chars().count() == LONGEST + 1);
    }
}
