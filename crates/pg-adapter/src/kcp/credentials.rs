//! The service certificate and its private key: `kcp_cert_info` and `kcp_sign_data`.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use secrecy::{ExposeSecret, SecretString};
use x509_cert::{Certificate, der::Decode as _};

use super::KcpConfigError;

pub(super) struct Credentials {
    /// The certificate on one line.
    certificate: String,
    expires_at: DateTime<Utc>,
    key: RsaKeyPair,
}

impl Credentials {
    pub(super) fn new(
        certificate_pem: &str,
        private_key_pem: &SecretString,
        passphrase: &SecretString,
    ) -> Result<Self, KcpConfigError> {
        let key = open(private_key_pem.expose_secret(), passphrase.expose_secret())?;
        let unreadable = KcpConfigError::Certificate;
        let block = pem_block(certificate_pem, "CERTIFICATE").ok_or(unreadable("no certificate is in it"))?;
        let parsed = decode(block)
            .and_then(|der| Certificate::from_der(&der).ok())
            .ok_or(unreadable("it is damaged"))?;
        let body = parsed.tbs_certificate();
        if body.subject_public_key_info().subject_public_key.raw_bytes() != key.public_key().as_ref() {
            return Err(KcpConfigError::Mismatch);
        }
        let expires_at = i64::try_from(body.validity().not_after.to_unix_duration().as_secs())
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(unreadable("it never ends"))?;
        Ok(Self { certificate: one_line(block), expires_at, key })
    }

    /// `kcp_cert_info`: newlines go, the markers keep their inner spaces.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(super) fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// `kcp_sign_data`: RSA with SHA-256 (PKCS#1 v1.5) over the parts, joined by `^`. It covers no
    /// amount and no time; what KCP compares with `rem_mny` is what keeps a repeat from counting.
    pub(super) fn sign(&self, parts: [&str; 3]) -> Result<String, String> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), parts.join("^").as_bytes(), &mut signature)
            .map_err(|_| "the request could not be signed".to_owned())?;
        Ok(STANDARD.encode(signature))
    }
}

fn open(pem: &str, passphrase: &str) -> Result<RsaKeyPair, KcpConfigError> {
    let unreadable = KcpConfigError::PrivateKey;
    let block = pem_block(pem, "ENCRYPTED PRIVATE KEY")
        .ok_or(unreadable("no encrypted PKCS#8 key (BEGIN ENCRYPTED PRIVATE KEY) is in it"))?;
    let der = decode(block).ok_or(unreadable("it is damaged"))?;
    let sealed =
        EncryptedPrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| unreadable("it is damaged"))?;
    let opened = sealed.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::NoPbes1CryptSupport) => KcpConfigError::OldEncryption,
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::UnsupportedAlgorithm { .. }) => {
            unreadable("its encryption is not known")
        }
        _ => KcpConfigError::Passphrase,
    })?;
    RsaKeyPair::from_pkcs8(opened.as_bytes())
        .map_err(|_| unreadable("it is not an RSA key of 2048 bits or more"))
}

/// From the first marker to its end, both included. Files from certificate centres come with other
/// line ends, text before and several blocks; none of that is part of the key.
fn pem_block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let end = format!("-----END {label}-----");
    let from = text.find(&format!("-----BEGIN {label}-----"))?;
    let length = text[from..].find(&end)? + end.len();
    Some(&text[from..from + length])
}

fn one_line(block: &str) -> String {
    block.lines().map(str::trim).collect()
}

