//! Using coupons and giving them back.

use kernel::{BusinessId, Krw};
use platform::TenantTx;

use crate::{
    Crm, CrmError,
    coupon::{CouponId, CouponRefusal, code::Code},
    event::{CrmEvent, Used},
    store::{
        coupon::{self, Held},
        redemption::{self, Redemption},
    },
};

/// What somebody wants to use a code for.
pub(crate) struct Use {
    pub code: Code,
    pub customer_id: i64,
    /// The shop's own name for it: a reservation, a receipt.
    pub reference: String,
    pub amount: Krw,
}

/// A code that is in use, or was.
pub(crate) struct UsedCode {
    pub coupon: CouponId,
    pub coupon_name: String,
    pub customer_id: i64,
    pub redemption: Redemption,
}

impl Crm {
    /// Uses a code for something. Asked again for the same thing at the same price, it answers the same and does nothing.
    pub(crate) async fn redeem(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: Use,
    ) -> Result<UsedCode, CrmError> {
        let held = coupon::lock_code(tx, business, &wanted.code).await?.ok_or(CouponRefusal::UnknownCode)?;
        if held.customer_id != wanted.customer_id {
            return Err(CouponRefusal::OfAnotherCustomer.into());
        }
        let known = redemption::of_code(tx, business, &wanted.code, &wanted.reference).await?;
        if let Some(same) = known.iter().find(|known| known.reference == wanted.reference) {
            return match same {
                // A repeat that arrives after it was given back is no new use.
                Redemption { restored_at: Some(_), .. } => Err(CouponRefusal::RestoredBefore.into()),
                same if same.amount != wanted.amount => Err(CouponRefusal::OtherAmount.into()),
                same => Ok(used(held, same.clone())),
            };
        }
        if !known.is_empty() {
            return Err(CouponRefusal::AlreadyRedeemed.into());
        }
        let discount = held.terms.discount_on(self.clock.today(), wanted.amount)?;
        let mut redemption = Redemption {
            reference: wanted.reference,
            amount: wanted.amount,
            discount,
            redeemed_at: self.clock.now(),
            restored_at: None,
        };
        redemption.redeemed_at = redemption::insert(tx, business, &wanted.code, &redemption).await?;
        let used = used(held, redemption);
        self.tell(tx, business, CrmEvent::CouponRedeemed(used.told())).await?;
        Ok(used)
    }

    /// Gives back what was used for something, so that the code can be used for something else. Asked again, it does nothing.
    pub(crate) async fn restore(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        code: &Code,
        reference: &str,
    ) -> Result<UsedCode, CrmError> {
        let held = coupon::lock_code(tx, business, code).await?.ok_or(CouponRefusal::UnknownCode)?;
        let known = redemption::of_code(tx, business, code, reference).await?;
        let same = known.into_iter().find(|known| known.reference == reference);
        let mut used = used(held, same.ok_or(CouponRefusal::NotRedeemed)?);
        if used.redemption.restored_at.is_none() {
            let now = self.clock.now();
            used.redemption.restored_at =
                Some(redemption::restore(tx, business, code, reference, now).await?);
            self.tell(tx, business, CrmEvent::CouponRestored(used.told())).await?;
        }
        Ok(used)
    }

    async fn tell(&self, tx: &mut TenantTx, business: BusinessId, event: CrmEvent) -> sqlx::Result<()> {
        platform::events::publish(tx, business, self.clock.now(), &event).await
    }
}

fn used(held: Held, redemption: Redemption) -> UsedCode {
    UsedCode { coupon: held.coupon, coupon_name: held.name, customer_id: held.customer_id, redemption }
}

impl UsedCode {
    fn told(&self) -> Used {
        Used {
            coupon_id: self.coupon,
            customer_id: self.customer_id,
            reference: self.redemption.reference.clone(),
            amount: self.redemption.amount,
            discount: self.redemption.discount,
        }
    }
}
