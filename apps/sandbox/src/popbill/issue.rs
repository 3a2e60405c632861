//! Saving, issuing, withdrawing and filing documents.

use chrono::{DateTime, Utc};
use kernel::korean_day;
use serde_json::{Value, json};

use super::{
    errors::{self, Refusal},
    exchange::json_reply,
    form::{Form, IssueForm},
    invoice::{ACCEPTED, Invoice},
    rules,
    state::{Certificate, Member, Record, State},
    switches::PopbillSwitches,
};
use crate::wire::Reply;

/// What an operation makes of a request: the answer, and what changes with it. A refusal may leave
/// something behind too.
pub(super) struct Change {
    pub(super) answer: Result<Reply, Refusal>,
    pub(super) records: Vec<Record>,
}

impl From<Refusal> for Change {
    fn from(refusal: Refusal) -> Self {
        Self { answer: Err(refusal), records: Vec::new() }
    }
}

pub(super) struct Seller<'a> {
    pub(super) state: &'a State,
    pub(super) corp_num: &'a str,
    pub(super) now: DateTime<Utc>,
    pub(super) switches: PopbillSwitches,
}

impl Seller<'_> {
    pub(super) fn regist_issue(&self, body: &[u8]) -> Result<Change, Refusal> {
        let member = self.member()?;
        let (form, mut invoice) = match self.read(body) {
            Ok(read) => read,
            // An invalid certificate is found first, whatever else is wrong. Unverified.
            Err(refusal) => return Err(self.ready(&member).err().unwrap_or(refusal)),
        };
        if let Err(refusal) = self.ready(&member) {
            let left = self.switches.refused_issues_stay_saved && self.is_free(&invoice.mgt_key);
            let records = if left { vec![Record::Invoice(Box::new(invoice))] } else { Vec::new() };
            return Ok(Change { answer: Err(refusal), records });
        }
        self.check_free(&invoice.mgt_key)?;
        self.check_time(&invoice, form.force_issue)?;
        invoice.issue(self.now);
        Ok(self.issued(invoice, member))
    }

    pub(super) fn register(&self, body: &[u8]) -> Result<Change, Refusal> {
        self.member()?;
        let (_, invoice) = self.read(body)?;
        self.check_free(&invoice.mgt_key)?;
        Ok(Change { answer: Ok(done()), records: vec![Record::Invoice(Box::new(invoice))] })
    }

    pub(super) fn issue_saved(&self, key: &str, body: &[u8]) -> Result<Change, Refusal> {
        let member = self.member()?;
        let mut invoice = self.find(key)?.clone();
        let form: IssueForm = read_json(body)?;
        self.ready(&member)?;
        if invoice.issued_at.is_some() {
            return Err(Refusal::new(errors::WRONG_STATE));
        }
        self.check_time(&invoice, form.force_issue)?;
        invoice.issue(self.now);
        Ok(self.issued(invoice, member))
    }

    pub(super) fn withdraw(&self, key: &str) -> Result<Change, Refusal> {
        let mut invoice = self.find(key)?.clone();
        if !matches!(invoice.state_code(self.now), 300 | 301) {
            return Err(Refusal::new(errors::WRONG_STATE));
        }
        invoice.withdrawn_at = Some(self.now);
        Ok(Change { answer: Ok(done()), records: vec![Record::Invoice(Box::new(invoice))] })
    }

    /// `SendToNTS`: into the queue now, not tomorrow.
    pub(super) fn file(&self, key: &str) -> Result<Change, Refusal> {
        let mut invoice = self.find(key)?.clone();
        if !matches!(invoice.state_code(self.now), 300 | 301) {
            return Err(Refusal::new(errors::WRONG_STATE));
        }
        invoice.filing_at = Some(self.now);
        Ok(Change { answer: Ok(done()), records: vec![Record::Invoice(Box::new(invoice))] })
    }

    pub(super) fn find(&self, key: &str) -> Result<&Invoice, Refusal> {
        rules::check_key(key)?;
        let missing = || Refusal::new(self.switches.missing_document_code);
        self.state.invoice(self.corp_num, key).ok_or_else(missing)
    }

    fn member(&self) -> Result<Member, Refusal> {
        let member = self.state.member(self.corp_num);
        if member.is_member { Ok(member) } else { Err(Refusal::new(errors::NOT_A_MEMBER)) }
    }

    fn ready(&self, member: &Member) -> Result<(), Refusal> {
        match member.certificate {
            Certificate::Valid => {}
            Certificate::Invalid => return Err(Refusal::new(errors::CERTIFICATE_INVALID)),
            Certificate::Missing => return Err(Refusal::new(errors::CERTIFICATE_MISSING)),
        }
        if member.points == Some(0) {
            return Err(Refusal::named(self.switches.low_points_code, "포인트가 부족합니다."));
        }
        Ok(())
    }

    fn read(&self, body: &[u8]) -> Result<(Form, Invoice), Refusal> {
        let value: Value = read_json(body)?;
        let form: Form =
            serde_json::from_value(value.clone()).map_err(|_| Refusal::new(errors::UNREADABLE))?;
        let checked =
            rules::check(self.state, self.corp_num, &form, self.switches.any_buyer_number, self.now)?;
        let day = korean_day(self.now).format("%Y%m%d");
        let serial = self.state.invoices().len() + 1;
        let invoice = Invoice {
            corp_num: self.corp_num.to_owned(),
            mgt_key: form.invoicer_mgt_key.clone(),
            item_key: format!("{day}{serial:010}"),
            confirmation_number: format!("{day}41000000{serial:08}"),
            write_date: checked.write_date,
            supply: checked.supply,
            tax: checked.tax,
            modify_code: checked.modify_code,
            form: value,
            saved_at: self.now,
            issued_at: None,
            withdrawn_at: None,
            filing_at: None,
            verdict: ACCEPTED.to_owned(),
        };
        Ok((form, invoice))
    }

    fn is_free(&self, key: &str) -> bool {
        self.state.invoice(self.corp_num, key).is_none()
    }

    fn check_free(&self, key: &str) -> Result<(), Refusal> {
        if self.is_free(key) {
            Ok(())
        } else {
            Err(Refusal::named(self.switches.duplicate_key_code, "이미 사용 중인 문서번호입니다."))
        }
    }

    fn check_time(&self, invoice: &Invoice, force_issue: bool) -> Result<(), Refusal> {
        if !force_issue && rules::is_late(invoice.write_date, self.now) {
            return Err(Refusal::new(errors::TOO_LATE));
        }
        Ok(())
    }

    fn issued(&self, invoice: Invoice, mut member: Member) -> Change {
        let mut answer = json!({"code": 1, "message": "발행이 완료되었습니다."});
        if !self.switches.no_number_in_answers {
            answer["ntsConfirmNum"] = invoice.confirmation_number.clone().into();
        }
        let mut records = vec![Record::Invoice(Box::new(invoice))];
        if let Some(points) = &mut member.points {
            *points -= 1;
            records.push(Record::Member(member));
        }
        Change { answer: Ok(json_reply(answer.to_string())), records }
    }
}

fn done() -> Reply {
    json_reply(json!({"code": 1, "message": "성공"}).to_string())
}

fn read_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::new(errors::UNREADABLE))
}
