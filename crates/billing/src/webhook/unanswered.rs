//! No answer is not an answer: a webhook about which the provider says nothing waits, and is not
//! forgotten where nothing else would tell of its charge.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Billing, BillingError, CaseKind,
    case::Finding,
    payment::{Payment, PaymentStatus},
    store::webhook::DueWebhook,
};

/// How long the provider is asked about a webhook that it does not answer about.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(3);

const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

impl Billing {
    /// When to ask again; none if it was asked for long enough, and a person has to. It had no turn as long
    /// as nobody answered, so none is counted.
    pub(super) async fn after_no_answer(
        &self,
        webhook: DueWebhook,
        ours: Option<&Payment>,
    ) -> (DueWebhook, Option<DateTime<Utc>>) {
        let now = self.clock.now();
        let waited = now - webhook.received_at;
        if waited < GIVEN_UP_AFTER {
            // Waiting as long again as it has waited.
            let pause = waited.clamp(TimeDelta::seconds(10), LONGEST_PAUSE);
            let again = DueWebhook { tries: webhook.tries - 1, ..webhook };
            return (again, Some(now + pause));
        }
        if let Err(error) = self.give_up_on(&webhook, ours).await {
            tracing::error!(%error, "a webhook could not be put aside; tried again later");
            return (webhook, Some(now + LONGEST_PAUSE));
        }
        (webhook, None)
    }

    async fn give_up_on(&self, webhook: &DueWebhook, ours: Option<&Payment>) -> Result<(), BillingError> {
        let lists_transactions = self.gateways.capabilities(webhook.merchant.provider).lists_transactions;
        // Else a charge that matters is in the provider's list.
        if let Some(finding) = unheard(webhook, ours).filter(|_| !lists_transactions) {
            self.leave_to_a_person(&finding).await?;
        } else {
            tracing::error!(
                merchant = %webhook.merchant, kind = webhook.kind, order = webhook.order_id,
                "the provider did not answer about a webhook for days; it is put aside"
            );
        }
        Ok(())
    }
}

/// The charge that a webhook told of, for a person to find out about.
fn unheard(webhook: &DueWebhook, ours: Option<&Payment>) -> Option<Finding> {
    let evidence =
        format!("a webhook ({}) told of it, and for days the provider gave no answer", webhook.kind);
    let payment_key = webhook.payment_key.clone();
    let Some(ours) = ours else {
        let payment_key = payment_key?;
        return Some(Finding {
            kind: CaseKind::UnknownCharge,
            // As the same charge is called where the provider shows it.
            subject: format!("{} {payment_key}", webhook.merchant),
            merchant: webhook.merchant,
            business: None,
            payment: None,
            refund: None,
            order_id: webhook.order_id.clone(),
            payment_key: Some(payment_key),
            our_amount: None,
            their_amount: None,
            evidence,
        });
    };
    let kind = match ours.status {
        PaymentStatus::Pending => CaseKind::ChargeUnknown,
        PaymentStatus::Requested | PaymentStatus::Failed | PaymentStatus::Expired => CaseKind::LateApproval,
        // What it was charged we know.
        PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded => return None,
    };
    Some(Finding { payment_key, ..Finding::about(ours, kind, evidence) })
}
