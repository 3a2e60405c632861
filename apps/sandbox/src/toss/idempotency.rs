//! `Idempotency-Key`: the first answer is kept for fifteen days and given again.

use aws_lc_rs::digest;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::answer::Answer;

pub(crate) const MAX_KEY_LENGTH: usize = 300;
const VALIDITY: TimeDelta = TimeDelta::days(15);

/// What an idempotency key is matched with: the secret key, the method and the path, but **not** the
/// body (measured). Hashed, because two of the parts are secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot([u8; 32]);

impl Slot {
    pub(crate) fn new(secret_key: &str, method: &str, path: &str, key: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [secret_key, method, path, key] {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut slot = [0; 32];
        slot.copy_from_slice(context.finish().as_ref());
        Self(slot)
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut slot = [0; 32];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut slot).map_err(de::Error::custom)?;
        Ok(Self(slot))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptAnswer {
    pub(crate) slot: Slot,
    pub(crate) answer: Answer,
    pub(crate) trace_id: String,
    pub(crate) first_used_at: DateTime<Utc>,
}

impl KeptAnswer {
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        now - self.first_used_at >= VALIDITY
    }
}
