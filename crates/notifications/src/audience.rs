//! To whom something is told, and who somebody is who listens.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Principal, Role};
use tokio::time::Instant;

/// What is told to everybody stands under this business, which is none.
pub(crate) const PLATFORM: BusinessId = BusinessId(0);

/// Longer subjects than this are kept as their digest.
const LONGEST_SUBJECT: usize = 100;

/// No connection is open for longer, whatever its token says.
const LONGEST_SESSION: Duration = Duration::from_hours(30 * 24);

/// To whom something is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Audience {
    Everyone,
    /// Owners and managers of a business.
    Admins(BusinessId),
    /// One customer of a business, by the external id.
    Customer(BusinessId, String),
}

impl Audience {
    pub(crate) fn business(&self) -> BusinessId {
        match self {
            Self::Everyone => PLATFORM,
            Self::Admins(business) | Self::Customer(business, _) => *business,
        }
    }

    /// As it stands in its column.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Everyone => "EVERYONE",
            Self::Admins(_) => "ADMINS",
            Self::Customer(..) => "CUSTOMER",
        }
    }

    pub(crate) fn recipient(&self) -> &str {
        match self {
            Self::Everyone | Self::Admins(_) => "",
            Self::Customer(_, external_id) => external_id,
        }
    }

    /// From its columns.
    pub(crate) fn stored(business: BusinessId, name: &str, recipient: String) -> Self {
        match name {
            "ADMINS" => Self::Admins(business),
            "CUSTOMER" => Self::Customer(business, recipient),
            _ => Self::Everyone,
        }
    }
}

/// Somebody who listens or looks.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Under this name it is kept what they have read.
    pub user: String,
    pub audiences: Vec<Audience>,
    /// When the token that they came with runs out, by the machine's time.
    session_ends: DateTime<Utc>,
}

impl Reader {
    /// Staff are told what everybody is told: money and the day's reservations are their managers' to pass on.
    ///
    /// The subject of a customer's token is the customer's external id, which is a name within its business only. So
    /// what a customer keeps is kept under a business as well: the oldest of those whose customer they are, so that it stays
    /// where it is when they come to another shop.
    pub(crate) fn new(principal: &Principal, session_ends: DateTime<Utc>) -> Self {
        let subject = tame(&principal.subject);
        let mut audiences = vec![Audience::Everyone];
        for membership in &principal.memberships {
            let business = membership.business_id;
            let audience = match membership.role {
                Role::Owner | Role::Manager => Audience::Admins(business),
                Role::Customer => Audience::Customer(business, subject.clone()),
                Role::Staff => continue,
            };
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        let of_customer = audiences.iter().filter(|audience| matches!(audience, Audience::Customer(..)));
        let user = match of_customer.map(Audience::business).min() {
            Some(business) => customer(business, &subject),
            None => subject,
        };
        Self { user, audiences, session_ends }
    }

    /// When what they opened with their token has to end.
    pub(crate) fn session_ends(&self) -> Instant {
        let left = (self.session_ends - SystemClock.now()).to_std().unwrap_or(Duration::ZERO);
        Instant::now() + left.min(LONGEST_SESSION)
    }

    /// The businesses of which they are told something, and the platform.
    pub(crate) fn businesses(&self) -> Vec<BusinessId> {
        self.audiences.iter().map(Audience::business).collect()
    }
}

/// Under which name it is kept what a customer has read.
pub(crate) fn customer(business: BusinessId, external_id: &str) -> String {
    format!("{business}/{external_id}")
}

/// A subject that can be stored: whatever the sign-in service wrote, it must not make a query fail.
pub(crate) fn tame(subject: &str) -> String {
    let text: String = subject.chars().filter(|c| *c != '\0').collect();
    if (1..=LONGEST_SUBJECT).contains(&text.chars().count()) {
        return text;
    }
    hex::encode(platform::digest(subject.as_bytes()))
}

#[cfg(test)]
mod tests {
    use platform::Membership;

    use super::*;

    fn reader(memberships: &[(i64, Role)]) -> Reader {
        let memberships = memberships
            .iter()
            .map(|(id, role)| Membership { business_id: BusinessId(*id), role: *role })
            .collect();
        let principal = Principal { subject: "C-1".to_owned(), memberships, is_platform_admin: false };
        Reader::new(&principal, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn managers_hear_of_the_shop_and_customers_of_themselves() {
        let [everyone, business] = [Audience::Everyone, Audience::Admins(BusinessId(7))];
        assert_eq!(reader(&[(7, Role::Owner)]).audiences, [everyone.clone(), business.clone()]);
        assert_eq!(reader(&[(7, Role::Manager), (7, Role::Owner)]).audiences, [everyone.clone(), business]);
        assert_eq!(reader(&[(7, Role::Staff)]).audiences, std::slice::from_ref(&everyone));
        let customer = Audience::Customer(BusinessId(8), "C-1".to_owned());
        assert_eq!(reader(&[(8, Role::Customer)]).audiences, [everyone, customer]);
    }

    #[test]
    fn two_customers_of_one_name_are_two_readers() {
        assert_ne!(reader(&[(7, Role::Customer)]).user, reader(&[(8, Role::Customer)]).user);
        let of_two = |other| reader(&[(9, Role::Customer), (other, Role::Customer)]).user;
        assert_ne!(of_two(7), of_two(8));
        assert_ne!(of_two(7), reader(&[(9, Role::Owner)]).user);
        assert_eq!(of_two(7), reader(&[(7, Role::Customer)]).user, "the same one");
    }

    #[test]
    fn no_subject_breaks_a_query() {
        for subject in ["", "\0", &"가".repeat(1_000)] {
            let tamed = tame(subject);
            assert!((1..=100).contains(&tamed.len()) && !tamed.contains('\0'), "{subject:?}");
        }
        assert_ne!(tame(&"a".repeat(200)), tame(&"a".repeat(201)));
    }
}
