//! What proves a merchant to a provider: the platform's from its configuration, a business's own from
//! whoever registered them. Each provider declares its fields; the values are the same thing to all.

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};

use crate::Provider;

/// One of the values that a provider's contract comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialField {
    /// In camelCase, as the API spells it.
    pub name: &'static str,
    /// Must never be shown again. The others stand in every browser that opens the provider's window.
    pub is_secret: bool,
    pub is_required: bool,
    /// What it is, for whoever has to find it in the provider's console.
    pub about: &'static str,
}

impl CredentialField {
    pub(crate) const fn secret(name: &'static str, about: &'static str) -> Self {
        Self { name, is_secret: true, is_required: true, about }
    }

    pub(crate) const fn public(name: &'static str, about: &'static str) -> Self {
        Self { name, is_secret: false, is_required: true, about }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }
}

/// The values of one contract: every required field is there, and none that the provider does not know.
/// They are secrets, so neither `Debug` nor an error shows one.
#[derive(Clone)]
pub struct Credentials {
    provider: Provider,
    values: BTreeMap<String, SecretString>,
}

/// Why values are not a provider's credentials. The name of the field, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsRefused {
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` is none of this provider's")]
    Unknown(String),
}

impl Credentials {
    /// Empty values count as missing.
    pub fn new(
        provider: Provider,
        values: impl IntoIterator<Item = (String, SecretString)>,
    ) -> Result<Self, CredentialsRefused> {
        let values: BTreeMap<_, _> =
            values.into_iter().filter(|(_, value)| !value.expose_secret().trim().is_empty()).collect();
        let fields = provider.credential_fields();
        if let Some(unknown) = values.keys().find(|name| fields.iter().all(|field| field.name != **name)) {
            return Err(CredentialsRefused::Unknown(unknown.clone()));
        }
        match fields.iter().find(|field| field.is_required && !values.contains_key(field.name)) {
            Some(missing) => Err(CredentialsRefused::Missing(missing.name)),
            None => Ok(Self { provider, values }),
        }
    }

    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// All values by name, for storing them sealed.
    pub fn values(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The values that are no secrets, by name.
    pub fn public_values(&self) -> BTreeMap<&'static str, String> {
        let public = self.provider.credential_fields().iter().filter(|field| !field.is_secret);
        public
            .filter_map(|field| Some((field.name, self.values.get(field.name)?.expose_secret().to_owned())))
            .collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<SecretString> {
        self.values.get(name).cloned()
    }

    /// A required field.
    pub(crate) fn secret(&self, name: &str) -> SecretString {
        self.get(name).unwrap_or_default()
    }

    /// A required field that is no secret.
    pub(crate) fn text(&self, name: &str) -> String {
        self.secret(name).expose_secret().trim().to_owned()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(values: &[(&str, &str)]) -> Result<Credentials, CredentialsRefused> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)));
        Credentials::new(Provider::Toss, values)
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        assert_eq!(credentials(&[]).unwrap_err(), CredentialsRefused::Missing("secretKey"));
        assert_eq!(credentials(&[("secretKey", " ")]).unwrap_err(), CredentialsRefused::Missing("secretKey"));
        let unknown = credentials(&[("secretKey", "test_sk_1"), ("secretkey", "x")]).unwrap_err();
        assert_eq!(unknown, CredentialsRefused::Unknown("secretkey".to_owned()));
    }

    #[test]
    fn only_what_every_browser_sees_can_be_shown() {
        let credentials = credentials(&[("secretKey", "test_sk_1"), ("clientKey", "test_ck_1")]).unwrap();
        assert_eq!(credentials.public_values(), BTreeMap::from([("clientKey", "test_ck_1".to_owned())]));
        assert!(!format!("{credentials:?}").contains("test_"));
    }

    #[test]
    fn every_provider_needs_a_secret() {
        for provider in Provider::ALL {
            let fields = provider.credential_fields();
            assert!(fields.iter().any(|field| field.is_secret && field.is_required), "{provider}");
        }
    }
}
