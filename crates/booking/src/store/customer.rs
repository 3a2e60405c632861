//! `booking.customer`.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::BusinessId;
use platform::{Vault, VaultError};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::column;
use crate::{
    contact::{Email, Phone},
    customer::{CustomerFacts, CustomerId, Gender},
};

/// Between the tags of one customer where many customers' are sent at once. Tags hold no control characters.
const BETWEEN_TAGS: &str = "\u{1f}";

/// What is known of a customer whom the feeding system named.
pub(crate) struct KnownCustomer {
    pub id: CustomerId,
    pub is_erased: bool,
    name: String,
    phone_hash: Option<Vec<u8>>,
    email_hash: Option<Vec<u8>>,
    birthday: Option<NaiveDate>,
    gender: Option<Gender>,
    tags: Vec<String>,
    marketing_consent: bool,
}

impl KnownCustomer {
    /// Whether this is what is known already.
    pub(crate) fn says(&self, vault: &Vault, facts: &CustomerFacts) -> bool {
        self.name == facts.name
            && self.birthday == facts.birthday
            && self.gender == facts.gender
            && self.tags == facts.tags
            && self.marketing_consent == facts.marketing_consent
            && self.phone_hash == facts.phone.as_ref().map(|phone| vault.keyed_hash(phone.number()))
            && self.email_hash == facts.email.as_ref().map(|email| vault.keyed_hash(email.address()))
    }
}

pub(crate) async fn known(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, KnownCustomer>> {
    let rows = sqlx::query!(
        r#"select known.external_id as "external_id!", known.customer_id as "id!: CustomerId", known.name as "name!",
                  known.phone_hash, known.email_hash, known.birthday, known.gender as "gender: Gender",
                  known.tags as "tags!", known.marketing_consent as "marketing_consent!",
                  known.deleted_at is not null as "is_erased!"
           from (select $1::bigint as business_id, name from unnest($2::text[]) as given (name) offset 0) named
           cross join lateral (
               select external_id, customer_id, customer.name, phone_hash, email_hash, birthday, gender, tags,
                      marketing_consent, deleted_at
               from booking.customer
               where business_id = named.business_id and external_id = named.name limit 1) known"#,
        business.0,
        external_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let known = KnownCustomer {
                id: row.id,
                is_erased: row.is_erased,
                name: row.name,
                phone_hash: row.phone_hash,
                email_hash: row.email_hash,
                birthday: row.birthday,
                gender: row.gender,
                tags: row.tags,
                marketing_consent: row.marketing_consent,
            };
            (row.external_id, known)
        })
        .collect())
}

/// The ids behind the feeding system's names, of those who were erased as well: their visits stay.
pub(crate) async fn named(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, CustomerId>> {
    let rows = sqlx::query!(
        r#"select known.external_id as "external_id!", known.customer_id as "id!: CustomerId"
           from (select $1::bigint as business_id, name from unnest($2::text[]) as given (name) offset 0) named
           cross join lateral (
               select external_id, customer_id from booking.customer
               where business_id = named.business_id and external_id = named.name limit 1) known"#,
        business.0,
        external_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.external_id, row.id)).collect())
}

/// Ids before there are rows: what is sealed is sealed for the row that it stands in.
pub(crate) async fn new_ids(conn: &mut PgConnection, how_many: usize) -> sqlx::Result<Vec<CustomerId>> {
    sqlx::query_scalar!(
        r#"select nextval('booking.customer_customer_id_seq') as "id!: CustomerId" from generate_series(1, $1)"#,
        i32::try_from(how_many).unwrap_or(i32::MAX),
    )
    .fetch_all(conn)
    .await
}

/// What a customer's telephone number is sealed for.
pub(crate) fn phone_purpose(id: CustomerId) -> String {
    format!("booking.customer.phone:{id}")
}

/// What a customer's e-mail address is sealed for.
pub(crate) fn email_purpose(id: CustomerId) -> String {
    format!("booking.customer.email:{id}")
}

fn memo_purpose(id: CustomerId) -> String {
    format!("booking.customer.memo:{id}")
}

