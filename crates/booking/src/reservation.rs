//! Reservations: who comes when, to whom, for what, and what became of it.

use chrono::{DateTime, Utc};
use kernel::KoreanTime;
use platform::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    customer::CustomerId,
    error::IllegalMove,
    field::{self, Checked},
    service::ServiceId,
    staff::StaffId,
};

kernel::number_id!(
    /// Names a reservation of a business.
    ReservationId
);

/// How a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationStatus {
    /// Asked for; the shop has not said yes yet.
    Pending,
    Confirmed,
    /// The customer was there.
    Completed,
    Cancelled,
    /// The customer did not come.
    NoShow,
}

impl ReservationStatus {
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Confirmed, Self::Completed, Self::Cancelled, Self::NoShow];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::NoShow => "NO_SHOW",
        }
    }

    /// The one place that says how a shop may change it. A feeding system has its own rules, and is believed.
    pub fn after(self, wanted: Self) -> Result<Self, IllegalMove> {
        use ReservationStatus::{Cancelled, Completed, Confirmed, NoShow, Pending};
        let is_legal = match self {
            Pending => matches!(wanted, Pending | Confirmed | Completed | Cancelled),
            Confirmed => matches!(wanted, Confirmed | Completed | Cancelled | NoShow),
            // Came after all, only late.
            NoShow => matches!(wanted, NoShow | Completed),
            Completed => matches!(wanted, Completed),
            Cancelled => matches!(wanted, Cancelled),
        };
        if is_legal { Ok(wanted) } else { Err(IllegalMove { from: self, wanted }) }
    }
}

/// What was done at a visit.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceLineRow {
    #[schema(min_length = 1, max_length = 100, example = "CUT-F")]
    pub service_external_id: String,
    /// What was actually charged, won.
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 28000)]
    pub price: i64,
}

/// A reservation as the feeding system knows it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "externalId": "R-20001", "customerExternalId": "C-1001", "staffExternalId": "S-1",
    "services": [{"serviceExternalId": "CUT-F", "price": 28000}],
    "startAt": "2026-03-14T10:00:00+09:00", "status": "CONFIRMED",
}))]
pub struct ReservationRow {
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    /// Left out for somebody who left no name.
    pub customer_external_id: Option<String>,
    /// Left out for whoever is free.
    pub staff_external_id: Option<String>,
    #[schema(min_items = 1, max_items = 50)]
    pub services: Vec<ServiceLineRow>,
    #[schema(value_type = KoreanTime)]
    pub start_at: String,
    pub status: ReservationStatus,
    /// When it was made; when the row first came, if nobody says.
    #[schema(value_type = Option<KoreanTime>)]
    pub created_at: Option<String>,
}

/// How many services one visit may hold.
pub(crate) const MOST_SERVICES: usize = 50;

/// A row of a feed that can be, as far as it alone can tell.
#[derive(Clone, Debug)]
pub struct FedReservation {
    pub(crate) external_id: String,
    pub(crate) customer: Option<String>,
    pub(crate) staff: Option<String>,
    pub(crate) services: Vec<(String, i64)>,
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) status: ReservationStatus,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl ReservationRow {
    pub(crate) fn read(self) -> Result<FedReservation, Vec<FieldError>> {
        let mut checked = Checked::default();
        let external_id = checked.take("externalId", field::external_id(&self.external_id));
        let customer = checked.optional("customerExternalId", self.customer_external_id, field::external_id);
        let staff = checked.optional("staffExternalId", self.staff_external_id, field::external_id);
        let start_at = checked.take("startAt", field::start(&self.start_at));
        let created_at = checked.optional("createdAt", self.created_at, field::created);
        checked.take("services", how_many(self.services.len()));
        let mut services = Vec::with_capacity(self.services.len());
        for (position, line) in self.services.iter().enumerate().take(MOST_SERVICES) {
            let service = checked.take(
                &format!("services[{position}].serviceExternalId"),
                field::external_id(&line.service_external_id),
            );
            let price = checked.take(&format!("services[{position}].price"), field::price(line.price));
            services.extend(service.zip(price));
        }
        let row = external_id.zip(start_at).map(|(external_id, start_at)| FedReservation {
            external_id,
            customer,
            staff,
            services,
            start_at,
            status: self.status,
            created_at,
        });
        checked.finish(row)
    }
}

