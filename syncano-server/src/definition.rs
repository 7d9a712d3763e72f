//! A definition and its update: what the body of a change says, and what it leaves as it was.

use serde_json::{Map, Value};
use syncano_core::{Severity, Socket, Violation, normalize};

/// The fields of a definition that a change doesn't set.
const FIXED: [&str; 1] = ["name"];

/// Reads the definition of a new socket.
pub(crate) fn new(body: &Value) -> Result<Socket, Vec<Violation>> {
    let mut socket = Socket::from_json(body)?;
    socket.name = normalize(&socket.name);
    // Nothing was there before; what says that it removes something, does so all the same.
    socket.inherit(&Socket::default());
    Ok(socket)
}

/// Applies a change to a stored definition: a field that is absent stays as it is, and a field that is there inherits
/// the keys that old clients don't send back.
pub(crate) fn changed(stored: Value, body: &Map<String, Value>) -> Result<Socket, Vec<Violation>> {
    // One that can't be read any more has to be made anew: what it kept private must not be lost on the way.
    let before = Socket::from_json(&stored)?;
    let mut merged = match stored {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    // Everything else is either ignored or a slip.
    merged.extend(
        body.iter()
            .filter(|(field, _)| !FIXED.contains(&field.as_str()))
            .map(|(field, value)| (field.clone(), value.clone())),
    );
    let mut socket = Socket::from_json(&Value::Object(merged))?;
    socket.inherit(&before);
    let broken: Vec<_> =
        socket.validate().into_iter().filter(|v| v.kind.severity() == Severity::Shape).collect();
    if broken.is_empty() { Ok(socket) } else { Err(broken) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored() -> Value {
        json!({
            "name": "s",
            "description": "first",
            "metadata": {"network": {"hosts": []}, "icon": "i"},
            "endpoints": {"e": {
                "calls": [{"type": "script", "name": "a", "methods": ["GET"], "private": true, "timeout": 5}],
                "metadata": {"GET": {"inputs": {"type": "object"}}, "title": "t"},
            }},
            "dependencies": [{
                "type": "script", "name": "a", "runtime_name": "python3", "source": "1", "config": {"x": 1},
            }],
        })
    }

    fn after(body: Value) -> Value {
        json!(changed(stored(), body.as_object().unwrap()).unwrap())
    }

    #[test]
    fn absent_fields_stay_and_the_name_is_not_changed() {
        let after = after(json!({"name": "other", "description": "second", "unknown": 1}));
        assert_eq!((&after["name"], &after["description"]), (&json!("s"), &json!("second")));
        assert_eq!(after["endpoints"], json!(Socket::from_json(&stored()).unwrap())["endpoints"]);
    }

    #[test]
    fn keys_that_old_clients_drop_stay_while_the_call_is_there() {
        let call = json!([{"type": "script", "name": "a", "methods": ["GET", "POST"]}]);
        let after = after(json!({
            "metadata": "{}",
            "endpoints": json!({"E": {"calls": call}, "f": {"calls": call}}).to_string(),
            "dependencies": [{"type": "script", "name": "a", "runtime_name": "python3", "source": "2"}],
        }));
        assert_eq!(after["metadata"], json!({"network": {"hosts": []}}));
        assert_eq!(after["endpoints"]["E"]["calls"][0]["private"], json!(true));
        assert_eq!(after["endpoints"]["E"]["calls"][0]["timeout"], json!(5.0));
        assert_eq!(after["endpoints"]["E"]["metadata"], json!({"GET": {"inputs": {"type": "object"}}}));
        assert_eq!(after["endpoints"]["f"]["calls"][0].get("private"), None);
        assert_eq!(after["endpoints"]["f"]["metadata"], json!({}));
        assert_eq!(after["dependencies"][0]["config"], json!({"x": 1}));
        assert_eq!(after["dependencies"][0]["source"], json!("2"));
    }

    #[test]
    fn what_is_said_wins_over_what_was() {
        let after = after(json!({
            "metadata": {"network": null},
            "endpoints": {"e": {
                "calls": [{"type": "script", "name": "a", "methods": ["GET"], "private": false}],
                "metadata": {"GET": {"inputs": null}},
            }},
        }));
        assert_eq!(after["metadata"], json!({}));
        assert_eq!(after["endpoints"]["e"]["calls"][0]["private"], json!(false));
        assert_eq!(after["endpoints"]["e"]["metadata"], json!({"GET": {}}));
    }

    #[test]
    fn the_call_of_another_script_is_another_call() {
        let after = after(json!({"endpoints": {"e": {"calls": [
            {"type": "script", "name": "b", "methods": ["GET"]},
        ]}}}));
        assert_eq!(after["endpoints"]["e"]["calls"][0].get("private"), None);
        assert_eq!(after["endpoints"]["e"]["metadata"], json!({}));
    }
}
