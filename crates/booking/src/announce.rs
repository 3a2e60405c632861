//! Telling the rest of the platform what happened.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use platform::TenantTx;

use crate::{
    Booking,
    event::{BookingEvent, Visit, VisitedService, VisitedStaff},
    reservation::{Planned, ReservationId},
    store::{reservation::NewReservation, service, staff},
};

impl Booking {
    /// Publishes what was made and what came to stand otherwise, in this order.
    pub(crate) async fn announce(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        created: &[NewReservation],
        moved: &[(ReservationId, &Planned)],
    ) -> sqlx::Result<()> {
        if created.is_empty() && moved.is_empty() {
            return Ok(());
        }
        let planned =
            || created.iter().map(|new| &new.planned).chain(moved.iter().map(|(_, planned)| *planned));
        let staffs: Vec<i64> = planned().filter_map(|planned| planned.staff.map(|id| id.0)).collect();
        let services: Vec<i64> =
            planned().flat_map(|planned| planned.lines.iter().map(|line| line.service.0)).collect();
        let staffs = staff::names(tx, business, &each_once(staffs)).await?;
        let services = service::names(tx, business, &each_once(services)).await?;
        let visit = |id: ReservationId, planned: &Planned, created_at: Option<DateTime<Utc>>| Visit {
            reservation_id: id,
            customer_id: planned.customer,
            staff: planned.staff.map(|staff_id| VisitedStaff { staff_id, name: named(&staffs, staff_id.0) }),
            services: planned
                .lines
                .iter()
                .map(|line| VisitedService {
                    service_id: line.service,
                    name: named(&services, line.service.0),
                    price: line.price,
                })
                .collect(),
            start_at: KoreanTime(planned.start_at),
            status: planned.status,
            price: planned.price(),
            created_at: created_at.map(KoreanTime),
        };
        let created = created
            .iter()
            .map(|new| BookingEvent::ReservationCreated(visit(new.id, &new.planned, Some(new.created_at))));
        let moved =
            moved.iter().map(|(id, planned)| BookingEvent::ReservationMoved(visit(*id, planned, None)));
        let events: Vec<_> = created.chain(moved).map(|event| (business, event)).collect();
        self.publish(tx, &events).await
    }

    pub(crate) async fn publish(
        &self,
        tx: &mut TenantTx,
        events: &[(BusinessId, BookingEvent)],
    ) -> sqlx::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        platform::events::publish_all(tx, self.clock.now(), events).await
    }
}

fn each_once(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn named(names: &HashMap<i64, String>, id: i64) -> String {
    names.get(&id).cloned().unwrap_or_default()
}
