//! Feeding services.

use kernel::BusinessId;
use platform::TenantTx;

use super::{Feed, FeedReport, last_of_each, names};
use crate::{
    Booking, BookingError,
    service::ServiceRow,
    store::service::{self, NewService, ServiceSaid},
};

impl Booking {
    /// Takes in what the feeding system says about services.
    pub async fn feed_services(
        &self,
        business: BusinessId,
        feed: Feed<ServiceRow>,
    ) -> Result<FeedReport, BookingError> {
        let mut tx = self.write(business).await?;
        let report = self.upsert_services(&mut tx, business, feed).await?;
        tx.commit().await?;
        Ok(report)
    }

    pub(crate) async fn upsert_services(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<ServiceRow>,
    ) -> Result<FeedReport, BookingError> {
        let Feed { rows, mut report } = feed;
        let rows = last_of_each(rows, &mut report);
        let known = service::known(tx, business, &names(&rows)).await?;
        let (mut fresh, mut changed) = (Vec::new(), Vec::new());
        for (_, row) in rows {
            match known.get(&row.external_id) {
                None => fresh.push(NewService { external_id: Some(row.external_id), facts: row.facts }),
                // What is fed again is offered again.
                Some(known) if known.facts == row.facts && !known.is_withdrawn => report.unchanged += 1,
                Some(known) => changed.push(ServiceSaid { id: known.id, facts: row.facts, active: true }),
            }
        }
        report.created += fresh.len();
        report.updated += changed.len();
        let now = self.clock.now();
        let categories = fresh.iter().map(|row| &row.facts).chain(changed.iter().map(|said| &said.facts));
        let categories: Vec<String> = categories.filter_map(|facts| facts.category.clone()).collect();
        service::add_categories(tx, business, &categories).await?;
        service::insert(tx, business, now, &fresh).await?;
        service::update(tx, business, now, &changed).await?;
        Ok(report.sorted())
    }
}
