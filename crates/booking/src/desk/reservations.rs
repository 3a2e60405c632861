//! Reservations by hand.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use platform::{FieldError, TenantTx};

use super::{customers::one_customer, staffs::one_staff};
use crate::{
    Booking, BookingError,
    change::Change,
    customer::CustomerId,
    reservation::{Line, Planned, ReservationId, ReservationStatus, ReservationView},
    service::ServiceId,
    staff::StaffId,
    store::{
        reservation::{self, NewReservation, ReservationFilter},
        service::{self, PricedService},
    },
};

/// A service that is wanted, for another price than the list's if one is named.
#[derive(Clone, Copy)]
pub(crate) struct WantedService {
    pub service: ServiceId,
    pub price: Option<i64>,
}

pub(crate) struct WantedReservation {
    pub customer: Option<CustomerId>,
    pub staff: Option<StaffId>,
    pub services: Vec<WantedService>,
    pub start_at: DateTime<Utc>,
    pub status: ReservationStatus,
}

/// What is to be otherwise; what is not said stays as it is.
#[derive(Default)]
pub(crate) struct ReservationChange {
    pub customer: Change<CustomerId>,
    pub staff: Change<StaffId>,
    pub services: Option<Vec<WantedService>>,
    pub start_at: Option<DateTime<Utc>>,
    pub status: Option<ReservationStatus>,
}

impl Booking {
    pub(crate) async fn reserve(
        &self,
        business: BusinessId,
        wanted: WantedReservation,
    ) -> Result<ReservationView, BookingError> {
        let mut tx = self.write(business).await?;
        let mut named = Named::default();
        named.customer(&mut tx, business, wanted.customer).await?;
        named.staff(&mut tx, business, wanted.staff).await?;
        let lines = named.services(&mut tx, business, &wanted.services, &[]).await?;
        named.must_exist()?;
        let planned = Planned {
            customer: wanted.customer,
            staff: wanted.staff,
            start_at: wanted.start_at,
            status: wanted.status,
            lines,
        };
        let now = self.clock.now();
        let id = reservation::new_ids(&mut tx, 1).await?[0];
        let new = [NewReservation { id, external_id: None, planned, created_at: now }];
        reservation::insert(&mut tx, business, now, &new).await?;
        self.announce(&mut tx, business, &new, &[]).await?;
        let view = one_reservation(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn change_reservation(
        &self,
        business: BusinessId,
        id: ReservationId,
        change: ReservationChange,
    ) -> Result<ReservationView, BookingError> {
        let mut tx = self.write(business).await?;
        let before = reservation::planned(&mut tx, business, id).await?.ok_or(BookingError::NotFound)?;
        let mut named = Named::default();
        // Who was erased or has left may stay where they are named already.
        named.customer(&mut tx, business, newly(change.customer, before.customer)).await?;
        named.staff(&mut tx, business, newly(change.staff, before.staff)).await?;
        let lines = match &change.services {
            Some(services) => named.services(&mut tx, business, services, &before.lines).await?,
            None => before.lines.clone(),
        };
        named.must_exist()?;
        let mut after = Planned {
            customer: change.customer.applied_to(before.customer),
            staff: change.staff.applied_to(before.staff),
            start_at: change.start_at.unwrap_or(before.start_at),
            status: change.status.map_or(Ok(before.status), |wanted| before.status.after(wanted))?,
            lines,
        };
        after.keep_durations_of(&before);
        if !before.is_the_same_as(&after) {
            let changed = [(id, after)];
            reservation::update(&mut tx, business, self.clock.now(), &changed).await?;
            let [(_, after)] = &changed;
            let moved = [(id, after)];
            let moved = if after.status == before.status { &moved[..0] } else { &moved[..] };
            self.announce(&mut tx, business, &[], moved).await?;
        }
        let view = one_reservation(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(view)
    }
}

/// What is named now and was not before.
fn newly<T: Copy + PartialEq>(said: Change<T>, before: Option<T>) -> Option<T> {
    said.applied_to(None).filter(|said| Some(*said) != before)
}

/// Whether what a request names is there.
#[derive(Default)]
struct Named {
    unknown: Vec<FieldError>,
}

impl Named {
    fn must_exist(self) -> Result<(), BookingError> {
        if self.unknown.is_empty() { Ok(()) } else { Err(BookingError::Invalid(self.unknown)) }
    }

    fn refuse(&mut self, field: String, code: &'static str, message: &str) {
        self.unknown.push(FieldError { field, code, message: message.to_owned() });
    }

    async fn customer(
        &mut self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: Option<CustomerId>,
    ) -> Result<(), BookingError> {
        let Some(id) = id else { return Ok(()) };
        match one_customer(tx, business, id).await {
            Ok(_) => {}
            Err(BookingError::NotFound) => {
                self.refuse("customerId".to_owned(), "UNKNOWN_CUSTOMER", "등록되지 않은 고객입니다.");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn staff(
        &mut self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: Option<StaffId>,
    ) -> Result<(), BookingError> {
        let Some(id) = id else { return Ok(()) };
        match one_staff(tx, business, id).await {
            Ok(staff) if staff.active => {}
            Ok(_) | Err(BookingError::NotFound) => {
                self.refuse("staffId".to_owned(), "UNKNOWN_STAFF", "등록되지 않은 직원입니다.");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn services(
        &mut self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: &[WantedService],
        before: &[Line],
    ) -> Result<Vec<Line>, BookingError> {
        let ids: Vec<i64> = wanted.iter().map(|wanted| wanted.service.0).collect();
        let known: HashMap<ServiceId, PricedService> = service::priced(tx, business, &ids).await?;
        let mut lines = Vec::with_capacity(wanted.len());
        for (position, WantedService { service, price }) in wanted.iter().enumerate() {
            let was_part = before.iter().any(|line| line.service == *service);
            match known.get(service).filter(|known| known.is_offered || was_part) {
                Some(known) => lines.push(Line {
                    service: *service,
                    price: price.unwrap_or(known.price),
                    duration_minutes: known.duration_minutes,
                }),
                None => self.refuse(
                    format!("services[{position}].serviceId"),
                    "UNKNOWN_SERVICE",
                    "등록되지 않은 시술입니다.",
                ),
            }
        }
        Ok(lines)
    }
}

pub(crate) async fn one_reservation(
    tx: &mut TenantTx,
    business: BusinessId,
    id: ReservationId,
) -> Result<ReservationView, BookingError> {
    let filter = ReservationFilter { only: Some(id), limit: 1, ..ReservationFilter::default() };
    reservation::list(tx, business, &filter).await?.pop().ok_or(BookingError::NotFound)
}
