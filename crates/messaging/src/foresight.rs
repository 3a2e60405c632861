//! Who could not be sent advertising if it went out now, for whoever is about to write some.

use std::collections::HashMap;

use kernel::BusinessId;
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::{
    Channel, Exclusion, MessageId, Messaging, MessagingError,
    contact::Contact,
    law::{Standing, Verdict},
    store::{self, standing::Addressee},
};

/// When an advertisement would go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Now,
    /// By then the week of those who had enough may be over: they are not left out.
    Later,
}

impl Messaging {
    /// Those of some customers who must not or cannot be sent any, and why. What is decided here is decided once more when it is
    /// sent, on what is known then. Of refusals at the platform's own line a transaction of one business knows nothing; they are
    /// found when it is sent.
    pub async fn foresee(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        channel: Channel,
        customers: &[i64],
        when: When,
    ) -> Result<HashMap<i64, Exclusion>, MessagingError> {
        let now = self.clock.now();
        let people = store::customer::reachable(conn, business, customers).await?;
        let mut foreseen = HashMap::new();
        let mut addressees = Vec::with_capacity(customers.len());
        for customer in customers {
            let contact_hash = people.get(customer).map(|person| person.contact_hash(channel));
            match contact_hash {
                None => drop(foreseen.insert(*customer, Exclusion::ContactGone)),
                Some(None) => drop(foreseen.insert(*customer, Exclusion::NoContact)),
                Some(Some(contact_hash)) => addressees.push(Addressee {
                    id: MessageId::new(now),
                    business,
                    channel,
                    customer: Some(*customer),
                    batch: None,
                    contact_hash: contact_hash.clone(),
                }),
            }
        }
        let standings = match when {
            When::Now => store::standing::of_advertising(conn, &addressees, now).await?,
            When::Later => store::standing::of_objections(conn, &addressees, now).await?,
        };
        let unknown = Standing::default();
        let rules = self.rules();
        for addressee in &addressees {
            let standing = standings.get(&addressee.id).unwrap_or(&unknown);
            foreseen.extend(addressee.customer.zip(rules.exclusion(standing, now)));
        }
        Ok(foreseen)
    }

    /// Whether a sample may go to a number or address now, which is decided once more when it is sent. `None` for what is neither.
    pub async fn foresee_sample(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        channel: Channel,
        to: &SecretString,
    ) -> Result<Option<Verdict>, MessagingError> {
        let Some(contact) = Contact::read(channel, to) else { return Ok(None) };
        let now = self.clock.now();
        let id = MessageId::new(now);
        let contact_hash = contact.hash(&self.vault);
        let sample = Addressee { id, business, channel, customer: None, batch: None, contact_hash };
        let standings = store::standing::of_samples(conn, vec![sample], now).await?;
        Ok(standings.get(&id).map(|standing| self.rules().of_sample(standing, channel, now)))
    }

    /// Whether anything can be sent by a channel in this installation.
    pub fn offers(&self, channel: Channel) -> bool {
        self.channels.for_sending(channel).is_ok()
    }
}
