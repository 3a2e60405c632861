//! Bearer tokens: JWTs signed with HS256 and a secret shared with the platform's sign-in service.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use platform::{AuthFailure, Membership, Principal};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Verifies tokens, and in development gives them out.
///
/// A token's expiry is compared with the machine's time even where the business clock was moved:
/// sessions belong to people, and QA must stay signed in while a year passes.
#[derive(Clone)]
pub struct Tokens(Arc<Keys>);

struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// What a token says. Claims that we do not know are ignored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    sub: String,
    #[serde(default)]
    memberships: Vec<Membership>,
    #[serde(default)]
    platform_role: Option<PlatformRole>,
    exp: i64,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PlatformRole {
    Admin,
}

/// How far the sign-in service's clock may be behind ours: a token is good for so much longer.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// Who came with a token, and until when it is good.
#[derive(Debug)]
pub(crate) struct Session {
    pub principal: Principal,
    pub ends_at: DateTime<Utc>,
}

impl Tokens {
    pub fn new(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY.num_seconds().unsigned_abs();
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self(Arc::new(Keys {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }))
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Session, AuthFailure> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.0.decoding, &self.0.validation);
        match decoded {
            Ok(token) => Ok(Session {
                principal: Principal {
                    subject: token.claims.sub,
                    memberships: token.claims.memberships,
                    is_platform_admin: token.claims.platform_role == Some(PlatformRole::Admin),
                },
                // A time that no calendar has is as good as for ever.
                ends_at: DateTime::from_timestamp(token.claims.exp, 0)
                    .and_then(|expires_at| expires_at.checked_add_signed(LEEWAY))
                    .unwrap_or(DateTime::<Utc>::MAX_UTC),
            }),
            Err(error) if *error.kind() == ErrorKind::ExpiredSignature => Err(AuthFailure::Expired),
            Err(_) => Err(AuthFailure::Invalid),
        }
    }

    /// A token for `principal` that is good until `machine_time + lifetime`.
    pub fn issue(&self, principal: &Principal, machine_time: DateTime<Utc>, lifetime: TimeDelta) -> String {
        let claims = Claims {
            sub: principal.subject.clone(),
            memberships: principal.memberships.clone(),
            platform_role: principal.is_platform_admin.then_some(PlatformRole::Admin),
            exp: (machine_time + lifetime).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.encoding)
            .expect("claims of strings and numbers always encode")
    }
}

#[cfg(test)]
mod tests {
    use kernel::{BusinessId, Clock, SystemClock};
    use platform::Role;

    use super::*;

    fn owner() -> Principal {
        let memberships = vec![Membership { business_id: BusinessId(7), role: Role::Owner }];
        Principal { subject: "user_1".to_owned(), memberships, is_platform_admin: false }
    }

    fn tokens() -> Tokens {
        Tokens::new(&"a secret of at least thirty-two bytes".into())
    }

    #[test]
    fn a_token_says_who_its_bearer_is() {
        let token = tokens().issue(&owner(), SystemClock.now(), TimeDelta::hours(1));
        let principal = tokens().verify(&token).unwrap().principal;
        assert_eq!(principal.subject, "user_1");
        assert_eq!(principal.memberships, owner().memberships);
        assert!(!principal.is_platform_admin);
    }

    #[test]
    fn an_expired_token_is_told_apart_from_a_forged_one() {
        let expired = tokens().issue(&owner(), SystemClock.now(), TimeDelta::hours(-1));
        assert_eq!(tokens().verify(&expired).unwrap_err(), AuthFailure::Expired);
        let forged =
            Tokens::new(&"another secret".into()).issue(&owner(), SystemClock.now(), TimeDelta::hours(1));
        assert_eq!(tokens().verify(&forged).unwrap_err(), AuthFailure::Invalid);
        // `{"alg":"none"}`
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ1c2VyXzEiLCJleHAiOjk5OTk5OTk5OTl9.";
        assert_eq!(tokens().verify(unsigned).unwrap_err(), AuthFailure::Invalid);
    }
}
