//! `Authorization: Basic base64(secretKey + ":")`.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{MERCHANT_ID, errors::Refusal};

/// Every key of these families is welcome. Whose it is stands in it: see [`SecretKey::merchant`].
const FAMILIES: [&str; 4] = ["test_sk_", "test_gsk_", "live_sk_", "live_gsk_"];

pub(crate) struct SecretKey(pub(crate) String);

impl SecretKey {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Refusal> {
        let malformed = || Refusal::new("INCORRECT_BASIC_AUTH_FORMAT");
        // Documents disagree on the status of a missing key; the catalogue says 401.
        let header = headers.get(AUTHORIZATION).ok_or_else(|| Refusal::new("UNAUTHORIZED_KEY"))?;
        let (scheme, encoded) =
            header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(malformed());
        }
        let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
        let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
        // The trailing colon is part of the encoded text. The password after it is empty.
        let (key, _) = decoded.split_once(':').ok_or_else(malformed)?;
        if FAMILIES.iter().any(|family| key.starts_with(family)) {
            Ok(Self(key.to_owned()))
        } else {
            Err(Refusal::new("UNAUTHORIZED_KEY"))
        }
    }

    /// Whose key it is. Real keys do not say; here `test_sk_salon.0000` is one of the merchant `salon`, and
    /// a key without a point is one of the merchant that everything else belongs to. A merchant sees
    /// nothing of another one's.
    pub(crate) fn merchant(&self) -> String {
        let name = FAMILIES.iter().find_map(|family| self.0.strip_prefix(family)).unwrap_or_default();
        match name.split_once('.') {
            Some((merchant, _)) => merchant.to_owned(),
            None => MERCHANT_ID.to_owned(),
        }
    }

    /// Errors cannot be forced on live keys, and shortcuts are not for them.
    pub(crate) fn is_test(&self) -> bool {
        self.0.starts_with("test_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(header: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        SecretKey::from_headers(&headers).err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_key_says_whose_it_is() {
        for (key, merchant) in
            [("test_sk_salon.0000", "salon"), ("live_gsk_salon.1", "salon"), ("test_sk_abc", MERCHANT_ID)]
        {
            assert_eq!(SecretKey(key.to_owned()).merchant(), merchant);
        }
    }

    #[test]
    fn keys_need_their_colon_and_a_known_prefix() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(refusal(Some(&basic("test_sk_abc:"))), None);
        assert_eq!(refusal(Some(&basic("test_sk_abc"))).as_deref(), Some("INCORRECT_BASIC_AUTH_FORMAT"));
        assert_eq!(refusal(Some("Bearer x")).as_deref(), Some("INCORRECT_BASIC_AUTH_FORMAT"));
        assert_eq!(refusal(Some(&basic("test_ck_abc:"))).as_deref(), Some("UNAUTHORIZED_KEY"));
        // A byte order mark in front of the key breaks it.
        assert_eq!(refusal(Some(&basic("\u{feff}test_sk_abc:"))).as_deref(), Some("UNAUTHORIZED_KEY"));
        assert_eq!(refusal(None).as_deref(), Some("UNAUTHORIZED_KEY"));
    }
}
