//! Passwords, hashed with argon2. It takes time and memory on purpose, so it runs beside the requests and few at a
//! time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::errors::ApiError;

/// Hashes at a time: each takes 19 MiB.
const AT_A_TIME: usize = 2;

/// A hash of nothing anyone knows. Comparing with it takes as long as comparing with an account's, so the time
/// of an answer doesn't tell which e-mail addresses have accounts.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$Z2qTPuNB2Ib6dS4ENf9bXbx2Lr8hTSG5DGZb6ZtFxqo";

/// Hashes and compares passwords.
pub(crate) struct Passwords {
    turn: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Passwords {
        Passwords { turn: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Hashes a password.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, ApiError> {
        self.beside(move || {
            Argon2::default()
                .hash_password(password.expose_secret().as_bytes())
                .map(|hash| hash.to_string())
                .map_err(ApiError::internal)
        })
        .await?
    }

    /// Whether this is the password. `None` for the hash takes as long and says no.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, ApiError> {
        self.beside(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
            let hash = PasswordHash::new(&hash).map_err(ApiError::internal)?;
            let equal = Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok();
            Ok(known && equal)
        })
        .await?
    }

    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        // The semaphore is never closed.
        let turn = self.turn.clone().acquire_owned().await.map_err(ApiError::internal)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        })
        .await
        .map_err(ApiError::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_an_account_is_right() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(!hash.contains("correct"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
    }
}
