//! How busy each member of staff was.

use kernel::Krw;
use serde::Serialize;
use utoipa::ToSchema;

use crate::percent::Percent;

/// What a member of staff did in a range.
pub(crate) struct Worked {
    pub staff: Option<i64>,
    pub name: String,
    pub days: i64,
    pub busy_minutes: i64,
    /// Of the days worked: from the shop's first visit to the end of its last.
    pub open_minutes: i64,
    pub reservations: i64,
    /// Won.
    pub revenue: i64,
}

/// A member of staff and how busy they were.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StaffUtilisation {
    /// Null for visits at which no member of staff is named.
    #[schema(example = 3)]
    staff_id: Option<i64>,
    #[schema(example = "김실장")]
    staff_name: String,
    /// Days with at least one completed visit.
    #[schema(example = 21)]
    worked_days: i64,
    /// The duration of all completed visits. Visits that overlap count twice.
    #[schema(example = 7_560)]
    busy_minutes: i64,
    /// How long the shop was open on those days: from the start of its first completed visit to the end
    /// of its last, since nobody tells us working hours.
    #[schema(example = 10_080)]
    open_minutes: i64,
    /// Busy among open minutes, percent; above 100 where visits overlap.
    #[schema(example = 75.0)]
    utilisation: Percent,
    #[schema(example = 126)]
    reservations: i64,
    #[schema(example = 5_040_000)]
    revenue: Krw,
}

/// Busiest first, ties by name.
pub(crate) fn utilisation(worked: Vec<Worked>) -> Vec<StaffUtilisation> {
    let mut views: Vec<_> = worked
        .into_iter()
        .map(|one| StaffUtilisation {
            staff_id: one.staff,
            staff_name: one.name,
            worked_days: one.days,
            busy_minutes: one.busy_minutes,
            open_minutes: one.open_minutes,
            utilisation: Percent::of(one.busy_minutes, one.open_minutes).unwrap_or_default(),
            reservations: one.reservations,
            revenue: Krw::won(one.revenue),
        })
        .collect();
    views.sort_by(|a, b| (b.utilisation, &a.staff_name).cmp(&(a.utilisation, &b.staff_name)));
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_comes_first() {
        let worked = |name: &str, busy_minutes, open_minutes| Worked {
            staff: Some(1),
            name: name.to_owned(),
            days: 1,
            busy_minutes,
            open_minutes,
            reservations: 1,
            revenue: 0,
        };
        let views = utilisation(vec![worked("나", 300, 600), worked("가", 300, 600), worked("다", 700, 600)]);
        let order: Vec<_> =
            views.iter().map(|one| (one.staff_name.as_str(), one.utilisation.tenths())).collect();
        assert_eq!(order, [("다", 1167), ("가", 500), ("나", 500)]);
    }
}
