//! Secrets and personal data at rest.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// Seals values with AES-256-GCM and finds them again by keyed hash.
///
/// Configured with one or more keys as `id:base64` separated by commas. The first seals; the others
/// only open what they sealed, so a key is rotated by putting a new one in front. The keyed hash
/// stays with the *last* key, because hashes already stored must keep matching.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    /// Newest first, never empty.
    sealing: Vec<(String, RandomizedNonceKey)>,
    hashing: hmac::Key,
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("an encryption key must be written as `id:base64 of 32 bytes`")]
    MalformedKey,
    #[error("the value was sealed with a key that is not configured: {0}")]
    MissingKey(String),
    #[error("the value is not one that this vault sealed for this purpose")]
    Unreadable,
}

const NONCE_LEN: usize = 12;

impl Vault {
    pub fn new(keys: &SecretString) -> Result<Self, VaultError> {
        let mut sealing = Vec::new();
        let mut last_bytes = Vec::new();
        for key in keys.expose_secret().split(',') {
            let (id, encoded) = key.trim().split_once(':').ok_or(VaultError::MalformedKey)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| VaultError::MalformedKey)?;
            if id.is_empty() || id.contains('.') {
                return Err(VaultError::MalformedKey);
            }
            let cipher =
                RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::MalformedKey)?;
            sealing.push((id.to_owned(), cipher));
            last_bytes = bytes;
        }
        // A key of its own for hashing, derived so that there is one secret less to configure.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &last_bytes), b"dangol keyed hash");
        Ok(Self(Arc::new(Keys { sealing, hashing: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) })))
    }

    /// Seals a value for one purpose, such as `billing.payment_method:bk_0199…`. What was sealed for
    /// one purpose does not open for another, so values cannot be swapped between rows.
    ///
    /// The result reads `key id.base64(nonce ‖ ciphertext ‖ tag)`.
    pub fn seal(&self, purpose: &str, value: &SecretString) -> String {
        let (id, cipher) = &self.0.sealing[0];
        let mut sealed = value.expose_secret().as_bytes().to_vec();
        let nonce = cipher
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut sealed)
            .expect("AES-GCM seals anything shorter than 64 GiB");
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        format!("{id}.{}", STANDARD.encode(bytes))
    }

    pub fn open(&self, purpose: &str, sealed: &str) -> Result<SecretString, VaultError> {
        let (id, encoded) = sealed.split_once('.').ok_or(VaultError::Unreadable)?;
        let (_, cipher) = self
            .0
            .sealing
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| VaultError::MissingKey(id.to_owned()))?;
        let mut bytes = STANDARD.decode(encoded).map_err(|_| VaultError::Unreadable)?;
        if bytes.len() < NONCE_LEN {
            return Err(VaultError::Unreadable);
        }
        let mut ciphertext = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| VaultError::Unreadable)?;
        let plain = cipher
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut ciphertext)
            .map_err(|_| VaultError::Unreadable)?;
        std::str::from_utf8(plain).map(SecretString::from).map_err(|_| VaultError::Unreadable)
    }

    /// A keyed hash, to store beside a sealed value that must be found by equality.
    pub fn keyed_hash(&self, value: &SecretString) -> Vec<u8> {
        hmac::sign(&self.0.hashing, value.expose_secret().as_bytes()).as_ref().to_vec()
    }
}

/// SHA-256. Comparing digests instead of secrets gives nothing away by how long it takes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut array = [0; 32];
    array.copy_from_slice(digest.as_ref());
    array
}

/// SHA-256 of what comes in pieces.
pub struct Digest(aws_lc_rs::digest::Context);

impl Default for Digest {
    fn default() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }
}

impl Digest {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        let mut array = [0; 32];
        array.copy_from_slice(self.0.finish().as_ref());
        array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, byte: u8) -> String {
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    fn vault(keys: &[String]) -> Vault {
        Vault::new(&keys.join(",").into()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_purpose_only() {
        let vault = vault(&[key("a", 1)]);
        let sealed = vault.seal("card:1", &"빌링키".into());
        assert!(!sealed.contains("빌링키"));
        assert_eq!(vault.open("card:1", &sealed).unwrap().expose_secret(), "빌링키");
        assert!(matches!(vault.open("card:2", &sealed), Err(VaultError::Unreadable)));
    }

    #[test]
    fn a_new_key_in_front_still_opens_and_finds_what_the_old_one_sealed() {
        let (old, new) = (key("a", 1), key("b", 2));
        let before = vault(std::slice::from_ref(&old));
        let sealed = before.seal("x", &"secret".into());
        let after = vault(&[new.clone(), old]);
        assert_eq!(after.open("x", &sealed).unwrap().expose_secret(), "secret");
        assert_eq!(after.keyed_hash(&"secret".into()), before.keyed_hash(&"secret".into()));
        assert!(after.seal("x", &"secret".into()).starts_with("b."));
        assert!(matches!(vault(&[new]).open("x", &sealed), Err(VaultError::MissingKey(id)) if id == "a"));
    }

    #[test]
    fn a_damaged_value_or_key_is_an_error_and_never_a_panic() {
        let vault = vault(&[key("a", 1)]);
        for sealed in ["", "a", "a.", "a.AAAA", "a.####", "a.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(vault.open("x", sealed).is_err(), "{sealed}");
        }
        for keys in ["", "a", "a:", "a:AAAA", ":AAAA", "a:b:c"] {
            assert!(Vault::new(&keys.into()).is_err(), "{keys}");
        }
    }
}
