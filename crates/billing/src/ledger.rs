//! The double-entry ledger: what moved, between which accounts.
//!
//! Every posting adds up to nothing; the database checks it again. A payment is posted when it is
//! approved, a refund when it is completed, in the same transaction, so that the ledger and the
//! payments can never tell different stories.

use kernel::{BusinessId, Krw};
use pg_adapter::Provider;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    payment::{Payment, PaymentId},
    refund::RefundId,
};

/// Where money can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Account {
    /// Asset: what the provider owes us.
    ProviderReceivable,
    /// Income: the value of supply (공급가액).
    Revenue,
    /// Liability: VAT (부가세) that was collected for the tax office.
    VatPayable,
    /// Expense: what the provider keeps.
    ProviderFees,
    /// Expense: what nobody will pay any more.
    WriteOffs,
}

impl Account {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ProviderReceivable => "PROVIDER_RECEIVABLE",
            Self::Revenue => "REVENUE",
            Self::VatPayable => "VAT_PAYABLE",
            Self::ProviderFees => "PROVIDER_FEES",
            Self::WriteOffs => "WRITE_OFFS",
        }
    }
}

/// Why something was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostingKind {
    Approval,
    Refund(RefundId),
    Fee,
    FeeRefund(RefundId),
    WriteOff,
}

impl PostingKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "APPROVAL",
            Self::Refund(_) => "REFUND",
            Self::Fee => "FEE",
            Self::FeeRefund(_) => "FEE_REFUND",
            Self::WriteOff => "WRITE_OFF",
        }
    }

    pub(crate) fn refund(self) -> Option<RefundId> {
        match self {
            Self::Refund(id) | Self::FeeRefund(id) => Some(id),
            Self::Approval | Self::Fee | Self::WriteOff => None,
        }
    }
}

/// One ledger transaction: entries that add up to nothing.
#[derive(Clone, Debug)]
pub(crate) struct Posting {
    pub id: Uuid,
    pub business: BusinessId,
    pub provider: Provider,
    pub payment: PaymentId,
    pub kind: PostingKind,
    /// Won: debits positive, credits negative.
    pub entries: Vec<(Account, i64)>,
}

/// What a provider keeps of each payment, in hundredths of a percent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FeeRate(pub i32);

impl FeeRate {
    /// The fee on an amount, to the won, half up.
    fn of(self, amount: Krw) -> i64 {
        let fee = i128::from(amount.get()) * i128::from(self.0);
        i64::try_from((fee + 5_000) / 10_000).unwrap_or(i64::MAX)
    }
}

/// What a provider kept of one payment when it was approved, won.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fee(pub i64);

impl Fee {
    /// What it keeps when `remaining` is left of the payment, to the won, half up.
    fn left(self, payment: &Payment, remaining: Krw) -> i64 {
        let (fee, remaining, amount) =
            (i128::from(self.0), i128::from(remaining.get()), i128::from(payment.amount.get()));
        // No payment is of nothing.
        i64::try_from((2 * fee * remaining + amount) / (2 * amount).max(1)).unwrap_or(self.0)
    }
}

impl Posting {
    /// The payment was approved: the provider owes us the price, and keeps its fee.
    pub(crate) fn approval(payment: &Payment, fee: FeeRate) -> Vec<Self> {
        let split = payment.amount.split_vat();
        let price = Self::new(
            payment,
            PostingKind::Approval,
            [
                (Account::ProviderReceivable, payment.amount.get()),
                (Account::Revenue, -split.supply.get()),
                (Account::VatPayable, -split.vat.get()),
            ],
        );
        let kept = Self::fee(payment, PostingKind::Fee, fee.of(payment.amount));
        [price, kept].into_iter().flatten().collect()
    }

