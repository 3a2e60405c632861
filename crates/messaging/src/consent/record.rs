//! Writing down what somebody said at the shop, on paper, on its pages.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use platform::{FieldError, TenantTx};

use super::{Act, ConsentPurpose, Method, Source};
use crate::{
    Channel, Messaging, MessagingError,
    store::{
        self,
        consent::{NewConsent, Refusing},
    },
};

/// What somebody said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) channels: Vec<Channel>,
    pub(crate) purposes: Vec<ConsentPurpose>,
    pub(crate) act: Act,
    /// Now, where nobody says.
    pub(crate) acted_at: Option<DateTime<Utc>>,
    pub(crate) method: Method,
    pub(crate) wording: Option<String>,
    pub(crate) evidence: Option<String>,
    pub(crate) recorded_by: String,
}

impl Messaging {
    /// Writes down what a customer said, and has them told (정보통신망법 50 ⑦). What was withdrawn holds at once, also for
    /// what waits to be sent.
    pub(crate) async fn record_consent(
        &self,
        business: BusinessId,
        customer: i64,
        said: &Said,
    ) -> Result<(), MessagingError> {
        let now = self.clock.now();
        check(said, now)?;
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let known = store::customer::reachable(&mut tx, business, &[customer]).await?;
        let person = known.get(&customer).ok_or(MessagingError::NotFound)?;
        let lines: Vec<NewConsent> = said
            .channels
            .iter()
            .flat_map(|channel| said.purposes.iter().map(move |purpose| (*channel, *purpose)))
            .map(|(channel, purpose)| NewConsent {
                business,
                customer,
                channel,
                purpose,
                act: said.act,
                acted_at: said.acted_at.unwrap_or(now),
                method: said.method,
                wording: said.wording.clone(),
                evidence: said.evidence.clone(),
                recorded_by: Some(said.recorded_by.clone()),
            })
            .collect();
        let written = store::consent::insert_all(&mut tx, &lines, now).await?;
        if said.act == Act::Withdrawn && said.purposes.contains(&ConsentPurpose::Marketing) {
            for channel in &said.channels {
                let Some(contact_hash) = person.contact_hash(*channel) else { continue };
                let refusing = Refusing { business, channel: *channel, contact_hash, customer: None };
                store::refusal::add(&mut tx, &refusing, Source::Desk, said.acted_at.unwrap_or(now)).await?;
            }
        }
        self.tell_of_consents(&mut tx, &written).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn check(said: &Said, now: DateTime<Utc>) -> Result<(), MessagingError> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, code: &'static str, message: &str| {
        errors.push(FieldError { field: field.to_owned(), code, message: message.to_owned() });
    };
    if said.acted_at.is_some_and(|at| at > now) {
        refuse("actedAt", "IN_THE_FUTURE", "동의 시각은 현재보다 늦을 수 없습니다.");
    }
    if said.act == Act::Given && said.wording.is_none() {
        refuse("wording", "REQUIRED", "동의받은 문구의 버전이 필요합니다.");
    }
    // A list that somebody brings along is no consent: who says where the proof is may import one.
    if said.act == Act::Given && said.method == Method::Import && said.evidence.is_none() {
        refuse("evidence", "REQUIRED", "가져온 동의에는 증빙의 위치가 필요합니다.");
    }
    let asks = [Method::Paper, Method::Web, Method::Kiosk, Method::Phone, Method::Desk, Method::Import];
    if !asks.contains(&said.method) {
        refuse("method", "NOT_ALLOWED", "직접 기록할 수 없는 방법입니다.");
    }
    if said.channels.is_empty() {
        refuse("channels", "REQUIRED", "채널을 하나 이상 지정해 주세요.");
    }
    if said.purposes.is_empty() {
        refuse("purposes", "REQUIRED", "목적을 하나 이상 지정해 주세요.");
    }
    if errors.is_empty() { Ok(()) } else { Err(MessagingError::Invalid(errors)) }
}
