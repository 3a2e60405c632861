//! What a payment paid for, as its papers say it.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{
    BillingCycle,
    payment::{PaidWith, PaymentId},
    subscription::Period,
};

/// What a payment paid for, as far as its papers say so.
pub(crate) struct Supply {
    pub paid_at: DateTime<Utc>,
    pub paid_with: Option<PaidWith>,
    /// One that came along, or one that was asked for and is not void.
    pub has_cash_receipt: bool,
    pub plan_name: String,
    pub cycle: BillingCycle,
    pub period: Period,
}

impl Supply {
    /// There is a card slip (신용카드매출전표).
    pub(crate) fn has_card_slip(&self) -> bool {
        self.paid_with == Some(PaidWith::Card)
    }

    /// `2026-02-14 ~ 2026-03-13`: the days, the last one included, as papers write it.
    pub(crate) fn days_paid_for(&self) -> String {
        let last = self.period.until.pred_opt().unwrap_or(self.period.until);
        format!("{} ~ {last}", self.period.from)
    }
}

/// None where it was never paid.
pub(crate) async fn of_payment(
    conn: &mut PgConnection,
    business: BusinessId,
    payment: PaymentId,
) -> sqlx::Result<Option<Supply>> {
    let row = sqlx::query!(
        r#"select p.approved_at as "paid_at!", p.paid_with as "paid_with: PaidWith",
                  (p.cash_receipt_number is not null
                      or exists (
                          select from billing.cash_receipt receipt
                          where receipt.business_id = p.business_id and receipt.payment_id = p.payment_id
                            and receipt.status in ('REQUESTED', 'PROCESSING', 'ISSUED'))) as "has_cash_receipt!",
                  plan.name as plan_name,
                  p.cycle as "cycle: BillingCycle", i.period_from, i.period_until
           from billing.payment p
           join billing.plan on plan.code = p.plan_code
           join billing.invoice i on i.business_id = p.business_id and i.invoice_id = p.invoice_id
           where p.business_id = $1 and p.payment_id = $2 and p.approved_at is not null"#,
        business.0,
        payment.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Supply {
        paid_at: row.paid_at,
        paid_with: row.paid_with,
        has_cash_receipt: row.has_cash_receipt,
        plan_name: row.plan_name,
        cycle: row.cycle,
        period: Period { from: row.period_from, until: row.period_until },
    }))
}