    /// An amount of the payment went back, with `remaining` left of it. VAT is counted from what is
    /// left before and after, and so is the fee, so that the parts of a payment given back add up to
    /// the whole of it.
    pub(crate) fn refund(
        payment: &Payment,
        refund: RefundId,
        amount: Krw,
        remaining: Krw,
        fee: Fee,
    ) -> Vec<Self> {
        let before = Krw::won(remaining.get() + amount.get());
        let vat = before.split_vat().vat.get() - remaining.split_vat().vat.get();
        let price = Self::new(
            payment,
            PostingKind::Refund(refund),
            [
                (Account::ProviderReceivable, -amount.get()),
                (Account::Revenue, amount.get() - vat),
                (Account::VatPayable, vat),
            ],
        );
        let kept = fee.left(payment, remaining) - fee.left(payment, before);
        let kept = Self::fee(payment, PostingKind::FeeRefund(refund), kept);
        [price, kept].into_iter().flatten().collect()
    }

    /// What the provider owes us for a payment, won, will never come.
    pub(crate) fn write_off(payment: &Payment, owed: i64) -> Vec<Self> {
        let entries = [(Account::WriteOffs, owed), (Account::ProviderReceivable, -owed)];
        Self::new(payment, PostingKind::WriteOff, entries).into_iter().collect()
    }

    fn fee(payment: &Payment, kind: PostingKind, fee: i64) -> Option<Self> {
        Self::new(payment, kind, [(Account::ProviderFees, fee), (Account::ProviderReceivable, -fee)])
    }

    /// None where nothing moves: entries of nothing are left out.
    fn new<const N: usize>(
        payment: &Payment,
        kind: PostingKind,
        entries: [(Account, i64); N],
    ) -> Option<Self> {
        let entries: Vec<_> = entries.into_iter().filter(|(_, amount)| *amount != 0).collect();
        (!entries.is_empty()).then(|| Self {
            id: Uuid::new_v4(),
            business: payment.business,
            provider: payment.merchant.provider,
            payment: payment.id,
            kind,
            entries,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::merchant::Merchant;
    use crate::{BillingCycle, PaymentReason, PaymentStatus};

    fn payment(amount: i64) -> Payment {
        Payment {
            business: BusinessId(1),
            id: PaymentId(101),
            order_id: "dg1".to_owned(),
            merchant: Merchant::platform(Provider::Toss),
            reason: PaymentReason::First,
            invoice: None,
            method: None,
            customer_key: None,
            plan_code: "BASIC".to_owned(),
            cycle: BillingCycle::Monthly,
            amount: Krw::won(amount),
            refunded: Krw::ZERO,
            status: PaymentStatus::Success,
            payment_key: None,
            sent_at: None,
            checks: 0,
            failure: None,
        }
    }

    fn balances(postings: &[Posting]) -> HashMap<Account, i64> {
        let mut balances = HashMap::new();
        for (account, amount) in postings.iter().flat_map(|posting| &posting.entries) {
            *balances.entry(*account).or_insert(0) += amount;
        }
        balances
    }

    #[test]
    fn an_approval_says_who_owes_what() {
        let posted = balances(&Posting::approval(&payment(29_000), FeeRate(290)));
        assert_eq!(
            posted,
            HashMap::from([
                (Account::ProviderReceivable, 29_000 - 841),
                (Account::Revenue, -26_364),
                (Account::VatPayable, -2_636),
                (Account::ProviderFees, 841),
            ])
        );
    }

    proptest! {
        #[test]
        fn every_posting_balances_and_a_payment_given_back_in_parts_leaves_nothing(
            amount in 1..10_000_000i64,
            cuts in prop::collection::vec(0..10_000_000i64, 0..8),
            fee in 0..=10_000,
        ) {
            let payment = payment(amount);
            let mut postings = Posting::approval(&payment, FeeRate(fee));
            let fee = Fee(FeeRate(fee).of(payment.amount));
            let mut remaining = amount;
            for part in cuts.into_iter().map(|cut| cut % amount).chain([amount]) {
                let part = part.min(remaining);
                if part > 0 {
                    remaining -= part;
                    let refund = RefundId(Uuid::new_v4());
                    postings.extend(Posting::refund(&payment, refund, Krw::won(part), Krw::won(remaining), fee));
                }
            }
            for posting in &postings {
                prop_assert_eq!(posting.entries.iter().map(|(_, amount)| amount).sum::<i64>(), 0);
                prop_assert!(posting.entries.iter().all(|(_, amount)| *amount != 0));
            }
            prop_assert!(balances(&postings).values().all(|balance| *balance == 0));
        }
    }
}
