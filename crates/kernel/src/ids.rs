//! One type per kind of id, so that a payment's id cannot be passed where a business's is meant.
//!
//! The two macros stamp the types out; a crate that uses them needs `serde`, `sqlx`, `utoipa` and
//! `uuid` among its own dependencies.

/// Text that is not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{prefix}`")]
pub struct IdError {
    pub prefix: &'static str,
}

/// Stamps out a numeric id, for the things that people read aloud on the telephone.
#[macro_export]
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// Stamps out a `UUIDv7` id that is written with a prefix: `id!(SubscriptionId, "sub_")` reads and
/// writes `sub_0199f6b2c0de7a52a0f1d2c3b4a59687`.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id; ids made later sort later.
            pub fn new(now: chrono::DateTime<chrono::Utc>) -> Self {
                let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
                let timestamp =
                    uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos());
                Self(uuid::Uuid::new_v7(timestamp))
            }

            /// When the id was made, to the millisecond.
            #[allow(dead_code, reason = "not every kind of id is asked for its age")]
            pub fn made_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
                let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
                chrono::DateTime::from_timestamp(seconds.cast_signed(), nanos)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix($prefix)
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| uuid::Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or($crate::IdError { prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "[0-9a-f]{32}$")))
                    .examples([concat!($prefix, "0199f6b2c0de7a52a0f1d2c3b4a59687")])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

number_id!(
    /// A business on the platform, the tenant that everything belongs to: a salon, a clinic, a gym.
    BusinessId
);

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[expect(unreachable_pub, reason = "the macro stamps out public types; here nobody is outside")]
    mod thing {
        id!(ThingId, "thing_");
    }
    use thing::ThingId;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        let id = ThingId::new(DateTime::from_timestamp(1_771_000_000, 0).unwrap());
        assert!(id.to_string().starts_with("thing_"));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        for text in [
            "",
            "thing_",
            "sub_0199f6b2c0de7a52a0f1d2c3b4a59687",
            "thing_xyz",
            "0199f6b2c0de7a52a0f1d2c3b4a59687",
        ] {
            assert_eq!(text.parse::<ThingId>(), Err(IdError { prefix: "thing_" }), "{text}");
        }
    }
}
