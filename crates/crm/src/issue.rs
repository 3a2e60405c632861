//! Giving out coupons.

use kernel::BusinessId;
use platform::{
    FieldError, TenantTx,
    features::{self, Feature},
};

use crate::{
    Crm, CrmError,
    coupon::{CouponId, CouponRefusal, code::Code},
    store::{
        coupon::{self, Changeable, IssuedCode},
        customer,
    },
};

/// So many customers at once.
pub(crate) const MOST_AT_ONCE: usize = 1_000;

impl Crm {
    /// Gives each of some customers a code. Who has one already keeps it, so that asking twice gives nobody two.
    pub(crate) async fn issue_codes(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CouponId,
        customers: &[i64],
    ) -> Result<Vec<IssuedCode>, CrmError> {
        let found = coupon::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        let known = customer::known(tx, business, customers).await?;
        let unknown = customers.iter().enumerate().filter(|(_, customer)| !known.contains(customer));
        let errors: Vec<_> = unknown.map(|(position, _)| unknown_customer(position)).collect();
        if !errors.is_empty() {
            return Err(CrmError::Invalid(errors));
        }
        self.give_missing(tx, business, id, found, &known).await?;
        let limit = i64::try_from(known.len()).unwrap_or(i64::MAX);
        Ok(coupon::codes(tx, business, id, Some(&known), None, limit).await?)
    }

    async fn give_missing(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CouponId,
        found: Changeable,
        customers: &[i64],
    ) -> Result<(), CrmError> {
        let today = self.clock.today();
        let wanted = i64::try_from(customers.len()).unwrap_or(i64::MAX);
        let have = coupon::codes(tx, business, id, Some(customers), None, wanted).await?;
        let has_one = |customer: &i64| have.iter().any(|code| code.customer_id == *customer);
        let missing: Vec<i64> = customers.iter().copied().filter(|customer| !has_one(customer)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if found.stopped_at.is_some() {
            return Err(CouponRefusal::Stopped.into());
        }
        if found.valid_until < today {
            return Err(CouponRefusal::Expired(found.valid_until).into());
        }
        self.give(tx, business, id, found, missing).await
    }

    /// Gives as many of some customers a code as may have one. Answers with all of their codes that can be used.
    pub(crate) async fn give_as_far_as(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CouponId,
        customers: &[i64],
    ) -> Result<Vec<IssuedCode>, CrmError> {
        let Some(found) = coupon::lock(tx, business, id).await? else { return Ok(Vec::new()) };
        if found.valid_until < self.clock.today() {
            return Ok(Vec::new());
        }
        let wanted = i64::try_from(customers.len()).unwrap_or(i64::MAX);
        let have = coupon::codes(tx, business, id, Some(customers), None, wanted).await?;
        let has_one = |customer: &i64| have.iter().any(|code| code.customer_id == *customer);
        let mut missing: Vec<i64> = customers.iter().copied().filter(|customer| !has_one(customer)).collect();
        let room = match (found.stopped_at, found.total_limit) {
            (Some(_), _) => 0,
            (None, Some(limit)) => usize::try_from(limit.saturating_sub(found.issued)).unwrap_or(0),
            (None, None) => usize::MAX,
        };
        missing.truncate(room);
        if !missing.is_empty() {
            self.give(tx, business, id, found, missing).await?;
        }
        let codes = coupon::codes(tx, business, id, Some(customers), None, wanted).await?;
        Ok(codes.into_iter().filter(|code| code.redeemed_at.is_none()).collect())
    }

    /// Each of some customers who have none.
    async fn give(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CouponId,
        found: Changeable,
        mut missing: Vec<i64>,
    ) -> Result<(), CrmError> {
        let now = self.clock.now();
        let wanted = i64::try_from(missing.len()).unwrap_or(i64::MAX);
        let issued = i32::try_from(missing.len()).ok().and_then(|more| found.issued.checked_add(more));
        let issued = issued.filter(|issued| found.total_limit.is_none_or(|limit| *issued <= limit));
        let issued = issued.ok_or(CouponRefusal::LimitReached)?;
        // A code that there is already is not given a second time; whoever got none is given another.
        while !missing.is_empty() {
            let codes: Vec<_> = missing.iter().map(|customer| (Code::random(), *customer)).collect();
            coupon::insert_codes(tx, business, now, id, &codes).await?;
            let given = coupon::codes(tx, business, id, Some(&missing), None, wanted).await?;
            missing.retain(|customer| !given.iter().any(|code| code.customer_id == *customer));
        }
        coupon::update(tx, business, now, id, &Changeable { issued, ..found }).await?;
        Ok(())
    }
}

fn unknown_customer(position: usize) -> FieldError {
    FieldError {
        field: format!("customerIds[{position}]"),
        code: "UNKNOWN_CUSTOMER",
        message: "등록되지 않은 고객입니다.".to_owned(),
    }
}
