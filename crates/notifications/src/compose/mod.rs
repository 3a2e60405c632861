//! What people are told, in words: from an event to notifications.

mod news;
mod words;

use std::collections::{HashMap, HashSet};

use kernel::BusinessId;

pub(crate) use news::News;

use crate::{
    NotificationType,
    audience::Audience,
    compose::news::{Fact, Visit},
    notification::NewNotification,
    store::people::Customer,
};

/// More than this of one kind from one transaction is told to a shop in one sentence: somebody loads data.
const ONE_BY_ONE: usize = 20;

/// Who everybody is.
pub(crate) struct People {
    pub customers: HashMap<(BusinessId, i64), Customer>,
    pub businesses: HashMap<BusinessId, String>,
}

/// The customers whom it takes to tell the news.
pub(crate) fn customers_in(news: &[News]) -> Vec<(BusinessId, i64)> {
    let mut customers: Vec<_> =
        news.iter().filter_map(|news| Some((news.business, news.customer()?))).collect();
    customers.sort_unstable();
    customers.dedup();
    customers
}

/// The businesses that tell it.
pub(crate) fn businesses_in(news: &[News]) -> Vec<BusinessId> {
    let mut businesses: Vec<_> = news.iter().map(|news| news.business).collect();
    businesses.sort_unstable();
    businesses.dedup();
    businesses
}

/// Those who want to be forgotten.
pub(crate) fn erased_in(news: &[News]) -> Vec<(BusinessId, i64)> {
    let erased = news.iter().filter_map(|news| match news.fact {
        Fact::CustomerErased { customer_id } => Some((news.business, customer_id)),
        _ => None,
    });
    erased.collect()
}

/// What is told of the news, in their order.
pub(crate) fn compose(news: &[News], people: &People) -> Vec<NewNotification> {
    let mut told = Vec::new();
    let mut summed_up = HashSet::new();
    let floods = floods(news);
    for news in news {
        if let Some((kind, customer)) = news.for_admins() {
            let flood = (news.business, news.transaction.as_str(), kind);
            match floods.get(&flood) {
                Some(count) => {
                    if summed_up.insert(flood) {
                        told.push(summary(news, kind, *count));
                    }
                }
                None => told.extend(for_admins(news, kind, customer, people)),
            }
        }
        told.extend(for_customer(news, people));
        told.extend(for_everyone(news));
    }
    told
}

type Flood<'a> = (BusinessId, &'a str, NotificationType);

/// What came too often at once to be told one by one, and how often.
fn floods(news: &[News]) -> HashMap<Flood<'_>, usize> {
    let mut counts: HashMap<Flood<'_>, usize> = HashMap::new();
    for news in news {
        if let Some((kind, _)) = news.for_admins() {
            *counts.entry((news.business, news.transaction.as_str(), kind)).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count > ONE_BY_ONE);
    counts
}

fn summary(news: &News, kind: NotificationType, count: usize) -> NewNotification {
    let (title, message, link) = words::summary(kind, count);
    NewNotification {
        audience: Audience::Admins(news.business),
        customer: None,
        kind,
        title,
        message,
        link: Some(link.to_owned()),
        created_at: news.at,
    }
}

/// What a shop is told.
fn for_admins(
    news: &News,
    kind: NotificationType,
    customer: Option<i64>,
    people: &People,
) -> Option<NewNotification> {
    let known = customer.and_then(|id| people.customers.get(&(news.business, id)));
    let name = known.map_or("고객", |customer| customer.name.as_str());
    let (title, message, link) = words::for_admins(&news.fact, name)?;
    Some(NewNotification {
        audience: Audience::Admins(news.business),
        customer: known.and(customer),
        kind,
        title,
        message,
        link: Some(link),
        created_at: news.at,
    })
}

/// What a customer is told, if they can sign in to hear it.
fn for_customer(news: &News, people: &People) -> Option<NewNotification> {
    let (kind, Visit { customer_id, .. }) = news.for_customer()?;
    let id = (*customer_id)?;
    let recipient = people.customers.get(&(news.business, id))?.external_id.clone()?;
    let shop = people.businesses.get(&news.business).map_or("매장", String::as_str);
    let (title, message, link) = words::for_customer(&news.fact, shop)?;
    Some(NewNotification {
        audience: Audience::Customer(news.business, recipient),
        customer: Some(id),
        kind,
        title,
        message,
        link: Some(link),
        created_at: news.at,
    })
}

fn for_everyone(news: &News) -> Option<NewNotification> {
    let Fact::Notice(notice) = &news.fact else { return None };
    Some(NewNotification {
        audience: Audience::Everyone,
        customer: None,
        kind: NotificationType::System,
        title: notice.title.clone(),
        message: notice.message.clone(),
        link: notice.link.clone(),
        created_at: news.at,
    })
}

#[cfg(test)]
mod tests;
