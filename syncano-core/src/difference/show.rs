//! Differences as people and programs read them.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Change, Difference, ScriptChange, What};
use crate::{Incompatibility, Method};

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match (self.is_new, self.changes.is_empty()) {
            (true, _) => "is new",
            (false, true) => "stays as it is",
            (false, false) => "changes",
        };
        writeln!(f, "the socket `{}` {done}", self.socket)?;
        let mut shown: Option<&str> = None;
        for change in &self.changes {
            let sign = change.sign();
            match change.endpoint.as_deref() {
                None => writeln!(f, "  {sign} {change}")?,
                Some(_) if matches!(change.what, What::Added(_) | What::Removed(_)) => {
                    writeln!(f, "  {sign} {change}")?;
                }
                Some(endpoint) => {
                    if shown != Some(endpoint) {
                        writeln!(f, "  ~ endpoint `{endpoint}`")?;
                        shown = Some(endpoint);
                    }
                    writeln!(f, "      {sign} {}", Within(change))?;
                }
            }
        }
        Ok(())
    }
}

impl Change {
    fn sign(&self) -> char {
        match &self.what {
            _ if self.is_breaking() => '!',
            What::Added(_) | What::MethodAdded => '+',
            _ => '~',
        }
    }

    /// The word by which programs tell changes apart.
    fn word(&self) -> &'static str {
        match &self.what {
            What::Added(_) => "added",
            What::Removed(_) => "removed",
            What::MethodAdded => "method-added",
            What::MethodRemoved => "method-removed",
            What::Script(_) => "script",
            What::Private(_) => "private",
            What::Cache(_) => "cache",
            What::Timeout(_) => "timeout",
            What::ScriptConfig => "script-config",
            What::Arguments(_) => "arguments",
            What::Results(_) => "results",
            What::Errors(_) => "errors",
            What::Acl(_) => "acl",
            What::Metadata => "metadata",
            What::Description => "description",
            What::Config => "config",
            What::Dependency(_) => "dependency",
            What::Form => "form",
        }
    }
}

/// One line that names the endpoint.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.endpoint, &self.what) {
            (Some(endpoint), What::Added(methods) | What::Removed(methods)) => {
                let done = if matches!(self.what, What::Added(_)) { "added" } else { "removed" };
                write!(f, "endpoint `{endpoint}` ({}) is {done}", list_methods(methods))
            }
            (Some(endpoint), _) => write!(f, "endpoint `{endpoint}`: {}", Within(self)),
            (None, what) => write!(f, "{what}"),
        }
    }
}

/// A change as it stands under its endpoint.
struct Within<'a>(&'a Change);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Within(change) = self;
        if !change.methods.is_empty() {
            write!(f, "{}: ", list_methods(&change.methods))?;
        }
        write!(f, "{}", change.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Added(_) => f.write_str("added"),
            What::Removed(_) => f.write_str("removed"),
            What::MethodAdded => f.write_str("answered from now on"),
            What::MethodRemoved => f.write_str("answered no longer"),
            What::Script(change) => write!(f, "{change}"),
            What::Private(true) => f.write_str("private: callers without a key are refused"),
            What::Private(false) => f.write_str("not private any more: callers need no key"),
            What::Cache(None | Some(0)) => f.write_str("answers are not repeated any more"),
            What::Cache(Some(seconds)) => write!(f, "an answer may be repeated for {seconds} s"),
            What::Timeout(None) => f.write_str("the script's time is the server's default"),
            What::Timeout(Some(seconds)) => write!(f, "the script may take {seconds} s"),
            What::ScriptConfig => f.write_str("the script's configuration changes"),
            What::Arguments(fit) => {
                contract(f, "the arguments change", "what callers send today is refused", fit)
            }
            What::Results(fit) => {
                contract(f, "the results change", "callers don't expect what may come", fit)
            }
            What::Errors(fit) => {
                contract(f, "the errors change", "callers don't know what may be raised", fit)
            }
            What::Acl(true) => f.write_str("the acl permits less than before"),
            What::Acl(false) => f.write_str("the acl permits more than before"),
            What::Metadata => f.write_str("metadata changes"),
            What::Description => f.write_str("the description changes"),
            What::Config => f.write_str("the configuration changes"),
            What::Dependency(name) => write!(f, "the dependency `{name}` changes"),
            What::Form => {
                f.write_str("the definition's form changes, and nothing that callers or scripts see")
            }
        }
    }
}

fn contract(
    f: &mut fmt::Formatter<'_>,
    compatible: &str,
    breaking: &str,
    fit: &Result<(), Incompatibility>,
) -> fmt::Result {
    match fit {
        Ok(()) => write!(f, "{compatible}, and fit today's callers"),
        Err(misfit) => write!(f, "{compatible}, and {breaking}: {misfit}"),
    }
}

impl fmt::Display for ScriptChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScriptChange::Another { before, now } => write!(f, "{now} answers instead of {before}"),
            ScriptChange::Runtime { before, now } => {
                write!(f, "the script runs on {now} instead of {before}")
            }
            ScriptChange::Source { added: 0, removed: 0 } => f.write_str("the script's lines change places"),
            ScriptChange::Source { added, removed } => {
                write!(f, "the script changes (+{added} -{removed} lines)")
            }
        }
    }
}

/// The names of methods; `*` for all of them.
pub fn list_methods(methods: &[Method]) -> String {
    match methods.len() == Method::ALL.len() {
        true => "*".to_owned(),
        false => methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// `{"socket", "action", "breaking", "changes": [{"endpoint", "methods", "change", "breaking", "text", "at", "witness"}]}`
impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let action = match (self.is_new, self.changes.is_empty()) {
            (true, _) => "create",
            (false, false) => "update",
            (false, true) => "nothing",
        };
        let changes: Vec<_> = self.changes.iter().map(Change::to_json).collect();
        json!({"socket": self.socket, "action": action, "breaking": self.is_breaking(), "changes": changes})
            .serialize(serializer)
    }
}

impl Change {
    fn to_json(&self) -> Value {
        let methods = match &self.what {
            What::Added(methods) | What::Removed(methods) => methods,
            _ => &self.methods,
        };
        let mut object = json!({
            "endpoint": self.endpoint,
            "methods": methods,
            "change": self.word(),
            "breaking": self.is_breaking(),
            "text": self.to_string(),
        });
        if let Some(misfit) = self.incompatibility() {
            object["at"] = misfit.path.to_string().into();
            if let Some(witness) = &misfit.witness {
                object["witness"] = witness.clone();
            }
        }
        object
    }
}
