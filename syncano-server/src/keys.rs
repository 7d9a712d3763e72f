//! Keys. None is stored: a key follows from the server's secret, whose it is, and how often it was reset.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// 160 bits: the 40 hexadecimal digits of a key.
pub(crate) type KeyBytes = [u8; 20];

/// Bytes of a public link that say what it leads to: a trillion numbers.
const LINK_ID: usize = 5;
/// How long a token is good.
const TOKEN_SECONDS: i64 = 600;
/// Bytes of the digest in a token: 128 bits.
const TOKEN_DIGEST: usize = 16;

/// Makes keys from the server's secret.
pub(crate) struct KeyMaker {
    secret: SecretString,
}

impl KeyMaker {
    pub(crate) fn new(secret: SecretString) -> KeyMaker {
        KeyMaker { secret }
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(self.secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(message.as_bytes());
        mac
    }

    fn digest(&self, message: &str) -> [u8; 32] {
        self.mac(message).finalize().into_bytes().into()
    }

    fn key(&self, kind: &str, id: i64, generation: i64) -> KeyBytes {
        let mut key = KeyBytes::default();
        key.copy_from_slice(&self.digest(&format!("{kind}:{id}:{generation}"))[..20]);
        key
    }

    /// The key of an account. Its last digit is even, which tells it from an API key.
    pub(crate) fn account(&self, id: i64, generation: i64) -> KeyBytes {
        let mut key = self.key("account", id, generation);
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

    /// An API key of an instance. Its last digit is odd.
    pub(crate) fn api_key(&self, id: i64, generation: i64) -> KeyBytes {
        let mut key = self.key("api_key", id, generation);
        key[19] |= 1;
        key
    }

    /// A token by which a script acts as the owner of its instance, for [`TOKEN_SECONDS`] from `now`, which is in
    /// microseconds since 1970.
    ///
    /// It is `instance:expiry:digest` and can't be taken for a key: no part has 40 digits.
    pub(crate) fn token(&self, instance: i64, now: i64) -> SecretString {
        let expiry = now / 1_000_000 + TOKEN_SECONDS;
        let digest = self.digest(&token_message(instance, expiry));
        format!("{instance}:{expiry}:{}", hex(&digest[..TOKEN_DIGEST])).into()
    }

    /// The instance that a token is for, if it is one and still good.
    pub(crate) fn instance_of(&self, token: &str, now: i64) -> Option<i64> {
        let mut parts = token.split(':');
        let (instance, expiry, digest) = (parts.next()?, parts.next()?, parts.next()?);
        let (instance, expiry) = (instance.parse().ok()?, expiry.parse().ok()?);
        let digest: [u8; TOKEN_DIGEST] = unhex(digest)?;
        let good = self.mac(&token_message(instance, expiry)).verify_truncated_left(&digest).is_ok();
        (good && parts.next().is_none() && now / 1_000_000 < expiry).then_some(instance)
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
pub(crate) fn written(key: KeyBytes) -> SecretString {
    hex(&key).into()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn token_message(instance: i64, expiry: i64) -> String {
    format!("token:{instance}:{expiry}")
}

/// Reads 40 hexadecimal digits.
pub(crate) fn parse(text: &str) -> Option<KeyBytes> {
    unhex(text)
}

fn unhex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
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

    #[test]
    fn an_api_key_ends_in_an_odd_digit_and_is_no_accounts() {
        let keys = KeyMaker::new("a".into());
        for id in 0..50 {
            let text = hex(&keys.api_key(id, 0));
            assert!(text.len() == 40 && text.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']), "{text}");
            assert_ne!(keys.api_key(id, 0)[..19], keys.account(id, 0)[..19]);
            assert_ne!(keys.api_key(id, 0), keys.api_key(id, 1));
        }
    }

    #[test]
    fn a_token_is_good_for_its_instance_and_its_time() {
        const NOW: i64 = 1_471_346_659_000_001;
        const SECOND: i64 = 1_000_000;
        let keys = KeyMaker::new("a".into());
        let token = keys.token(7, NOW);
        let token = token.expose_secret();
        assert!(token.split(|c: char| !c.is_ascii_hexdigit()).all(|run| run.len() < 40), "{token}");
        for (later, instance) in [(0, Some(7)), (599 * SECOND, Some(7)), (600 * SECOND, None)] {
            assert_eq!(keys.instance_of(token, NOW + later), instance);
        }
        assert_eq!(KeyMaker::new("b".into()).instance_of(token, NOW), None);
        // Another instance, another time, a cut digest, something behind it.
        let [instance, expiry, digest] = token.split(':').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let later = expiry.parse::<i64>().unwrap() + 1;
        for bad in [
            format!("8:{expiry}:{digest}"),
            format!("{instance}:{later}:{digest}"),
            format!("{instance}:{expiry}:{}", &digest[1..]),
            format!("{instance}:{expiry}:"),
            format!("{token}:"),
            format!("{token}0"),
            String::new(),
            "::".to_owned(),
        ] {
            assert_eq!(keys.instance_of(&bad, NOW), None, "{bad}");
        }
    }
}