fn decode(block: &str) -> Option<Vec<u8>> {
    let line = one_line(block);
    let (_, rest) = line.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (encoded, _) = rest.split_once("-----END ")?;
    STANDARD.decode(encoded).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::AsDer as _,
        rsa,
        signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
    };
    use pkcs8::{
        EncryptedPrivateKeyInfoOwned, LineEnding, PrivateKeyInfoRef, SecretDocument,
        der::{Encode as _, asn1::OctetString},
        pkcs5::{EncryptionScheme, pbes1, pbes2},
    };

    use super::*;

    const PASSPHRASE: &str = "changeit";

    struct Files {
        key: rsa::KeyPair,
        certificate: String,
        private_key: String,
    }

    fn parameters() -> pbes2::Parameters {
        pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"saltsalt", [7; 16]).unwrap()
    }

    fn files(parameters: pbes2::Parameters) -> Files {
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der = key.as_der().unwrap();
        let signer = rcgen::KeyPair::try_from(der.as_ref()).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 6, 28);
        let sealed = PrivateKeyInfoRef::from_der(der.as_ref())
            .unwrap()
            .encrypt_with_params(parameters, PASSPHRASE)
            .unwrap();
        Files { certificate: params.self_signed(&signer).unwrap().pem(), private_key: pem(&sealed), key }
    }

    fn pem(document: &SecretDocument) -> String {
        document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
    }

    fn load(certificate: &str, private_key: &str, passphrase: &str) -> Result<Credentials, KcpConfigError> {
        Credentials::new(certificate, &private_key.to_owned().into(), &passphrase.to_owned().into())
    }

    fn trouble(certificate: &str, private_key: &str, passphrase: &str) -> String {
        load(certificate, private_key, passphrase).err().expect("it cannot be loaded").to_string()
    }

    #[test]
    fn a_signature_is_rsa_with_sha_256_over_the_joined_parts() {
        let files = files(parameters());
        let credentials = load(&files.certificate, &files.private_key, PASSPHRASE).unwrap();
        let signature =
            STANDARD.decode(credentials.sign(["A52Q7", "26112000000001", "STSC"]).unwrap()).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, files.key.public_key().as_ref());
        public.verify(b"A52Q7^26112000000001^STSC", &signature).unwrap();
        public.verify(b"A52Q7^26112000000001^STPC", &signature).unwrap_err();
        assert_eq!(credentials.expires_at().to_rfc3339(), "2031-06-28T00:00:00+00:00");
    }

    #[test]
    fn a_certificate_is_one_line_with_its_markers_and_their_spaces() {
        let files = files(parameters());
        for spelled in [
            files.certificate.clone(),
            files.certificate.replace('\n', "\r\n"),
            format!("\u{feff}subject=/CN=x\n{}\n{}", files.certificate, files.certificate),
        ] {
            let credentials = load(&spelled, &files.private_key, PASSPHRASE).unwrap();
            let line = credentials.certificate();
            assert_eq!(line, files.certificate.replace(['\r', '\n'], ""));
            assert!(
                line.starts_with("-----BEGIN CERTIFICATE-----MII")
                    && line.ends_with("-----END CERTIFICATE-----")
            );
            // What was made one line before is read as well.
            assert!(load(line, &files.private_key, PASSPHRASE).is_ok());
        }
    }

    /// What older versions of OpenSSL encrypt with unless told otherwise.
    #[test]
    fn triple_des_is_opened_too() {
        let parameters = pbes2::Parameters {
            kdf: parameters().kdf,
            encryption: pbes2::EncryptionScheme::DesEde3Cbc { iv: [7; 8] },
        };
        let files = files(parameters);
        assert!(load(&files.certificate, &files.private_key, PASSPHRASE).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_in_words() {
        let Files { certificate, private_key, .. } = files(parameters());
        let other = files(parameters());
        let plain = private_key.replace("ENCRYPTED ", "");
        for (trouble, expected) in [
            (trouble(&certificate, &private_key, "wrong"), "passphrase"),
            (trouble(&certificate, &other.private_key, PASSPHRASE), "do not belong together"),
            (trouble("", &private_key, PASSPHRASE), "no certificate"),
            (trouble(&certificate.replace("MII", "!"), &private_key, PASSPHRASE), "damaged"),
            (trouble(&certificate, "", PASSPHRASE), "no encrypted PKCS#8 key"),
            (trouble(&certificate, &plain, PASSPHRASE), "no encrypted PKCS#8 key"),
            (trouble(&certificate, &private_key.replace("MII", "AAA"), PASSPHRASE), "damaged"),
        ] {
            assert!(trouble.contains(expected), "{trouble} / {expected}");
            assert!(!trouble.contains("changeit") && !trouble.contains("MII"), "{trouble}");
        }
    }

    #[test]
    fn an_old_encryption_is_named_with_the_command_that_helps() {
        let Files { certificate, .. } = files(parameters());
        let algorithm = pbes1::Algorithm {
            encryption: pbes1::EncryptionScheme::PbeWithSha1AndDesCbc,
            parameters: pbes1::Parameters { salt: [1; 8], iteration_count: 2048 },
        };
        let sealed = EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: EncryptionScheme::Pbes1(algorithm),
            encrypted_data: OctetString::new([0; 16]).unwrap(),
        };
        let sealed = SecretDocument::try_from(sealed.to_der().unwrap()).unwrap();
        assert!(trouble(&certificate, &pem(&sealed), PASSPHRASE).contains("openssl pkcs8"));
    }
}
