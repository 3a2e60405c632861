//! Feeding reservations.

use std::collections::HashMap;

use kernel::BusinessId;
use platform::{FieldError, TenantTx};

use super::{Announce, Fed, Feed, FeedReport, last_of_each, names, report::error};
use crate::{
    Booking, BookingError,
    customer::CustomerId,
    reservation::{FedReservation, Line, Planned, ReservationRow},
    staff::StaffId,
    store::{
        customer,
        reservation::{self, NewReservation},
        service::{self, NamedService},
        staff,
    },
};

impl Booking {
    /// Takes in what the feeding system says about reservations.
    pub async fn feed_reservations(
        &self,
        business: BusinessId,
        feed: Feed<ReservationRow>,
        announce: Announce,
    ) -> Result<FeedReport, BookingError> {
        let mut tx = self.write(business).await?;
        let report = self.upsert_reservations(&mut tx, business, feed, announce).await?;
        tx.commit().await?;
        Ok(report)
    }

    pub(crate) async fn upsert_reservations(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<ReservationRow>,
        announce: Announce,
    ) -> Result<FeedReport, BookingError> {
        let Feed { rows, mut report } = feed;
        let referred = Referred::by(tx, business, &rows).await?;
        let mut resolved = Vec::with_capacity(rows.len());
        for (position, row) in rows {
            match referred.resolve(&row) {
                Ok(planned) => resolved.push((position, FedPlan { row, planned })),
                Err(errors) => report.fail(position, Some(&row.external_id), errors),
            }
        }
        let rows = last_of_each(resolved, &mut report);

        let mut known = reservation::known(tx, business, &names(&rows)).await?;
        let (mut fresh, mut changed) = (Vec::new(), Vec::new());
        for (_, FedPlan { row, mut planned }) in rows {
            match known.remove(&row.external_id) {
                None => fresh.push((row, planned)),
                Some(known) if known.planned.is_the_same_as(&planned) => report.unchanged += 1,
                Some(known) => {
                    planned.keep_durations_of(&known.planned);
                    changed.push((known, planned));
                }
            }
        }
        report.created += fresh.len();
        report.updated += changed.len();

        let now = self.clock.now();
        let ids = reservation::new_ids(tx, fresh.len()).await?;
        let fresh = ids.into_iter().zip(fresh).map(|(id, (row, planned))| NewReservation {
            id,
            external_id: Some(row.external_id),
            planned,
            created_at: row.created_at.unwrap_or(now),
        });
        let fresh: Vec<_> = fresh.collect();
        reservation::insert(tx, business, now, &fresh).await?;
        if announce == Announce::Changes {
            let moved = changed.iter().filter(|(known, planned)| known.planned.status != planned.status);
            let moved: Vec<_> = moved.map(|(known, planned)| (known.id, planned)).collect();
            self.announce(tx, business, &fresh, &moved).await?;
        }
        let changed: Vec<_> = changed.into_iter().map(|(known, planned)| (known.id, planned)).collect();
        reservation::update(tx, business, now, &changed).await?;
        Ok(report.sorted())
    }
}

/// A row with what its names stand for.
struct FedPlan {
    row: FedReservation,
    planned: Planned,
}

impl Fed for FedPlan {
    fn external_id(&self) -> &str {
        &self.row.external_id
    }
}

/// What the rows of a call refer to, by the names that the feeding system gave it.
struct Referred {
    customers: HashMap<String, CustomerId>,
    staffs: HashMap<String, StaffId>,
    services: HashMap<String, NamedService>,
}

impl Referred {
    async fn by(
        tx: &mut TenantTx,
        business: BusinessId,
        rows: &[(usize, FedReservation)],
    ) -> sqlx::Result<Self> {
        let customers = each_once(rows.iter().filter_map(|(_, row)| row.customer.as_deref()));
        let staffs = each_once(rows.iter().filter_map(|(_, row)| row.staff.as_deref()));
        let services = rows.iter().flat_map(|(_, row)| row.services.iter().map(|(name, _)| name.as_str()));
        let services = each_once(services);
        Ok(Self {
            customers: customer::named(tx, business, &customers).await?,
            staffs: staff::named(tx, business, &staffs).await?,
            services: service::named(tx, business, &services).await?,
        })
    }

    fn resolve(&self, row: &FedReservation) -> Result<Planned, Vec<FieldError>> {
        let mut errors = Vec::new();
        let customer = row.customer.as_ref().and_then(|name| {
            let found = self.customers.get(name).copied();
            let unknown = || error("customerExternalId", "UNKNOWN_CUSTOMER", "등록되지 않은 고객입니다.");
            errors.extend(found.is_none().then(unknown));
            found
        });
        let staff = row.staff.as_ref().and_then(|name| {
            let found = self.staffs.get(name).copied();
            let unknown = || error("staffExternalId", "UNKNOWN_STAFF", "등록되지 않은 직원입니다.");
            errors.extend(found.is_none().then(unknown));
            found
        });
        let mut lines = Vec::with_capacity(row.services.len());
        for (position, (name, price)) in row.services.iter().enumerate() {
            if let Some(service) = self.services.get(name) {
                lines.push(Line {
                    service: service.id,
                    price: *price,
                    duration_minutes: service.duration_minutes,
                });
            } else {
                let field = format!("services[{position}].serviceExternalId");
                errors.push(error(field, "UNKNOWN_SERVICE", "등록되지 않은 시술입니다."));
            }
        }
        let planned = Planned { customer, staff, start_at: row.start_at, status: row.status, lines };
        if errors.is_empty() { Ok(planned) } else { Err(errors) }
    }
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}
