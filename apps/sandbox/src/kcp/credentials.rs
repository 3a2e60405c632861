//! Development credentials: a key pair of the kind that KCP hands out, made anew by every process.
//!
//! **Worth nothing anywhere else**: the certificate is signed by nobody, and only the sandbox, which
//! takes any certificate whose signatures verify, will accept it.

use std::sync::LazyLock;

use aws_lc_rs::{encoding::AsDer as _, rsa};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, der::Decode as _, pkcs5::pbes2};
use rcgen::{CertificateParams, DnType, date_time_ymd};

use crate::random;

/// What a merchant of KCP has: codes from the contract, and the two files of the certificate centre.
#[derive(Clone, Debug)]
pub struct KcpCredentials {
    pub site_cd: String,
    /// The group that batch keys belong to.
    pub group_id: String,
    /// As in `KCP_AUTH_{site_cd}_CERT.pem`.
    pub certificate_pem: String,
    /// As in `KCP_AUTH_{site_cd}_PRIKEY.pem`: PKCS#8, encrypted.
    pub private_key_pem: String,
    pub passphrase: String,
}

/// The same for the whole life of this process.
pub fn kcp_dev_credentials() -> KcpCredentials {
    static MADE: LazyLock<KcpCredentials> =
        LazyLock::new(|| make().expect("a key and a certificate can be made"));
    MADE.clone()
}

fn make() -> anyhow::Result<KcpCredentials> {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048)?;
    let der = key.as_der()?;
    let passphrase = "changeit".to_owned();
    Ok(KcpCredentials {
        site_cd: "A52Q7".into(),
        group_id: "A52Q71000489".into(),
        certificate_pem: certificate(der.as_ref())?,
        private_key_pem: encrypted(der.as_ref(), &passphrase)?,
        passphrase,
    })
}

fn certificate(private_key: &[u8]) -> anyhow::Result<String> {
    let key = rcgen::KeyPair::try_from(private_key)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "dangol development, not a KCP certificate");
    // Far apart: a clock that QA moves must not end them. The real ones last five years.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params.self_signed(&key)?.pem())
}

/// As OpenSSL encrypts by default.
fn encrypted(private_key: &[u8], passphrase: &str) -> anyhow::Result<String> {
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(
        2048,
        &random::bytes::<16>(),
        random::bytes::<16>(),
    )
    .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let document = PrivateKeyInfoRef::from_der(private_key)
        .map(|info| info.encrypt_with_params(parameters, passphrase))
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    // Read back, so that a mistake shows here and not in whoever is handed the file.
    EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let pem = document
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(pem.to_string())
}
