//! What happens to documents without the seller's server: at the tax service, at Popbill's own pages.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize};

use super::{
    Record, State,
    invoice::Invoice,
    rules::is_business_number,
    state::{Member, Partner},
};
use crate::{complaint::Complaint, world::World};

/// One line of the list that tests compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedInvoice {
    pub corp_num: String,
    pub mgt_key: String,
    /// Popbill's own id.
    pub item_key: String,
    /// Absent while it is only saved.
    pub nts_confirm_num: Option<String>,
    /// Popbill's number of the state, see the README.
    pub state_code: u16,
    pub write_date: NaiveDate,
    pub supply: Krw,
    pub tax: Krw,
    pub buyer_corp_num: String,
    pub buyer_name: String,
    pub modify_code: Option<u8>,
    #[serde(rename = "orgNTSConfirmNum")]
    pub org_nts_confirm_num: Option<String>,
    pub issued_at: Option<KoreanTime>,
    pub withdrawn_at: Option<KoreanTime>,
    pub sent_at: Option<KoreanTime>,
    pub answered_at: Option<KoreanTime>,
    /// `SUC001`, or why the tax service refused it; absent before it answered.
    pub nts_code: Option<String>,
}

impl IssuedInvoice {
    fn of(invoice: &Invoice, now: DateTime<Utc>) -> Self {
        let text = |name: &str| invoice.form.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let is_filed = invoice.withdrawn_at.is_none();
        let past = |at: Option<DateTime<Utc>>| at.filter(|at| is_filed && *at <= now).map(KoreanTime);
        let answered_at = past(invoice.answered_at());
        Self {
            corp_num: invoice.corp_num.clone(),
            mgt_key: invoice.mgt_key.clone(),
            item_key: invoice.item_key.clone(),
            nts_confirm_num: invoice.issued_at.map(|_| invoice.confirmation_number.clone()),
            state_code: invoice.state_code(now),
            write_date: invoice.write_date,
            supply: invoice.supply,
            tax: invoice.tax,
            buyer_corp_num: text("invoiceeCorpNum").unwrap_or_default(),
            buyer_name: text("invoiceeCorpName").unwrap_or_default(),
            modify_code: invoice.modify_code,
            org_nts_confirm_num: text("orgNTSConfirmNum").filter(|number| !number.is_empty()),
            issued_at: invoice.issued_at.map(KoreanTime),
            withdrawn_at: invoice.withdrawn_at.map(KoreanTime),
            sent_at: past(invoice.sent_at()),
            answered_at,
            nts_code: answered_at.map(|_| invoice.verdict.clone()),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InvoiceFilter {
    corp_num: Option<String>,
    mgt_key: Option<String>,
    /// Which of Popbill's views a link was made for. All of them show this list.
    #[serde(rename = "view")]
    _view: Option<String>,
}

pub(crate) fn invoices(world: &World, filter: &InvoiceFilter) -> Vec<IssuedInvoice> {
    let now = world.clock.now();
    let wanted = |invoice: &&Invoice| {
        filter.corp_num.as_ref().is_none_or(|number| invoice.corp_num == *number)
            && filter.mgt_key.as_ref().is_none_or(|key| invoice.mgt_key == *key)
    };
    let store = world.store();
    store.popbill.invoices().iter().filter(wanted).map(|invoice| IssuedInvoice::of(invoice, now)).collect()
}

/// Which document, and of whom if several sellers use the same id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verdict {
    mgt_key: String,
    corp_num: Option<String>,
    /// Absent: `SYN003`.
    code: Option<String>,
}

/// The tax service will refuse the document when it gets it.
pub(crate) fn reject(world: &World, verdict: Verdict) -> Result<IssuedInvoice, Complaint> {
    let code = verdict.code.unwrap_or_else(|| "SYN003".to_owned());
    change(world, &verdict.mgt_key, verdict.corp_num.as_deref(), |invoice, now| {
        if matches!(invoice.state_code(now), 304 | 600) {
            return Err(Complaint::new("WRONG_STATE", "이미 승인되었거나 발행 취소된 문서입니다."));
        }
        invoice.verdict.clone_from(&code);
        Ok(())
    })
}

/// The document goes to the tax service and is answered, now.
pub(crate) fn file(world: &World, target: &Verdict) -> Result<IssuedInvoice, Complaint> {
    change(world, &target.mgt_key, target.corp_num.as_deref(), |invoice, now| {
        if !matches!(invoice.state_code(now), 300..=303) {
            return Err(Complaint::new("WRONG_STATE", "전송할 수 있는 상태가 아닙니다."));
        }
        if let Some(code) = &target.code {
            invoice.verdict.clone_from(code);
        }
        invoice.file_and_answer(now);
        Ok(())
    })
}

fn change(
    world: &World,
    mgt_key: &str,
    corp_num: Option<&str>,
    make: impl FnOnce(&mut Invoice, DateTime<Utc>) -> Result<(), Complaint>,
) -> Result<IssuedInvoice, Complaint> {
    let now = world.clock.now();
    let mut store = world.store();
    let mut invoice = find(&store.popbill, mgt_key, corp_num)?.clone();
    make(&mut invoice, now)?;
    let changed = IssuedInvoice::of(&invoice, now);
    store
        .commit(vec![Record::Invoice(Box::new(invoice)).into()])
        .map_err(|error| Complaint::unwritten(&error))?;
    Ok(changed)
}

pub(super) fn look(world: &World, mgt_key: &str, corp_num: Option<&str>) -> Result<IssuedInvoice, Complaint> {
    let now = world.clock.now();
    find(&world.store().popbill, mgt_key, corp_num).map(|invoice| IssuedInvoice::of(invoice, now))
}

fn find<'a>(state: &'a State, mgt_key: &str, corp_num: Option<&str>) -> Result<&'a Invoice, Complaint> {
    let is_it = |invoice: &&Invoice| {
        invoice.mgt_key == mgt_key && corp_num.is_none_or(|number| invoice.corp_num == number)
    };
    let found = state.invoices().iter().find(is_it);
    found.ok_or_else(|| Complaint::new("NOT_FOUND", "해당하는 세금계산서가 없습니다."))
}

pub(crate) fn set_partner(world: &World, partner: Partner) -> Result<(), Complaint> {
    keep(world, Record::Partner(partner))
}

pub(crate) fn set_member(world: &World, member: Member) -> Result<(), Complaint> {
    if !is_business_number(&member.corp_num) {
        return Err(Complaint::new("INVALID_REQUEST", "corpNum은 유효한 사업자번호 10자리여야 합니다."));
    }
    keep(world, Record::Member(member))
}

/// Every token ends at once.
pub(crate) fn end_sessions(world: &World) -> Result<(), Complaint> {
    keep(world, Record::NoSessions)
}

fn keep(world: &World, record: Record) -> Result<(), Complaint> {
    world.store().commit(vec![record.into()]).map_err(|error| Complaint::unwritten(&error))
}
