//! Feeding staff.

use kernel::BusinessId;
use platform::TenantTx;

use super::{Feed, FeedReport, last_of_each, names};
use crate::{
    Booking, BookingError,
    staff::StaffRow,
    store::staff::{self, NewStaff, StaffSaid},
};

impl Booking {
    /// Takes in what the feeding system says about staff.
    pub async fn feed_staffs(
        &self,
        business: BusinessId,
        feed: Feed<StaffRow>,
    ) -> Result<FeedReport, BookingError> {
        let mut tx = self.write(business).await?;
        let report = self.upsert_staffs(&mut tx, business, feed).await?;
        tx.commit().await?;
        Ok(report)
    }

    pub(crate) async fn upsert_staffs(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<StaffRow>,
    ) -> Result<FeedReport, BookingError> {
        let Feed { rows, mut report } = feed;
        let rows = last_of_each(rows, &mut report);
        let known = staff::known(tx, business, &names(&rows)).await?;
        let (mut fresh, mut changed) = (Vec::new(), Vec::new());
        for (_, row) in rows {
            match known.get(&row.external_id) {
                None => fresh.push(NewStaff { external_id: Some(row.external_id), name: row.name }),
                // Who is fed again works there again.
                Some(known) if known.name == row.name && !known.has_left => report.unchanged += 1,
                Some(known) => changed.push(StaffSaid { id: known.id, name: row.name, active: true }),
            }
        }
        report.created += fresh.len();
        report.updated += changed.len();
        let now = self.clock.now();
        staff::insert(tx, business, now, &fresh).await?;
        staff::update(tx, business, now, &changed).await?;
        Ok(report.sorted())
    }
}
