//! Customers by hand.

use kernel::BusinessId;
use platform::TenantTx;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Booking, BookingError,
    change::Change,
    customer::{CustomerFacts, CustomerId, CustomerText, Gender},
    event::BookingEvent,
    feed::created,
    field::{self, Checked},
    store::customer::{self, CustomerFilter, NewCustomer, SealedCustomer},
};

/// What is to be otherwise; what is not said stays as it is.
#[derive(Default)]
pub(crate) struct CustomerChange {
    pub name: Option<String>,
    pub phone: Change<String>,
    pub email: Change<String>,
    pub birthday: Change<String>,
    pub gender: Change<Gender>,
    pub tags: Option<Vec<String>>,
    pub memo: Change<String>,
    pub marketing_consent: Option<bool>,
}

impl Booking {
    pub(crate) async fn add_customer(
        &self,
        business: BusinessId,
        facts: CustomerFacts,
        memo: Option<SecretString>,
    ) -> Result<SealedCustomer, BookingError> {
        let mut tx = self.write(business).await?;
        let now = self.clock.now();
        let id = customer::new_ids(&mut tx, 1).await?[0];
        let new = [NewCustomer { id, external_id: None, facts, created_at: now }];
        customer::insert(&mut tx, &self.vault, business, now, &new).await?;
        customer::set_memo(&mut tx, &self.vault, business, id, memo.as_ref()).await?;
        self.publish(&mut tx, &[(business, created(id))]).await?;
        let sealed = one_customer(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(sealed)
    }

    pub(crate) async fn change_customer(
        &self,
        business: BusinessId,
        id: CustomerId,
        change: CustomerChange,
    ) -> Result<SealedCustomer, BookingError> {
        let mut tx = self.write(business).await?;
        let before = one_customer(&mut tx, business, id).await?;
        let phone = before.phone(&self.vault)?.map(|phone| phone.number().expose_secret().to_owned());
        let email = before.email(&self.vault)?.map(|email| email.address().expose_secret().to_owned());
        let text = CustomerText {
            name: change.name.unwrap_or(before.name),
            phone: change.phone.applied_to(phone),
            email: change.email.applied_to(email),
            birthday: change.birthday.applied_to(before.birthday.map(|day| day.to_string())),
            gender: change.gender.applied_to(before.gender),
            tags: change.tags.unwrap_or(before.tags),
            marketing_consent: change.marketing_consent.unwrap_or(before.marketing_consent),
        };
        let mut checked = Checked::default();
        let facts = text.read(&mut checked);
        let keeps_memo = change.memo == Change::Keep;
        let memo = read_memo(&mut checked, change.memo.applied_to(None));
        let facts = checked.finish(facts).map_err(BookingError::Invalid)?;
        customer::update(&mut tx, &self.vault, business, self.clock.now(), &[(id, facts)]).await?;
        if !keeps_memo {
            customer::set_memo(&mut tx, &self.vault, business, id, memo.as_ref()).await?;
        }
        let sealed = one_customer(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(sealed)
    }

    /// Erases who a customer is; that somebody came stays.
    pub(crate) async fn erase_customer(
        &self,
        business: BusinessId,
        id: CustomerId,
    ) -> Result<(), BookingError> {
        let mut tx = self.write(business).await?;
        if !customer::erase(&mut tx, business, self.clock.now(), id).await? {
            return Err(BookingError::NotFound);
        }
        let erased = BookingEvent::CustomerErased { customer_id: id };
        self.publish(&mut tx, &[(business, erased)]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What people note about somebody: up to 2,000 characters.
pub(crate) fn read_memo(checked: &mut Checked, memo: Option<String>) -> Option<SecretString> {
    let memo = memo?;
    checked.take("memo", field::prose(&memo, 2_000)).flatten().map(SecretString::from)
}

/// A customer who was not erased.
pub(crate) async fn one_customer(
    tx: &mut TenantTx,
    business: BusinessId,
    id: CustomerId,
) -> Result<SealedCustomer, BookingError> {
    let filter = CustomerFilter { only: Some(id), limit: 1, ..CustomerFilter::default() };
    customer::list(tx, business, &filter).await?.pop().ok_or(BookingError::NotFound)
}
