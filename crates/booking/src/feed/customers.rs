//! Feeding customers.

use std::collections::HashMap;

use kernel::BusinessId;
use platform::TenantTx;

use super::{Announce, Feed, FeedReport, last_of_each, names, report::error};
use crate::{
    Booking, BookingError,
    customer::{CustomerId, CustomerRow},
    event::BookingEvent,
    store::customer::{self, KnownCustomer, NewCustomer},
};

impl Booking {
    /// Takes in what the feeding system says about customers.
    pub async fn feed_customers(
        &self,
        business: BusinessId,
        feed: Feed<CustomerRow>,
        announce: Announce,
    ) -> Result<FeedReport, BookingError> {
        let mut tx = self.write(business).await?;
        let report = self.upsert_customers(&mut tx, business, feed, announce).await?;
        tx.commit().await?;
        Ok(report)
    }

    pub(crate) async fn upsert_customers(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<CustomerRow>,
        announce: Announce,
    ) -> Result<FeedReport, BookingError> {
        let Feed { rows, mut report } = feed;
        let rows = last_of_each(rows, &mut report);
        let known: HashMap<String, KnownCustomer> = customer::known(tx, business, &names(&rows)).await?;
        let (mut fresh, mut changed) = (Vec::new(), Vec::new());
        for (position, row) in rows {
            match known.get(&row.external_id) {
                None => fresh.push(row),
                // Who was erased at their own wish is not brought back by the next feed.
                Some(known) if known.is_erased => {
                    let erased = error("externalId", "ERASED", "개인정보가 삭제된 고객입니다.");
                    report.fail(position, Some(&row.external_id), vec![erased]);
                }
                Some(known) if known.says(&self.vault, &row.facts) => report.unchanged += 1,
                Some(known) => changed.push((known.id, row.facts)),
            }
        }
        report.created += fresh.len();
        report.updated += changed.len();
        let now = self.clock.now();
        let ids = customer::new_ids(tx, fresh.len()).await?;
        let fresh = ids.into_iter().zip(fresh).map(|(id, row)| NewCustomer {
            id,
            external_id: Some(row.external_id),
            facts: row.facts,
            created_at: row.created_at.unwrap_or(now),
        });
        let fresh: Vec<_> = fresh.collect();
        customer::insert(tx, &self.vault, business, now, &fresh).await?;
        customer::update(tx, &self.vault, business, now, &changed).await?;
        if announce == Announce::Changes {
            let events: Vec<_> = fresh.iter().map(|customer| (business, created(customer.id))).collect();
            self.publish(tx, &events).await?;
        }
        Ok(report.sorted())
    }
}

pub(crate) fn created(customer_id: CustomerId) -> BookingEvent {
    BookingEvent::CustomerCreated { customer_id }
}