/// A reservation as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReservationView {
    #[schema(example = 1)]
    pub reservation_id: ReservationId,
    /// The feeding system's name for the row, where it comes from there.
    #[schema(example = "R-20001")]
    pub external_id: Option<String>,
    /// Null for somebody who left no name.
    pub customer: Option<Somebody>,
    /// Null for whoever is free.
    pub staff: Option<SomeStaff>,
    pub services: Vec<ReservedService>,
    pub start_at: KoreanTime,
    pub status: ReservationStatus,
    /// The sum of its services, won.
    #[schema(example = 28000)]
    pub price: i64,
    pub created_at: KoreanTime,
}

/// Who comes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Somebody {
    #[schema(example = 1)]
    pub customer_id: CustomerId,
    #[schema(example = "김민서")]
    pub name: String,
}

/// To whom they come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SomeStaff {
    #[schema(example = 1)]
    pub staff_id: StaffId,
    #[schema(example = "이지은")]
    pub name: String,
}

/// What for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReservedService {
    #[schema(example = 1)]
    pub service_id: ServiceId,
    #[schema(example = "여성 컷")]
    pub name: String,
    /// What is actually charged, won.
    #[schema(example = 28000)]
    pub price: i64,
    #[schema(example = 60)]
    pub duration_minutes: i32,
}

/// A reservation with everything that hangs on it, found possible: what is there, or is to be.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub customer: Option<CustomerId>,
    pub staff: Option<StaffId>,
    pub start_at: DateTime<Utc>,
    pub status: ReservationStatus,
    pub lines: Vec<Line>,
}

/// A service of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub service: ServiceId,
    /// What was actually charged, won.
    pub price: i64,
    pub duration_minutes: i32,
}

impl Planned {
    /// The sum of its services, won.
    pub(crate) fn price(&self) -> i64 {
        self.lines.iter().map(|line| line.price).sum()
    }

    /// Whether a feed that says `other` says what is known. How long a service takes is not the feed's to say.
    pub(crate) fn is_the_same_as(&self, other: &Self) -> bool {
        let lines =
            |planned: &Self| planned.lines.iter().map(|line| (line.service, line.price)).collect::<Vec<_>>();
        (self.customer, self.staff, self.start_at, self.status)
            == (other.customer, other.staff, other.start_at, other.status)
            && lines(self) == lines(other)
    }

    /// A service that was part of it before takes as long as it did then, whatever the price list says now.
    pub(crate) fn keep_durations_of(&mut self, before: &Self) {
        for line in &mut self.lines {
            if let Some(same) = before.lines.iter().find(|known| known.service == line.service) {
                line.duration_minutes = same.duration_minutes;
            }
        }
    }
}

/// One service at least, and not more than a day holds.
pub(crate) fn how_many(services: usize) -> Result<(), field::Refusal> {
    match services {
        0 => Err(field::Refusal { code: "REQUIRED", message: "시술을 하나 이상 보내 주세요." }),
        1..=MOST_SERVICES => Ok(()),
        _ => Err(field::TOO_MANY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_over_but_a_latecomer_may_have_come() {
        use ReservationStatus::{Cancelled, Completed, Confirmed, NoShow, Pending};
        let mut legal = Vec::new();
        for from in ReservationStatus::ALL {
            for wanted in ReservationStatus::ALL {
                match from.after(wanted) {
                    Ok(reached) => {
                        assert_eq!(reached, wanted);
                        legal.extend((from != wanted).then_some((from, wanted)));
                    }
                    Err(IllegalMove { from: refused, .. }) => assert_eq!(refused, from),
                }
            }
            assert!(from.after(from).is_ok(), "saying it again changes nothing");
        }
        assert_eq!(
            legal,
            [
                (Pending, Confirmed),
                (Pending, Completed),
                (Pending, Cancelled),
                (Confirmed, Completed),
                (Confirmed, Cancelled),
                (Confirmed, NoShow),
                (NoShow, Completed),
            ]
        );
    }
}
