//! The clock that QA can move.
//!
//! Moving it forward walks from due time to due time: at each, the clock is set to that very moment
//! and all work that became due is done, so that a year passes in the order in which it would have.

use std::{sync::Arc, time::Duration as StdDuration};

use axum::extract::State;
use billing::{Billing, RunReport};
use chrono::{DateTime, Duration, Months, TimeDelta, Utc};
use crm::Crm;
use exports::Exports;
use iso8601_duration::Duration as IsoDuration;
use kernel::{Clock, KoreanTime, MovableClock};
use messaging::Messaging;
use notifications::Notifications;
use platform::{BodyProblems, Data, Json, Problem};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Further than this is a typing mistake, and would take very long.
const FURTHEST: TimeDelta = TimeDelta::days(20 * 366);

/// How often a moment is tried again at which something stays due, a twentieth of a second apart.
const PATIENCE: u32 = 40;

/// The clock with the work that hangs on it.
#[derive(Clone)]
pub struct DevClock {
    clock: Arc<MovableClock>,
    billing: Billing,
    crm: Crm,
    messaging: Messaging,
    exports: Exports,
    notifications: Notifications,
    /// One move at a time.
    moving: Arc<Mutex<()>>,
}

impl DevClock {
    pub fn new(clock: Arc<MovableClock>, app: &App) -> Self {
        Self {
            clock,
            billing: app.billing.clone(),
            crm: app.crm.clone(),
            messaging: app.messaging.clone(),
            exports: app.exports.clone(),
            notifications: app.notifications.clone(),
            moving: Arc::default(),
        }
    }

    /// Makes it `target`, doing on the way all that becomes due. Answers with what was charged and
    /// at how many moments something was done.
    pub async fn move_to(&self, target: DateTime<Utc>) -> anyhow::Result<Moved> {
        let _one_at_a_time = self.moving.lock().await;
        let mut billing = RunReport::default();
        let mut stops = 0;
        let mut reached = None;
        let mut patience = PATIENCE;
        while let Some(due) = self.next_due().await?.filter(|due| *due <= target) {
            let now = self.clock.now();
            // What stays due is held by somebody else (the worker is at it): a little patience keeps
            // the order. It must not hold the year up for ever.
            if reached == Some(due) {
                patience -= 1;
                if patience == 0 {
                    break;
                }
                tokio::time::sleep(StdDuration::from_millis(50)).await;
            } else {
                patience = PATIENCE;
            }
            reached = Some(due);
            if due > now {
                self.set(due).await?;
            }
            billing += self.sweep().await?;
            stops += 1;
        }
        self.set(target).await?;
        billing += self.sweep().await?;
        Ok(Moved { now: KoreanTime(self.clock.now()), stops, billing })
    }

    /// When something will be due next, whoever's.
    async fn next_due(&self) -> anyhow::Result<Option<DateTime<Utc>>> {
        let due = [
            self.billing.next_due().await?,
            self.crm.next_due().await?,
            self.messaging.next_due().await?,
            self.exports.next_due().await?,
            self.notifications.next_due().await?,
        ];
        Ok(due.into_iter().flatten().min())
    }

    /// Does what is due now, and what follows from it.
    async fn sweep(&self) -> anyhow::Result<RunReport> {
        let report = self.billing.sweep().await?;
        self.exports.sweep().await?;
        self.notifications.sweep().await?;
        self.notifications.react_to_all().await?;
        self.messaging.react_to_all().await?;
        self.crm.sweep().await?;
        self.messaging.sweep().await?;
        // With its last message a campaign is over.
        self.crm.sweep().await?;
        Ok(report)
    }

    async fn set(&self, instant: DateTime<Utc>) -> sqlx::Result<()> {
        self.clock.set(instant);
        platform::clock::save_offset(&self.billing.db, &self.clock).await
    }
}

/// The routes, for a development system.
pub fn router(dev_clock: DevClock) -> OpenApiRouter<App> {
    let routes: OpenApiRouter<DevClock> = OpenApiRouter::new().routes(routes!(get_clock, move_clock));
    routes.with_state(dev_clock)
}

/// The routes for the document only: they have no clock and are never served.
pub fn documented_clock_router() -> OpenApiRouter<App> {
    let routes: OpenApiRouter<DevClock> = OpenApiRouter::new().routes(routes!(get_clock, move_clock));
    OpenApiRouter::with_openapi(routes.into_openapi())
}

