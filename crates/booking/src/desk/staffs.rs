//! Staff by hand.

use kernel::BusinessId;
use platform::TenantTx;

use crate::{
    Booking, BookingError,
    staff::{StaffId, StaffView},
    store::staff::{self, NewStaff, StaffFilter, StaffSaid},
};

impl Booking {
    pub(crate) async fn add_staff(
        &self,
        business: BusinessId,
        name: String,
    ) -> Result<StaffView, BookingError> {
        let mut tx = self.write(business).await?;
        let new = [NewStaff { external_id: None, name }];
        let ids = staff::insert(&mut tx, business, self.clock.now(), &new).await?;
        let view = one_staff(&mut tx, business, ids[0]).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// What is not said stays as it is.
    pub(crate) async fn change_staff(
        &self,
        business: BusinessId,
        id: StaffId,
        name: Option<String>,
        active: Option<bool>,
    ) -> Result<StaffView, BookingError> {
        let mut tx = self.write(business).await?;
        let before = one_staff(&mut tx, business, id).await?;
        let said =
            StaffSaid { id, name: name.unwrap_or(before.name), active: active.unwrap_or(before.active) };
        staff::update(&mut tx, business, self.clock.now(), &[said]).await?;
        let view = one_staff(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(view)
    }
}

/// Somebody who works there or did.
pub(crate) async fn one_staff(
    tx: &mut TenantTx,
    business: BusinessId,
    id: StaffId,
) -> Result<StaffView, BookingError> {
    let filter = StaffFilter { name: None, active: None, only: Some(id), before: None, limit: 1 };
    staff::list(tx, business, &filter).await?.pop().ok_or(BookingError::NotFound)
}
