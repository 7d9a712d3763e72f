//! What commands read from the environment.

use std::env;

use anyhow::bail;

/// What keys are made with.
pub(crate) const SECRET: &str = "SYNCANO_SECRET";

/// The account key of commands that speak to a server.
pub(crate) const KEY: &str = "SYNCANO_KEY";

/// An environment variable; empty is unset.
pub(crate) fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        // Not the value: it may be a secret.
        Err(env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}
