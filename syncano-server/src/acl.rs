//! Who may run an endpoint that has an `acl`, as `{"*": ["GET"]}`: managers, and applications by the methods that are
//! listed for everybody. What an `acl` says about users and groups permits nobody, since there are none.

use serde_json::{Map, Value};
use syncano_core::Method;

use crate::auth::Caller;

/// The part of an `acl` that is about everybody who has a key.
const EVERYBODY: &str = "*";

pub(crate) fn permits(acl: &Map<String, Value>, caller: &Caller, method: Method) -> bool {
    match caller {
        Caller::Manager(_) => true,
        Caller::ApiKey(api_key) if api_key.ignores_acl => true,
        Caller::ApiKey(_) => {
            let methods = acl.get(EVERYBODY).and_then(Value::as_array).into_iter().flatten();
            methods.filter_map(Value::as_str).any(|named| named == "*" || named == method.as_str())
        }
    }
}
