//! What the demo has of this context.

use kernel::{BusinessId, Krw};
use platform::TenantTx;

use crate::{
    Crm, CrmError,
    coupon::{Discount, NewCoupon, Terms, code::Code},
    store::coupon::{self, Changeable},
};

/// The code that the API's examples name.
const CODE: &str = "K7QM-3XWD-9TFH";

impl Crm {
    /// The ready-made segments, and a coupon of which a customer has the code that the API's examples name; unless the shop has
    /// coupons already.
    pub async fn load_demo(&self, business: BusinessId, customer: i64) -> Result<(), CrmError> {
        self.stock(business).await?;
        let mut tx = TenantTx::begin(&self.db, business).await?;
        if !coupon::list(&mut tx, business, None, None, 1).await?.is_empty() {
            return Ok(());
        }
        let (now, today) = (self.clock.now(), self.clock.today());
        let terms = Terms {
            discount: Discount::Percent(10, Some(Krw::won(10_000))),
            minimum_spend: Krw::won(30_000),
            valid_from: today,
            valid_until: today.checked_add_days(chrono::Days::new(365)).unwrap_or(today),
        };
        let new = NewCoupon { name: "재방문 10% 할인".to_owned(), terms, total_limit: Some(500) };
        let id = coupon::insert(&mut tx, business, now, &new).await?;
        let code = Code::parse(CODE).map(|code| (code, customer));
        coupon::insert_codes(&mut tx, business, now, id, code.as_slice()).await?;
        if let Some(found) = coupon::lock(&mut tx, business, id).await? {
            coupon::update(&mut tx, business, now, id, &Changeable { issued: 1, ..found }).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
