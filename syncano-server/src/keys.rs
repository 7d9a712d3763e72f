//! Keys. None is stored: a key follows from the server's secret, whose it is, and how often it was reset.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// 160 bits: the 40 hexadecimal digits of a key.
pub(crate) type KeyBytes = [u8; 20];

/// Bytes of a public link that say what it leads to: a trillion numbers.
const LINK_ID: usize = 5;

/// Makes keys from the server's secret.
pub(crate) struct KeyMaker {
    secret: SecretString,
}

impl KeyMaker {
    pub(crate) fn new(secret: SecretString) -> KeyMaker {
        KeyMaker { secret }
    }

    fn digest(&self, message: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(message.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The key of an account. Its last digit is even, which tells it from the key of an instance.
    pub(crate) fn account(&self, id: i64, generation: i64) -> KeyBytes {
        let mut key = KeyBytes::default();
        key.copy_from_slice(&self.digest(&format!("account:{id}:{generation}"))[..20]);
        key[19] &= !1;
        key
    }

    /// The public link of a script endpoint. It begins with the number of what it leads to, so that this is found without
    /// a search; the rest is what nobody can guess.
    pub(crate) fn public_link(&self, id: i64, generation: i64) -> KeyBytes {
        let mut link = KeyBytes::default();
        link[..LINK_ID].copy_from_slice(&id.to_be_bytes()[8 - LINK_ID..]);
        let digest = self.digest(&format!("link:{id}:{generation}"));
        link[LINK_ID..].copy_from_slice(&digest[..20 - LINK_ID]);
        link
    }

    /// Whether it is the link of this script endpoint. Takes as long for every other link.
    pub(crate) fn is_public_link(&self, link: &KeyBytes, id: i64, generation: i64) -> bool {
        let right = self.public_link(id, generation);
        right.iter().zip(link).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }

    /// Recognises the secret without telling it.
    pub(crate) fn fingerprint(&self) -> String {
        hex(&self.digest("fingerprint")[..16])
    }
}

/// The number of the script endpoint that a public link leads to, if it is one.
pub(crate) fn linked(link: &KeyBytes) -> i64 {
    link[..LINK_ID].iter().fold(0, |id, byte| id << 8 | i64::from(*byte))
}

/// A key as it is written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads 40 hexadecimal digits.
pub(crate) fn parse(text: &str) -> Option<KeyBytes> {
    let digits = text.as_bytes();
    if digits.len() != 40 {
        return None;
    }
    let mut key = KeyBytes::default();
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_from_secret_account_and_generation() {
        let keys = KeyMaker::new("a".into());
        assert_eq!(keys.account(1, 0), keys.account(1, 0));
        for other in [keys.account(2, 0), keys.account(1, 1), KeyMaker::new("b".into()).account(1, 0)] {
            assert_ne!(keys.account(1, 0), other);
        }
    }

    #[test]
    fn an_account_key_ends_in_an_even_digit_and_can_be_read_back() {
        for id in 0..50 {
            let key = KeyMaker::new("a".into()).account(id, 3);
            let text = hex(&key);
            assert!(text.len() == 40 && text.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']), "{text}");
            assert_eq!(parse(&text), Some(key));
        }
        for bad in ["", "undefined", &"g".repeat(40), &"a".repeat(41), &"é".repeat(20)] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