/// What time it is.
#[derive(Serialize, ToSchema)]
struct ClockView {
    now: KoreanTime,
}

/// Where to move the clock: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"advance": "P31D"}))]
struct MoveClock {
    /// By how much, as an ISO 8601 duration: `P31D`, `P1M` (a calendar month in Korea), `PT12H`.
    advance: Option<String>,
    /// To when. Back is allowed, and undoes nothing.
    now: Option<KoreanTime>,
}

/// A moved clock, and what happened on the way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moved {
    pub now: KoreanTime,
    /// At how many moments something was due.
    #[schema(example = 3)]
    pub stops: u32,
    pub billing: RunReport,
}

/// What time is it (development only)
#[utoipa::path(
    get, path = "/api/dev/clock", operation_id = "getDevClock", tag = "dev",
    responses((status = 200, description = "The business clock", body = Data<ClockView>)),
)]
async fn get_clock(State(dev_clock): State<DevClock>) -> Json<Data<ClockView>> {
    Data::json(ClockView { now: KoreanTime(dev_clock.clock.now()) })
}

/// Move the clock (development only)
///
/// Everything that becomes due on the way is done, in order, before the answer: renewals, retries,
/// downgrades, period ends, reconciliation, reminders, and what people are told of all that.
#[utoipa::path(
    post, path = "/api/dev/clock", operation_id = "moveDevClock", tag = "dev",
    request_body = MoveClock,
    responses(
        (status = 200, description = "Moved", body = Data<Moved>),
        (status = 400, description = "`MALFORMED_JSON`, `NUL_CHARACTER`, `UNREADABLE_BODY`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
async fn move_clock(
    State(dev_clock): State<DevClock>,
    Json(request): Json<MoveClock>,
) -> Result<Json<Data<Moved>>, Problem> {
    let now = dev_clock.clock.now();
    let target = match (request.advance, request.now) {
        (Some(advance), None) => advanced(now, &advance).ok_or_else(|| {
            Problem::invalid_field(
                "advance",
                "INVALID_DURATION",
                "P31D, P1M, PT12H와 같은 기간이어야 합니다.",
            )
        })?,
        (None, Some(instant)) => instant.0,
        _ => {
            return Err(Problem::invalid_field(
                "advance",
                "REQUIRED",
                "advance와 now 중 하나를 보내 주세요.",
            ));
        }
    };
    if (target - now).abs() > FURTHEST {
        return Err(Problem::invalid_field("advance", "TOO_FAR", "한 번에 20년까지 옮길 수 있습니다."));
    }
    let moved = dev_clock.move_to(target).await.map_err(|error| Problem::internal(error.as_ref()))?;
    Ok(Data::json(moved))
}

/// Years and months are counted on the Korean calendar, the rest as it is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the guard in front")]
fn advanced(now: DateTime<Utc>, text: &str) -> Option<DateTime<Utc>> {
    let duration: IsoDuration = text.parse().ok()?;
    let parts =
        [duration.year, duration.month, duration.day, duration.hour, duration.minute, duration.second];
    if parts.iter().any(|part| !(0.0..1_000_000.0).contains(part)) {
        return None;
    }
    let months = (duration.year * 12.0 + duration.month) as u32;
    let seconds = f64::from(duration.day) * 86_400.0
        + f64::from(duration.hour) * 3_600.0
        + f64::from(duration.minute) * 60.0
        + f64::from(duration.second);
    let local = now.with_timezone(&chrono_tz::Asia::Seoul).checked_add_months(Months::new(months))?;
    local.with_timezone(&Utc).checked_add_signed(Duration::milliseconds((seconds * 1_000.0) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        KoreanTime::parse(text).unwrap().0
    }

    #[test]
    fn durations_are_iso_8601_and_months_are_calendar_months() {
        let now = at("2026-01-31T10:00:00+09:00");
        assert_eq!(advanced(now, "P31D"), Some(at("2026-03-03T10:00:00+09:00")));
        assert_eq!(advanced(now, "P1M"), Some(at("2026-02-28T10:00:00+09:00")));
        assert_eq!(advanced(now, "P1YT12H"), Some(at("2027-01-31T22:00:00+09:00")));
        for nonsense in ["", "31 days", "P", "-P1D"] {
            assert!(advanced(now, nonsense).is_none_or(|moved| moved == now), "{nonsense}");
        }
    }
}
