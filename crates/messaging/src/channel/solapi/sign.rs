//! The signature: HMAC-SHA256 over time and salt, with the API secret.

use aws_lc_rs::{hmac, rand};
use chrono::{DateTime, SecondsFormat, Utc};
use kernel::KoreanTime;
use secrecy::{ExposeSecret, SecretString};

pub(super) fn header(api_key: &str, secret: &SecretString, now: DateTime<Utc>) -> String {
    let mut salt = [0; 16];
    rand::fill(&mut salt).expect("the system has randomness");
    signed(api_key, secret, &date(now), &hex::encode(salt))
}

fn date(now: DateTime<Utc>) -> String {
    let whole = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    KoreanTime::parse(&whole).map_or(whole, |time| time.to_string())
}

fn signed(api_key: &str, secret: &SecretString, date: &str, salt: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let signature = hex::encode(hmac::sign(&key, format!("{date}{salt}").as_bytes()));
    format!("HMAC-SHA256 apiKey={api_key}, date={date}, salt={salt}, signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_the_reference_computes() {
        let secret = "SECRET_FOR_TESTS_ONLY_0001".into();
        let header =
            signed("NCSKEY", &secret, "2026-11-20T10:00:00+09:00", "abcdefghijklmnopqrstuvwxyz012345");
        assert!(
            header.ends_with("signature=a8751a799edea47d0e41993b4b51be1fd7be9792c16e9ffb1dfe127be07856eb"),
            "{header}"
        );
    }

    #[test]
    fn no_two_are_the_same() {
        let secret = "SECRET_FOR_TESTS_ONLY_0001".into();
        let now = "2026-11-20T01:00:00.5Z".parse().unwrap();
        let header = |()| header("NCSKEY", &secret, now);
        assert_ne!(header(()), header(()));
        assert!(header(()).contains("date=2026-11-20T10:00:00+09:00, salt="));
    }
}
