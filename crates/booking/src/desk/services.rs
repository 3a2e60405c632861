//! Services by hand.

use kernel::BusinessId;
use platform::TenantTx;

use crate::{
    Booking, BookingError,
    change::Change,
    field::Checked,
    service::{ServiceFacts, ServiceId, ServiceView},
    store::service::{self, NewService, ServiceFilter, ServiceSaid},
};

/// What is to be otherwise; what is not said stays as it is.
#[derive(Default)]
pub(crate) struct ServiceChange {
    pub name: Option<String>,
    pub category: Change<String>,
    pub price: Option<i64>,
    pub duration_minutes: Option<i64>,
    pub active: Option<bool>,
}

impl Booking {
    pub(crate) async fn add_service(
        &self,
        business: BusinessId,
        facts: ServiceFacts,
    ) -> Result<ServiceView, BookingError> {
        let mut tx = self.write(business).await?;
        service::add_categories(&mut tx, business, facts.category.as_slice()).await?;
        let new = [NewService { external_id: None, facts }];
        let ids = service::insert(&mut tx, business, self.clock.now(), &new).await?;
        let view = one_service(&mut tx, business, ids[0]).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn change_service(
        &self,
        business: BusinessId,
        id: ServiceId,
        change: ServiceChange,
    ) -> Result<ServiceView, BookingError> {
        let mut tx = self.write(business).await?;
        let before = one_service(&mut tx, business, id).await?;
        let mut checked = Checked::default();
        let facts = ServiceFacts::read(
            &mut checked,
            &change.name.unwrap_or(before.name),
            change.category.applied_to(before.category),
            change.price.unwrap_or(before.price),
            change.duration_minutes.unwrap_or(before.duration_minutes.into()),
        );
        let facts = checked.finish(facts).map_err(BookingError::Invalid)?;
        service::add_categories(&mut tx, business, facts.category.as_slice()).await?;
        let said = ServiceSaid { id, facts, active: change.active.unwrap_or(before.active) };
        service::update(&mut tx, business, self.clock.now(), &[said]).await?;
        let view = one_service(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(view)
    }
}

/// A service that is offered or was.
pub(crate) async fn one_service(
    tx: &mut TenantTx,
    business: BusinessId,
    id: ServiceId,
) -> Result<ServiceView, BookingError> {
    let filter = ServiceFilter { name: None, active: None, only: Some(id), before: None, limit: 1 };
    service::list(tx, business, &filter).await?.pop().ok_or(BookingError::NotFound)
}
