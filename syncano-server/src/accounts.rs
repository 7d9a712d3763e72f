//! Accounts: how they look on the wire, and the first one.

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::errors::ApiError;
use crate::store::accounts::{self, AccountRow, NewAccount};
use crate::store::state;

/// The e-mail address of the account that the first start makes when nobody names one.
pub(crate) const FIRST_EMAIL: &str = "admin@localhost";
/// Characters of an e-mail address.
const LONGEST_EMAIL: usize = 254;

/// The normal form of an e-mail address, or what is wrong with it. Whether it can be reached is not checked.
pub(crate) fn normalize_email(text: &str) -> Result<String, &'static str> {
    let email = text.trim().to_lowercase();
    let bad = |c: char| c.is_whitespace() || c.is_control();
    match email.split_once('@') {
        _ if email.len() > LONGEST_EMAIL => Err("the e-mail address is too long"),
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => {
            if email.contains(bad) { Err("an e-mail address has no spaces") } else { Ok(email) }
        }
        _ => Err("this is no e-mail address: write name@host"),
    }
}

/// An account as it is answered, without its key.
pub(crate) fn object(row: &AccountRow) -> Value {
    json!({
        "id": row.id,
        "email": row.email,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "is_active": row.active,
        "has_password": row.password_hash.is_some(),
        "metadata": stored_object(&row.metadata),
    })
}

/// An object from a column that only ever gets objects.
pub(crate) fn stored_object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The account that the operator uses.
pub(crate) struct Admin {
    pub(crate) key: SecretString,
    /// It was made just now, and nobody knows its key yet.
    pub(crate) made: bool,
}

/// Finds or makes the operator's account: the configured one, else the oldest, else a first one with a key only.
pub(crate) async fn admin(app: &App, configured: Option<(&str, &SecretString)>) -> Result<Admin, ApiError> {
    let found = match configured {
        Some((email, _)) => accounts::by_email(&app.store.db, email).await?,
        None => accounts::all(&app.store.db).await?.into_iter().next(),
    };
    let (row, made) = match found {
        Some(row) => (row, false),
        None => (make(app, configured).await?, true),
    };
    Ok(Admin { key: app.key_of(row.id, row.key_generation), made })
}

async fn make(app: &App, configured: Option<(&str, &SecretString)>) -> Result<AccountRow, ApiError> {
    let mut new = NewAccount { email: FIRST_EMAIL.to_owned(), ..NewAccount::default() };
    if let Some((email, password)) = configured {
        new.email = email.to_owned();
        new.password_hash = Some(app.passwords.hash(password.clone()).await?);
    }
    let write = app.store.write().await?;
    let row = accounts::insert(&write.tx, new).await?;
    let change = state::changed(&write.tx).await?;
    write.commit().await?;
    app.seen.saw(change);
    app.catalog.put_account(&row, &app.keys);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(normalize_email(" Ann@Example.ORG "), Ok("ann@example.org".to_owned()));
        for bad in ["", "ann", "@", "ann@", "@host", "a@b@c", "a b@c"] {
            assert!(normalize_email(bad).is_err(), "{bad}");
        }
    }
}
