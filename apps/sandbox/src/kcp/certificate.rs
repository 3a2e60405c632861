//! `kcp_cert_info` and `kcp_sign_data`: who is asking, and whether they hold the key.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use x509_cert::{Certificate, der::Decode as _};

use super::codes::{BAD_CERTIFICATE, BAD_SIGNATURE, EXPIRED_CERTIFICATE, Refusal};

/// The merchant's certificate as a request carries it. Any merchant's is welcome.
pub(super) struct Credentials(Certificate);

impl Credentials {
    /// One line: the markers with their inner spaces, and Base64 between them.
    pub(super) fn read(cert_info: &str) -> Result<Self, Refusal> {
        let encoded = cert_info
            .strip_prefix("-----BEGIN CERTIFICATE-----")
            .and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"));
        encoded
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .and_then(|der| Certificate::from_der(&der).ok())
            .map(Self)
            .ok_or_else(|| Refusal::new(BAD_CERTIFICATE))
    }

    pub(super) fn check_dates(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let validity = self.0.tbs_certificate().validity();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let valid = validity.not_before.to_unix_duration().as_secs()
            ..=validity.not_after.to_unix_duration().as_secs();
        if valid.contains(&seconds) { Ok(()) } else { Err(Refusal::new(EXPIRED_CERTIFICATE)) }
    }

    /// RSA with SHA-256 (PKCS#1 v1.5) over the parts, joined by `^`.
    pub(super) fn verify(&self, parts: [&str; 3], signature: &str) -> Result<(), Refusal> {
        let key = self.0.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        let refused = || Refusal::new(BAD_SIGNATURE);
        let signature = STANDARD.decode(signature).map_err(|_| refused())?;
        key.verify(parts.join("^").as_bytes(), &signature).map_err(|_| refused())
    }
}