/// The columns of many customers' facts, sealed, as `unnest` takes them.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    phones: Vec<Option<String>>,
    phone_hashes: Vec<Option<Vec<u8>>>,
    emails: Vec<Option<String>>,
    email_hashes: Vec<Option<Vec<u8>>>,
    birthdays: Vec<Option<NaiveDate>>,
    genders: Vec<Option<String>>,
    tags: Vec<String>,
    marketing_consents: Vec<bool>,
}

impl Columns {
    fn of<'a>(vault: &Vault, rows: impl Iterator<Item = (CustomerId, &'a CustomerFacts)>) -> Self {
        let mut columns = Self::default();
        for (id, facts) in rows {
            columns.names.push(facts.name.clone());
            let phone = facts.phone.as_ref();
            columns.phones.push(phone.map(|phone| vault.seal(&phone_purpose(id), phone.number())));
            columns.phone_hashes.push(phone.map(|phone| vault.keyed_hash(phone.number())));
            let email = facts.email.as_ref();
            columns.emails.push(email.map(|email| vault.seal(&email_purpose(id), email.address())));
            columns.email_hashes.push(email.map(|email| vault.keyed_hash(email.address())));
            columns.birthdays.push(facts.birthday);
            columns.genders.push(facts.gender.map(|gender| gender.as_str().to_owned()));
            columns.tags.push(facts.tags.join(BETWEEN_TAGS));
            columns.marketing_consents.push(facts.marketing_consent);
        }
        columns
    }
}

