//! Who of some customers gets a campaign, and why the others do not, as far as it is certain beforehand.

use std::collections::{HashMap, HashSet};

use kernel::BusinessId;
use messaging::Exclusion;
use platform::TenantTx;

use super::{
    Terms,
    words::{CouponValues, Words},
};
use crate::{
    Crm, CrmError,
    coupon::code::Code,
    store::{coupon, customer::SealedMember},
};

/// This auto campaign said it to them in this cycle.
const ALREADY_HEARD: &str = "ALREADY_HEARD";
/// There is no value for a place in the message: no last visit of who never came.
pub(crate) const NO_VALUE: &str = "NO_VALUE";
/// There are no more codes of the coupon, or this customer used theirs.
const COUPON_UNAVAILABLE: &str = "COUPON_UNAVAILABLE";

/// Everybody is either left out or gets it; with their code, where there is a coupon.
pub(crate) struct Sorted {
    pub left_out: HashMap<i64, &'static str>,
    pub coupons: HashMap<i64, CouponValues>,
}

/// What is known of some customers already.
#[derive(Default)]
pub(crate) struct Known {
    pub excluded: HashMap<i64, Exclusion>,
    pub heard: HashSet<i64>,
}

impl Crm {
    /// Gives codes to those alone who get it: where a coupon has a limit, none is lost on somebody who is left out.
    pub(crate) async fn sort_out(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &Terms,
        members: &[SealedMember],
        known: &Known,
    ) -> Result<Sorted, CrmError> {
        let words = terms.wording.words();
        let mut left_out = HashMap::new();
        for member in members {
            let reason = known
                .excluded
                .get(&member.customer_id)
                .map(|exclusion| exclusion.as_str())
                .or_else(|| known.heard.contains(&member.customer_id).then_some(ALREADY_HEARD))
                .or_else(|| (!has_values(words, member)).then_some(NO_VALUE));
            left_out.extend(reason.map(|reason| (member.customer_id, reason)));
        }
        let gets: Vec<i64> = members.iter().map(|member| member.customer_id).collect();
        let gets: Vec<i64> = gets.into_iter().filter(|id| !left_out.contains_key(id)).collect();
        let coupons = self.coupons(tx, business, terms, &gets).await?;
        if terms.wording.coupon.is_some() {
            let without = gets.into_iter().filter(|id| !coupons.contains_key(id));
            left_out.extend(without.map(|id| (id, COUPON_UNAVAILABLE)));
        }
        Ok(Sorted { left_out, coupons })
    }

    /// A code for each, as far as there are any.
    async fn coupons(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &Terms,
        customers: &[i64],
    ) -> Result<HashMap<i64, CouponValues>, CrmError> {
        let Some(id) = terms.wording.coupon else { return Ok(HashMap::new()) };
        let codes = self.give_as_far_as(tx, business, id, customers).await?;
        let coupon = coupon::list(tx, business, Some(id), None, 1).await?.pop().ok_or(CrmError::NotFound)?;
        let values = |code: &str| CouponValues {
            name: coupon.name.clone(),
            code: Code::shown(code),
            valid_until: coupon.valid_until,
        };
        Ok(codes.into_iter().map(|issued| (issued.customer_id, values(&issued.code))).collect())
    }
}

/// Whether everything is known of somebody that the message says.
pub(crate) fn has_values(words: Words<'_>, member: &SealedMember) -> bool {
    member.last_visit_on.is_some() || !words.has("lastVisitDate")
}
