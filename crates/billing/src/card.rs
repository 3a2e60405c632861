//! Cards: how one comes to us as a billing key, whose it is, and how it is let go.

use kernel::BusinessId;
use pg_adapter::{Approval, Card, DeclineClass, IssueBillingKey, Outcome, Provider};
use platform::{SystemTx, TenantTx};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use crate::{
    Billing, BillingError, SubscriptionStatus,
    charge::{LEASE, owed_by},
    payment::{Failure, Payment, class_name},
    payment_method::{PaymentMethod, PaymentMethodId},
    store::{
        self,
        due::CardOnFile,
        payment_method::{IssuedMethod, NewPaymentMethod, SealedKey},
    },
};

/// Some providers' windows return a kilobyte of encrypted form.
const LONGEST_AUTH_KEY: usize = 8 * 1024;

/// A card that somebody wants to register.
pub(crate) struct CardRegistration {
    pub provider: Provider,
    /// What the provider's browser SDK returned.
    pub auth_key: SecretString,
    pub customer_key: String,
}

/// A card that was registered.
pub(crate) struct RegisteredCard {
    pub on_file: CardOnFile,
    pub card: Card,
}

impl CardRegistration {
    /// Checks what the client sent before anything is stored or sent on.
    ///
    /// `customer_key` follows the Toss Payments reference: 2 to 300 of letters, digits and `-_=.@`.
    /// Their server hardly checks it, and answers 500 where it is too long, so we do.
    pub(crate) fn new(
        provider: Provider,
        auth_key: SecretString,
        customer_key: String,
    ) -> Result<Self, BillingError> {
        if is_card_number(auth_key.expose_secret()) {
            return Err(BillingError::RawCardNumber);
        }
        if !(1..=LONGEST_AUTH_KEY).contains(&auth_key.expose_secret().len()) {
            return Err(BillingError::InvalidField {
                field: "authKey",
                code: "INVALID_LENGTH",
                message: "결제창에서 받은 인증 값은 1자에서 8192자 사이입니다.",
            });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_=.@".contains(c);
        if !(2..=300).contains(&customer_key.len()) || !customer_key.chars().all(allowed) {
            return Err(BillingError::InvalidField {
                field: "customerKey",
                code: "INVALID_CUSTOMER_KEY",
                message: "customerKey는 영문, 숫자, -_=.@ 2자에서 300자 사이여야 합니다.",
            });
        }
        Ok(Self { provider, auth_key, customer_key })
    }
}

/// 13 to 19 digits with a valid Luhn check digit, whatever stands between them: a raw card number,
/// which must never reach this server (PCI DSS SAQ A). What a provider's SDK returns has letters.
pub(crate) fn is_card_number(text: &str) -> bool {
    if text.chars().any(char::is_alphabetic) {
        return false;
    }
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

impl Billing {
    /// Exchanges the SDK's answer for a billing key and keeps that, sealed.
    ///
    /// The request is written down first: if the answer gets lost with this process, the sweep
    /// fetches it by asking again, and deletes the key that nobody is waiting for any more.
    pub(crate) async fn register_card(
        &self,
        business: BusinessId,
        registration: CardRegistration,
    ) -> Result<RegisteredCard, BillingError> {
        let now = self.clock.now();
        let id = PaymentMethodId::new(now);
        let purpose = PaymentMethod::purpose(business, id);
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let merchant = self.merchant_at(&mut tx, business, registration.provider).await?;
        let new = NewPaymentMethod {
            business,
            id,
            merchant,
            customer_key: &registration.customer_key,
            auth_key: &self.vault.seal(&purpose, &registration.auth_key),
            due_at: now + LEASE,
        };
        store::payment_method::insert(&mut tx, &new, now).await?;
        tx.commit().await?;
        crate::crash_point!("card::written");

        let gateway = self.gateway(merchant).await?;
        let request = IssueBillingKey {
            auth_key: registration.auth_key,
            customer_key: registration.customer_key.clone(),
            idempotency_key: id.to_string(),
        };
        let outcome = match gateway.issue_billing_key(&request).await {
            // Asking once more is free, and usually fetches the answer that got lost.
            Outcome::Unknown(reason) => match gateway.issue_billing_key(&request).await {
                // That the second request did not arrive says nothing about the first, nor does a no that
                // is about us. Only that the SDK's answer is used up or unknown is about both.
                Outcome::NotSent(_) => Outcome::Unknown(reason),
                Outcome::Declined(decline) if decline.class != DeclineClass::NewCard => {
                    Outcome::Unknown(reason)
                }
                outcome => outcome,
            },
            outcome => outcome,
        };
        crate::crash_point!("card::answered");

        // Whether a key is somebody's already is asked about all businesses.
        let mut tx = SystemTx::begin(&self.db).await?;
        let method =
            store::payment_method::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        match outcome {
            Outcome::Approved(issued) => {
                let hash = self.vault.keyed_hash(&issued.billing_key);
                // Where the SDK returns the billing key itself, the same card may come twice. Whoever has it
                // keeps it, and it is not deleted.
                if store::payment_method::is_held(&mut tx, registration.provider, &hash).await? {
                    store::payment_method::mark_released(&mut tx, business, id).await?;
                    tx.commit().await?;
                    return Err(BillingError::CardAlreadyRegistered);
                }
                let sealed = self.vault.seal(&purpose, &issued.billing_key);
                let key = SealedKey { sealed: sealed.clone(), hash };
                // Nobody uses the card yet: should this process die now, the sweep deletes the key.
                let unless_kept = self.clock.now() + LEASE;
                store::payment_method::store_key(&mut tx, &method, &key, &issued.card, unless_kept).await?;
                tx.commit().await?;
                crate::crash_point!("card::stored");
                let on_file = CardOnFile {
                    id,
                    merchant,
                    usable: true,
                    billing_key: Some(sealed),
                    customer_key: registration.customer_key,
                };
                Ok(RegisteredCard { on_file, card: issued.card })
            }
            Outcome::Declined(decline) => {
                store::payment_method::mark_released(&mut tx, business, id).await?;
                tx.commit().await?;
                let failure = Failure {
                    decline_class: class_name(decline.class).to_owned(),
                    provider_code: decline.code,
                    message: decline.message,
                };
                Err(BillingError::declined(None, failure))
            }
            Outcome::NotSent(reason) => {
                store::payment_method::mark_released(&mut tx, business, id).await?;
                tx.commit().await?;
                Err(BillingError::ProviderUnavailable(reason))
            }
            Outcome::Unknown(reason) => Err(BillingError::ProviderUnavailable(reason)),
        }
    }

    /// Keeps a billing key that the provider issued along with a checkout, so that the subscription
    /// renews. One that already has a card, or is over, has no use for it: that key is deleted.
    pub(crate) async fn keep_issued_key(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        approval: &Approval,
    ) -> Result<(), BillingError> {
        let Some(issued) = &approval.billing_key else { return Ok(()) };
        let hash = self.vault.keyed_hash(&issued.billing_key);
        // Told before, or another business's: whoever has it keeps it. A second row would end in its being
        // deleted at the provider while the other still charges it.
        if store::payment_method::is_held(tx, payment.merchant.provider, &hash).await? {
            return Ok(());
        }
        let now = self.clock.now();
        let wanted_by = match payment.invoice {
            Some(_) => Some(owed_by(tx, payment).await?.1),
            None => None,
        };
        let wanted_by = wanted_by.filter(|subscription| {
            subscription.method.is_none() && subscription.status == SubscriptionStatus::Pending
        });
        let id = PaymentMethodId::new(now);
        let purpose = PaymentMethod::purpose(payment.business, id);
        let method = IssuedMethod {
            business: payment.business,
            id,
            merchant: payment.merchant,
            customer_key: payment.customer_key.as_deref().unwrap_or(&payment.order_id),
            key: SealedKey { sealed: self.vault.seal(&purpose, &issued.billing_key), hash },
            card: &issued.card,
            is_wanted: wanted_by.is_some(),
        };
        store::payment_method::insert_issued(tx, &method, now).await?;
        if let Some(mut subscription) = wanted_by {
            subscription.method = Some(id);
            store::subscription::update(tx, &subscription).await?;
        }
        Ok(())
    }

    /// The card is not needed after all.
    pub(crate) async fn let_go(
        &self,
        business: BusinessId,
        method: PaymentMethodId,
    ) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::payment_method::postpone(&mut tx, business, method, self.clock.now()).await?;
        tx.commit().await?;
        self.release_soon().await;
        Ok(())
    }

    /// A first try to delete the key at once; if it fails, the sweep goes on.
    pub(crate) async fn release_soon(&self) {
        if let Err(error) = self.release_cards().await {
            tracing::warn!(%error, "cards could not be released at once; the sweep will");
        }
    }
}

/// From now on the card is a subscription's. Refused if registering it took so long that the sweep
/// thought it abandoned.
pub(crate) async fn keep_card(
    tx: &mut TenantTx,
    business: BusinessId,
    method: PaymentMethodId,
) -> Result<(), BillingError> {
    if store::payment_method::keep(tx, business, method).await? {
        return Ok(());
    }
    Err(BillingError::ProviderUnavailable("the card was let go before it could be used".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(auth_key: &str, customer_key: &str) -> Result<CardRegistration, BillingError> {
        CardRegistration::new(Provider::Toss, auth_key.into(), customer_key.to_owned())
    }

    #[test]
    fn a_bare_card_number_is_refused_however_it_is_spaced() {
        for number in [
            "4111111111111111",
            "4111-1111-1111-1111",
            "4111 1111 1111 1111",
            "4111.1111.1111.1111",
            "(4111/1111_1111,1111)",
            "378282246310005",
        ] {
            assert!(matches!(registration(number, "user_1"), Err(BillingError::RawCardNumber)), "{number}");
        }
    }

    #[test]
    fn what_an_sdk_returns_is_accepted() {
        for auth_key in [
            "e_826EDB0730790E96F116FFF3799A65DE",
            "4111111111111112",
            "123456789012",
            "auth-4111111111111111",
        ] {
            assert!(registration(auth_key, "user_1").is_ok(), "{auth_key}");
        }
    }

    #[test]
    fn a_customer_key_that_the_provider_would_choke_on_is_refused_here() {
        let too_long = "a".repeat(301);
        for customer_key in ["", "a", "has space", "한글", &too_long] {
            assert!(
                matches!(
                    registration("auth", customer_key),
                    Err(BillingError::InvalidField { field: "customerKey", .. })
                ),
                "{customer_key}"
            );
        }
    }
}
