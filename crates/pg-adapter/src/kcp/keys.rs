//! Batch keys: issuing and deleting them.

use secrecy::ExposeSecret;

use super::{
    KcpGateway, Operation,
    errors::{self, Verdict},
    first_word,
    http::Answer,
    mapping,
    window::WindowData,
    wire,
};
use crate::{BillingKeySecret, IssueBillingKey, IssuedBillingKey, Outcome};

impl KcpGateway {
    /// The window's data is good once. A key whose answer was lost cannot be fetched any more: the
    /// payer registers the card again, and the lost key is one that nobody can charge.
    pub(super) async fn issue(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        let Some(window) = WindowData::read(request.auth_key.expose_secret()) else {
            return Outcome::Declined(errors::refused_here("INVALID_WINDOW_DATA"));
        };
        let body = wire::IssueRequest {
            tran_cd: &window.tran_cd,
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            enc_data: window.enc_data.expose_secret(),
            enc_info: window.enc_info.expose_secret(),
        };
        let answer =
            self.http.post(Operation::Issue, &request.idempotency_key, "/gw/enc/v1/payment", &body).await;
        first_word(Operation::Issue, answer, |fields| mapping::issued(&fields, &window))
    }

    pub(super) async fn delete(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        if !mapping::is_batch_key(billing_key) {
            return Outcome::Declined(errors::refused_here("INVALID_BATCH_KEY"));
        }
        let body = wire::DeleteRequest {
            site_cd: &self.site_cd,
            kcp_cert_info: self.credentials.certificate(),
            pay_method: "BATCH",
            batch_key: billing_key.expose_secret(),
            group_id: &self.group_id,
            tx_type: "10005010",
        };
        match self.http.post(Operation::Delete, "", "/gw/hub/v1/payment", &body).await {
            Answer::Refused { status, code }
                if errors::judge(Operation::Delete, status, &code) == Verdict::Gone =>
            {
                tracing::warn!(code, "kcp does not know the batch key that was to be deleted");
                Outcome::Approved(())
            }
            answer => first_word(Operation::Delete, answer, |_| Outcome::Approved(())),
        }
    }
}
