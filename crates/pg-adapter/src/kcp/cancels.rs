//! Giving money back.
//!
//! KCP has no idempotency key, and no reference travels with a cancel. Two things keep one cancel from
//! counting twice. Before anything is sent an inquiry tells what is left: what was left before, then
//! nothing happened yet; less by exactly our amount, then it did. And `rem_mny`, what is left before a
//! partial cancel, is a lock: only the first request that names it goes through, and because what is
//! left only ever shrinks, it never becomes right again. A whole cancel can happen only once anyway.

use super::{
    KcpGateway, Operation,
    errors::{self, Verdict},
    http::Answer,
    mapping, wire,
};
use crate::{Approval, Cancel, Cancellation, Lookup, Outcome};

/// Everything at once, of a payment of which nothing was given back yet.
const WHOLE: &str = "STSC";
const PART: &str = "STPC";

impl KcpGateway {
    pub(super) async fn cancel_once(&self, request: &Cancel) -> Outcome<Cancellation> {
        if !mapping::is_tno(&request.payment_key) || !request.amount.is_positive() {
            return Outcome::Declined(errors::refused_here("INVALID_CANCEL"));
        }
        if request.amount > request.remaining_before {
            return Outcome::Declined(errors::nothing_left());
        }
        let payment = match self.payment_of(request).await {
            Ok(payment) => payment,
            Err(unread) => return unread,
        };
        if let Some(made) = payment.made_by(request) {
            return Outcome::Approved(made);
        }
        if payment.remaining != request.remaining_before {
            return Outcome::Unknown(format!(
                "{} won are left at kcp, {} in our books",
                payment.remaining.get(),
                request.remaining_before.get()
            ));
        }
        self.send(request, &payment).await
    }

    async fn send(&self, request: &Cancel, payment: &Approval) -> Outcome<Cancellation> {
        let untouched = payment.remaining == payment.amount;
        let mod_type = if untouched && request.amount == payment.amount { WHOLE } else { PART };
        let signature = match self.credentials.sign([&self.site_cd, &request.payment_key, mod_type]) {
            Ok(signature) => signature,
            Err(reason) => return Outcome::NotSent(reason),
        };
        let of_part = |amount: kernel::Krw| (mod_type == PART).then(|| amount.get().to_string());
        let body = wire::CancelRequest {
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            kcp_sign_data: &signature,
            mod_type,
            tno: &request.payment_key,
            mod_mny: of_part(request.amount),
            rem_mny: of_part(request.remaining_before),
            mod_desc: &mapping::reason(&request.reason),
        };
        match self.http.post(Operation::Cancel, &request.reference, "/gw/mod/v1/cancel", &body).await {
            Answer::Accepted(fields) => match mapping::canceled(&fields, request) {
                Ok(cancellation) => Outcome::Approved(cancellation),
                Err(reason) => Outcome::Unknown(reason),
            },
            Answer::Refused { status, code } => match errors::judge(Operation::Cancel, status, &code) {
                Verdict::Declined(decline) => Outcome::Declined(decline),
                Verdict::LookUpOr(decline) => match self.canceled_meanwhile(request, &code).await {
                    Found::AsBefore => Outcome::Declined(decline),
                    Found::Settled(outcome) => outcome,
                },
                Verdict::LookUp => match self.canceled_meanwhile(request, &code).await {
                    Found::AsBefore => {
                        Outcome::Unknown(format!("{code}, and the payment is as it was before"))
                    }
                    Found::Settled(outcome) => outcome,
                },
                Verdict::Gone | Verdict::Unknown => Outcome::Unknown(format!("{status} {code}")),
            },
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    async fn canceled_meanwhile(&self, request: &Cancel, code: &str) -> Found {
        match self.payment_of(request).await {
            Ok(payment) => match payment.made_by(request) {
                Some(made) => Found::Settled(Outcome::Approved(made)),
                None if payment.remaining == request.remaining_before => Found::AsBefore,
                None => Found::Settled(Outcome::Unknown(format!("{code}, and another amount is left"))),
            },
            // That this inquiry was not sent says nothing about the cancel, which was.
            Err(Outcome::NotSent(reason)) => Found::Settled(Outcome::Unknown(reason)),
            Err(unread) => Found::Settled(unread),
        }
    }

    /// The payment, or why nothing can be said: a refused inquiry is no word about the cancel.
    async fn payment_of(&self, request: &Cancel) -> Result<Approval, Outcome<Cancellation>> {
        let unknown = |reason: String| Err(Outcome::Unknown(reason));
        match self.inquire(&request.payment_key).await {
            Answer::Accepted(fields) => match mapping::found(&fields, &request.payment_key, &self.receipts) {
                Lookup::Approved(payment) => Ok(payment),
                Lookup::Unknown(reason) => unknown(reason),
                other => unknown(format!("the payment to cancel is {other:?}")),
            },
            Answer::Refused { status, code } => unknown(format!("the inquiry got {status} {code}")),
            Answer::NotSent(reason) => Err(Outcome::NotSent(reason)),
            Answer::Unclear(reason) => unknown(reason),
        }
    }
}

/// What a second inquiry shows.
enum Found {
    /// Nothing was given back.
    AsBefore,
    Settled(Outcome<Cancellation>),
}
