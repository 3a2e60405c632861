//! Customers: who comes.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::KoreanTime;
use platform::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    contact::{Email, Phone},
    field::{self, Checked},
};

kernel::number_id!(
    /// Names a customer of a business.
    CustomerId
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Gender {
    Female,
    Male,
    Other,
}

impl Gender {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Female => "FEMALE",
            Self::Male => "MALE",
            Self::Other => "OTHER",
        }
    }
}

/// A customer as the feeding system knows them. What is left out is nothing: a telephone number that is not sent again is gone.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "externalId": "C-1001", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com",
    "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["단골"], "marketingConsent": true,
}))]
pub struct CustomerRow {
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// However it is written; `+82` as well.
    pub phone: Option<String>,
    pub email: Option<String>,
    #[schema(value_type = Option<NaiveDate>)]
    pub birthday: Option<String>,
    pub gender: Option<Gender>,
    #[schema(max_items = 20)]
    pub tags: Option<Vec<String>>,
    pub marketing_consent: Option<bool>,
    /// When the shop got to know the customer; when the row first came, if nobody says.
    #[schema(value_type = Option<KoreanTime>)]
    pub created_at: Option<String>,
}

/// What a shop or the feeding system says about a customer, read and found possible.
#[derive(Clone, Debug)]
pub(crate) struct CustomerFacts {
    pub(crate) name: String,
    pub(crate) phone: Option<Phone>,
    pub(crate) email: Option<Email>,
    pub(crate) birthday: Option<NaiveDate>,
    pub(crate) gender: Option<Gender>,
    pub(crate) tags: Vec<String>,
    pub(crate) marketing_consent: bool,
}

/// The same as text, from whichever side it came.
pub(crate) struct CustomerText {
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) birthday: Option<String>,
    pub(crate) gender: Option<Gender>,
    pub(crate) tags: Vec<String>,
    pub(crate) marketing_consent: bool,
}

impl CustomerText {
    /// `None` where something was refused.
    pub(crate) fn read(self, checked: &mut Checked) -> Option<CustomerFacts> {
        let name = checked.take("name", field::name(&self.name));
        let phone = checked.optional("phone", self.phone, field::phone);
        let email = checked.optional("email", self.email, field::email);
        let birthday = checked.optional("birthday", self.birthday, field::day);
        let tags = checked.take("tags", field::tags(&self.tags));
        Some(CustomerFacts {
            name: name?,
            phone,
            email,
            birthday,
            gender: self.gender,
            tags: tags?,
            marketing_consent: self.marketing_consent,
        })
    }
}

/// A row of a feed that can be.
#[derive(Clone, Debug)]
pub struct FedCustomer {
    pub(crate) external_id: String,
    pub(crate) facts: CustomerFacts,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl CustomerRow {
    pub(crate) fn read(self) -> Result<FedCustomer, Vec<FieldError>> {
        let mut checked = Checked::default();
        let external_id = checked.take("externalId", field::external_id(&self.external_id));
        let created_at = checked.optional("createdAt", self.created_at, field::created);
        let text = CustomerText {
            name: self.name,
            phone: self.phone,
            email: self.email,
            birthday: self.birthday,
            gender: self.gender,
            tags: self.tags.unwrap_or_default(),
            marketing_consent: self.marketing_consent.unwrap_or_default(),
        };
        let facts = text.read(&mut checked);
        let row =
            external_id.zip(facts).map(|(external_id, facts)| FedCustomer { external_id, facts, created_at });
        checked.finish(row)
    }
}
