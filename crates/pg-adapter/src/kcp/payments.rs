//! Taking money, and asking what became of it.

use secrecy::ExposeSecret;

use super::{
    CARD, KcpGateway, Operation, errors, first_word, http::Answer, mapping, window::WindowData, wire,
};
use crate::{Approval, Charge, Confirm, Lookup, Outcome};

impl KcpGateway {
    pub(super) async fn charge_once(&self, request: &Charge) -> Outcome<Approval> {
        if !mapping::is_order_no(&request.order_id) {
            return Outcome::Declined(errors::refused_here("INVALID_ORDER_ID"));
        }
        if !request.amount.is_positive() {
            return Outcome::Declined(errors::refused_here("INVALID_AMOUNT"));
        }
        if !mapping::is_batch_key(&request.billing_key) {
            return Outcome::Declined(errors::refused_here("INVALID_BATCH_KEY"));
        }
        let amount = request.amount.get().to_string();
        let body = wire::ChargeRequest {
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            pay_method: "CARD",
            amount: &amount,
            card_mny: &amount,
            currency: "410",
            quota: "00",
            ordr_idxx: &request.order_id,
            good_name: &mapping::good_name(&request.order_name),
            card_tx_type: "11511000",
            bt_batch_key: request.billing_key.expose_secret(),
            bt_group_id: &self.group_id,
        };
        let answer = self.http.post(Operation::Charge, &request.order_id, "/gw/hub/v1/payment", &body).await;
        self.taken(Operation::Charge, answer, &request.order_id)
    }

    pub(super) async fn confirm_once(&self, request: &Confirm) -> Outcome<Approval> {
        if !mapping::is_order_no(&request.order_id) {
            return Outcome::Declined(errors::refused_here("INVALID_ORDER_ID"));
        }
        if !request.amount.is_positive() {
            return Outcome::Declined(errors::refused_here("INVALID_AMOUNT"));
        }
        let Some(window) = WindowData::read(&request.payment_key) else {
            return Outcome::Declined(errors::refused_here("INVALID_WINDOW_DATA"));
        };
        // The data comes from the payer's browser and may be that of another order.
        if window.order_no.as_ref().is_some_and(|order_no| *order_no != request.order_id) {
            return Outcome::Declined(errors::refused_here("WINDOW_DATA_OF_ANOTHER_ORDER"));
        }
        let body = wire::ConfirmRequest {
            tran_cd: &window.tran_cd,
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            enc_data: window.enc_data.expose_secret(),
            enc_info: window.enc_info.expose_secret(),
            ordr_mony: request.amount.get().to_string(),
            ordr_no: &request.order_id,
            pay_type: CARD,
        };
        let answer = self.http.post(Operation::Confirm, &request.order_id, "/gw/enc/v1/payment", &body).await;
        self.taken(Operation::Confirm, answer, &request.order_id)
    }

    fn taken(&self, operation: Operation, answer: Answer, order_id: &str) -> Outcome<Approval> {
        first_word(operation, answer, |fields| {
            match mapping::approved(&fields, order_id, &self.receipts, self.clock.now()) {
                Ok(approval) => Outcome::Approved(approval),
                Err(reason) => Outcome::Unknown(reason),
            }
        })
    }

    pub(super) async fn look_up(&self, tno: &str) -> Lookup {
        match self.inquire(tno).await {
            Answer::Accepted(fields) => mapping::found(&fields, tno, &self.receipts),
            Answer::Refused { status, code } if errors::is_not_found(&code) && !status.is_server_error() => {
                Lookup::NotFound
            }
            Answer::Refused { status, code } => Lookup::Unknown(format!("{status} {code}")),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Lookup::Unknown(reason),
        }
    }

    /// By KCP's number alone: an order number cannot be asked for.
    pub(super) async fn inquire(&self, tno: &str) -> Answer {
        if !mapping::is_tno(tno) {
            return Answer::Unclear("not a transaction number".to_owned());
        }
        // What is signed third is disputed; the guide says `pay_type`.
        let signature = match self.credentials.sign([&self.site_cd, tno, CARD]) {
            Ok(signature) => signature,
            Err(reason) => return Answer::NotSent(reason),
        };
        let body = wire::InquiryRequest {
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            kcp_sign_data: &signature,
            tno,
            pay_type: CARD,
        };
        self.http.post(Operation::LookUp, tno, "/std/inquery", &body).await
    }
}
