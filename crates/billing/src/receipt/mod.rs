//! The receipt of a payment: the provider's where it has one, and a page of our own for every payment.

mod html;

use kernel::{BusinessId, Krw};
use platform::TenantTx;

pub(crate) use html::html;

use crate::{
    Billing, BillingError,
    http::view::{PaymentDetail, PaymentView},
    payment::PaymentId,
    refund::RefundStatus,
    store::{self, supply::Supply},
};

/// A payment that was made, and what it was for.
pub(crate) struct Receipt {
    pub detail: PaymentDetail,
    pub supply: Supply,
}

impl Billing {
    /// Refused for a payment that was never made.
    pub(crate) async fn receipt(
        &self,
        business: BusinessId,
        payment: PaymentId,
    ) -> Result<Receipt, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let detail = store::view::payment(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        let supply = store::supply::of_payment(&mut tx, business, payment).await?;
        tx.commit().await?;
        let supply = supply.filter(|_| detail.payment.status.is_paid()).ok_or(BillingError::NotPaid)?;
        Ok(Receipt { detail, supply })
    }
}

impl Receipt {
    pub(crate) fn payment(&self) -> &PaymentView {
        &self.detail.payment
    }

    /// The provider's page, or ours where it has none.
    pub(crate) fn url(&self) -> String {
        let ours = || format!("/api/payments/{}/receipt/page", self.payment().payment_id);
        self.payment().receipt_url.clone().unwrap_or_else(ours)
    }

    /// `삼성카드 1234`: the issuer, and what the provider leaves readable of the last four digits.
    pub(crate) fn card_info(&self) -> Option<String> {
        let company = self.payment().card_company.as_deref()?;
        let last_four = self.payment().card_number.as_deref().and_then(|number| number.rsplit('-').next());
        // A wallet or an account comes without a number.
        let readable = last_four.filter(|digits| digits.chars().any(|c| c.is_ascii_digit()));
        Some([Some(company), readable].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }

    /// The refunds that came about.
    pub(crate) fn refunds(&self) -> impl Iterator<Item = &crate::http::view::RefundView> {
        self.detail.refunds.iter().filter(|refund| refund.status == RefundStatus::Success)
    }

    /// What was paid and has not gone back.
    pub(crate) fn left(&self) -> Krw {
        let payment = self.payment();
        payment.amount.checked_sub(payment.refunded_amount).unwrap_or(Krw::ZERO)
    }
}