/// A customer who is new, under the feeding system's name where they have one.
pub(crate) struct NewCustomer {
    pub id: CustomerId,
    pub external_id: Option<String>,
    pub facts: CustomerFacts,
    /// When the shop got to know them.
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    vault: &Vault,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[NewCustomer],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let facts = Columns::of(vault, rows.iter().map(|row| (row.id, &row.facts)));
    sqlx::query!(
        "insert into booking.customer
             (business_id, customer_id, external_id, name, phone, phone_hash, email, email_hash, birthday, gender,
              tags, marketing_consent, created_at, changed_at)
         select $1, customer_id, external_id, name, phone, phone_hash, email, email_hash, birthday, gender,
                string_to_array(tags, $15), marketing_consent, created_at, $2
         from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::bytea[],
                     $10::date[], $11::text[], $12::text[], $13::bool[], $14::timestamptz[])
             as fresh (customer_id, external_id, name, phone, phone_hash, email, email_hash, birthday, gender, tags,
                       marketing_consent, created_at)",
        business.0,
        now,
        &column(rows, |row| row.id.0),
        &column(rows, |row| row.external_id.clone()) as &[Option<String>],
        &facts.names,
        &facts.phones as &[Option<String>],
        &facts.phone_hashes as &[Option<Vec<u8>>],
        &facts.emails as &[Option<String>],
        &facts.email_hashes as &[Option<Vec<u8>>],
        &facts.birthdays as &[Option<NaiveDate>],
        &facts.genders as &[Option<String>],
        &facts.tags,
        &facts.marketing_consents,
        &column(rows, |row| row.created_at),
        BETWEEN_TAGS,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    vault: &Vault,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[(CustomerId, CustomerFacts)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let facts = Columns::of(vault, rows.iter().map(|(id, facts)| (*id, facts)));
    sqlx::query!(
        "update booking.customer
         set name = said.name, phone = said.phone, phone_hash = said.phone_hash, email = said.email,
             email_hash = said.email_hash, birthday = said.birthday, gender = said.gender,
             tags = string_to_array(said.tags, $13), marketing_consent = said.marketing_consent, changed_at = $2
         from (
             select $1::bigint as business_id, given.*
             from unnest($3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::date[],
                         $10::text[], $11::text[], $12::bool[])
                 as given (customer_id, name, phone, phone_hash, email, email_hash, birthday, gender, tags,
                         marketing_consent) offset 0) said
         where customer.business_id = said.business_id and customer.customer_id = said.customer_id",
        business.0,
        now,
        &column(rows, |(id, _)| id.0),
        &facts.names,
        &facts.phones as &[Option<String>],
        &facts.phone_hashes as &[Option<Vec<u8>>],
        &facts.emails as &[Option<String>],
        &facts.email_hashes as &[Option<Vec<u8>>],
        &facts.birthdays as &[Option<NaiveDate>],
        &facts.genders as &[Option<String>],
        &facts.tags,
        &facts.marketing_consents,
        BETWEEN_TAGS,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn set_memo(
    conn: &mut PgConnection,
    vault: &Vault,
    business: BusinessId,
    id: CustomerId,
    memo: Option<&SecretString>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking.customer set memo = $3 where business_id = $1 and customer_id = $2",
        business.0,
        id.0,
        memo.map(|memo| vault.seal(&memo_purpose(id), memo)),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Erases everything that says who a customer is. The row stays, because visits point to it, and so does the
/// feeding system's name, so that the next feed does not bring them back.
pub(crate) async fn erase(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: CustomerId,
) -> sqlx::Result<bool> {
    let erased = sqlx::query!(
        "update booking.customer
         set name = '삭제된 고객', phone = null, phone_hash = null, email = null, email_hash = null, birthday = null,
             gender = null, tags = '{}', memo = null, marketing_consent = false, deleted_at = $3, changed_at = $3
         where business_id = $1 and customer_id = $2 and deleted_at is null",
        business.0,
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(erased.rows_affected() == 1)
}

/// A row of `booking.customer`, still sealed.
pub(crate) struct SealedCustomer {
    pub id: CustomerId,
    pub external_id: Option<String>,
    pub name: String,
    phone: Option<String>,
    email: Option<String>,
    pub birthday: Option<NaiveDate>,
    pub gender: Option<Gender>,
    pub tags: Vec<String>,
    memo: Option<String>,
    pub marketing_consent: bool,
    pub created_at: DateTime<Utc>,
}

impl SealedCustomer {
    pub(crate) fn phone(&self, vault: &Vault) -> Result<Option<Phone>, VaultError> {
        let open = |sealed: &String| vault.open(&phone_purpose(self.id), sealed).map(Phone::stored);
        self.phone.as_ref().map(open).transpose()
    }

    pub(crate) fn email(&self, vault: &Vault) -> Result<Option<Email>, VaultError> {
        let open = |sealed: &String| vault.open(&email_purpose(self.id), sealed).map(Email::stored);
        self.email.as_ref().map(open).transpose()
    }

    pub(crate) fn memo(&self, vault: &Vault) -> Result<Option<SecretString>, VaultError> {
        self.memo.as_ref().map(|sealed| vault.open(&memo_purpose(self.id), sealed)).transpose()
    }
}

/// Which customers are wanted.
#[derive(Default)]
pub(crate) struct CustomerFilter {
    /// The beginning of the name.
    pub name: Option<String>,
    pub phone_hash: Option<Vec<u8>>,
    pub email_hash: Option<Vec<u8>>,
    pub tag: Option<String>,
    pub only: Option<CustomerId>,
    pub before: Option<CustomerId>,
    pub limit: i64,
}

/// Newest first, without those who were erased.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &CustomerFilter,
) -> sqlx::Result<Vec<SealedCustomer>> {
    sqlx::query_as!(
        SealedCustomer,
        r#"select customer_id as "id: CustomerId", external_id, name, phone, email, birthday,
                  gender as "gender: Gender", tags, memo, marketing_consent, created_at
           from booking.customer
           where business_id = $1 and deleted_at is null and ($2::text is null or starts_with(name, $2))
             and ($3::bytea is null or phone_hash = $3) and ($4::bytea is null or email_hash = $4)
             and ($5::text is null or tags @> array[$5]) and ($6::bigint is null or customer_id = $6)
             and ($7::bigint is null or customer_id < $7)
           order by customer_id desc limit $8"#,
        business.0,
        filter.name,
        filter.phone_hash,
        filter.email_hash,
        filter.tag,
        filter.only.map(|id| id.0),
        filter.before.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await
}
