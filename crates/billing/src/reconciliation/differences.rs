//! Looking into what differs: the provider is asked for the payment, and what that does not settle
//! becomes a case.

use pg_adapter::{Approval, Lookup, Outcome, TransactionKind};
use platform::SystemTx;

use super::ComparedDay;
use crate::{
    Billing, BillingError, CaseKind, PaymentStatus,
    case::Finding,
    payment::Payment,
    store::{
        self,
        reconciliation::{Difference, Side},
    },
};

/// How many are looked into before the books are compared again.
const AT_ONCE: i64 = 200;

impl Billing {
    /// Looks into every difference of the day once. Answers with how many there were.
    pub(super) async fn look_into_differences(&self, compared: &ComparedDay) -> Result<u64, BillingError> {
        let (mut found, mut passed) = (0, 0);
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            self.hold(&mut tx, compared).await?;
            // What was settled is gone from the list; what was not is passed over.
            let differences = store::reconciliation::differences(&mut tx, compared, passed, AT_ONCE).await?;
            let before = store::reconciliation::count_differences(&mut tx, compared).await?;
            tx.commit().await?;
            if differences.is_empty() {
                return Ok(found);
            }
            let looked_into = i64::try_from(differences.len()).unwrap_or(AT_ONCE);
            found += differences.len() as u64;
            for difference in &differences {
                if let Err(error) = self.look_into_difference(compared, difference).await {
                    tracing::error!(order = difference.order_id, %error, "a difference could not be looked into");
                }
            }
            let mut tx = SystemTx::begin(&self.db).await?;
            let settled = before - store::reconciliation::count_differences(&mut tx, compared).await?;
            tx.commit().await?;
            passed += (looked_into - settled).max(0);
        }
    }

    async fn look_into_difference(
        &self,
        compared: &ComparedDay,
        difference: &Difference,
    ) -> Result<(), BillingError> {
        let shown = self.gateway(compared.merchant).await?.find(&difference.payment_key).await;
        // An order of ours that was charged under another contract says nothing about this one.
        let ours = self.payment_of_order(&difference.order_id).await?;
        let ours = ours.filter(|ours| ours.merchant == compared.merchant);
        match (difference.side, shown, ours) {
            (Side::Theirs, Lookup::Approved(theirs), Some(ours)) => {
                self.look_into_theirs(difference, ours, theirs).await
            }
            (Side::Theirs, Lookup::Approved(theirs), None) => {
                let evidence = format!(
                    "it is in the list of {}, and no order of ours under this contract has its id",
                    compared.day
                );
                self.case(&Finding::stray(compared.merchant, &theirs, &evidence)).await
            }
            (Side::Ours, Lookup::Approved(theirs), Some(ours)) => {
                self.look_into_ours(compared, difference, ours, &theirs).await
            }
            (
                Side::Ours,
                Lookup::Failed(_) | Lookup::NotFound | Lookup::InProgress | Lookup::AwaitingDeposit(_),
                Some(ours),
            ) => {
                let evidence =
                    format!("it is not in the list of {}, and the provider denies it", compared.day);
                self.case(&Finding::about(&ours, CaseKind::MissingAtProvider, evidence)).await
            }
            // No answer, or a list that contradicts itself: it still differs, and the next run asks again.
            (Side::Theirs | Side::Ours, ..) => Ok(()),
        }
    }

    /// The provider has it and we do not: usually news that did not reach us.
    async fn look_into_theirs(
        &self,
        difference: &Difference,
        ours: Payment,
        theirs: Approval,
    ) -> Result<(), BillingError> {
        match ours.status {
            PaymentStatus::Pending | PaymentStatus::Failed | PaymentStatus::Expired => {
                self.settle(ours.business, ours.id, Outcome::Approved(theirs.clone())).await?;
                self.adopt_cancellations(ours.business, ours.id, &theirs).await
            }
            PaymentStatus::Requested => {
                let evidence = "it was charged, and we had not asked for it yet";
                self.case(&Finding::against(&ours, CaseKind::LateApproval, &theirs, evidence)).await
            }
            PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded
                if ours.payment_key.as_ref() != Some(&theirs.payment_key) =>
            {
                let evidence = "the provider charged the order a second time";
                self.case(&Finding::second_charge(&ours, &theirs, evidence)).await
            }
            PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded
                if difference.kind == TransactionKind::Charge =>
            {
                let evidence = format!("the list shows a charge of {}", difference.amount);
                self.case(&Finding::against(&ours, CaseKind::AmountDiffers, &theirs, &evidence)).await
            }
            PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded => {
                self.adopt_cancellations(ours.business, ours.id, &theirs).await
            }
        }
    }

    /// We have it, and the list does not. The payment itself may know better than the list.
    async fn look_into_ours(
        &self,
        compared: &ComparedDay,
        difference: &Difference,
        ours: Payment,
        theirs: &Approval,
    ) -> Result<(), BillingError> {
        let is_there = match difference.kind {
            TransactionKind::Charge => theirs.amount == difference.amount,
            TransactionKind::Cancel => theirs
                .cancellations
                .iter()
                .any(|cancel| Some(&cancel.transaction_key) == difference.transaction_key.as_ref()),
        };
        if is_there {
            return Ok(());
        }
        let evidence =
            format!("{} is not in the list of {}, nor in the payment", difference.amount, compared.day);
        let finding = match difference.refund {
            Some(refund) => Finding::missing_refund(&ours, refund, difference.amount, evidence),
            None => Finding::against(&ours, CaseKind::MissingAtProvider, theirs, &evidence),
        };
        self.case(&finding).await
    }

    async fn payment_of_order(&self, order_id: &str) -> Result<Option<Payment>, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let Some((business, id)) = store::payment::owner_of_order(&mut tx, order_id).await? else {
            return Ok(None);
        };
        Ok(store::payment::lock(&mut tx, business, id).await?)
    }

    async fn case(&self, finding: &Finding) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        self.open_case(&mut tx, finding).await?;
        tx.commit().await?;
        Ok(())
    }
}
