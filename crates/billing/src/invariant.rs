//! What must always be true of the books, looked at every few minutes.
//!
//! The SQL is `billing.invariant_violations`, one query an invariant, so that an operator can ask it
//! for the rows themselves. Each name stands in `docs/operations.md` with what to do about it.

use platform::SystemTx;

use crate::{Billing, BillingError, store};

/// The names, as the SQL has them.
pub const INVARIANTS: [&str; 13] = [
    "access_without_payment",
    "ledger_differs_from_payment",
    "ledger_imbalance",
    "paid_invoice_without_payment",
    "payment_without_paid_invoice",
    "refunds_differ_from_payment",
    "stranded_subscription",
    "stuck_attempt",
    "stuck_cash_receipt",
    "stuck_refund",
    "stuck_tax_invoice",
    "two_approvals_for_an_invoice",
    "two_open_attempts_for_an_invoice",
];

impl Billing {
    /// Looks whether all of them hold, and leaves the counts for `/metrics`.
    pub async fn check_invariants(&self) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::invariant::check(&mut tx, &INVARIANTS, self.clock.now()).await?;
        let found = store::invariant::last(&mut tx).await?;
        tx.commit().await?;
        for check in found.iter().filter(|check| check.violations > 0) {
            tracing::error!(
                invariant = check.invariant,
                violations = check.violations,
                "an invariant is violated"
            );
        }
        Ok(())
    }
}
