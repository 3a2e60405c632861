//! What the payer does in the window of each provider, and what is another story at each.

use sandbox::Provider;
use testkit::Card;

use crate::{mood::Mood, owner::PRICE, world::World};

/// One test of each story for each of these providers.
macro_rules! told_of {
    ($($provider:ident as $module:ident),+: $stories:tt) => {
        $($crate::provider::told_of!(@$provider $module $stories);)+
    };
    (@$provider:ident $module:ident [$($story:ident),+ $(,)?]) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(sandbox::Provider::$provider).await;
                }
            )+
        }
    };
}
pub(crate) use told_of;

/// Every mood at the provider with which it all began; at the others the two that tell most.
pub(crate) fn moods(provider: Provider) -> &'static [Mood] {
    match provider {
        Provider::Toss => &Mood::ALL,
        _ => &[Mood::Answers, Mood::DropsTheAnswer],
    }
}

/// Whether a process gets as far as storing a key. KCP's window data is good once: a key whose answer
/// was lost cannot be fetched, and the owner registers the card anew.
pub(crate) fn gets_to(provider: Provider, step: &str, mood: Mood) -> bool {
    provider != Provider::Kcp || step != "card::stored" || mood == Mood::Answers
}

/// Whether what was written down is charged after all when the process dies before it asks. KCP cannot be
/// asked by order: an operator finds nothing there and writes it off. At Bootpay a second charge may be
/// another one: what it shows no trace of for a day is given up.
pub(crate) fn is_sent_again(provider: Provider) -> bool {
    !matches!(provider, Provider::Kcp | Provider::Bootpay)
}

impl World {
    /// A payer registers a good card in the provider's window: what that hands over.
    pub(crate) async fn card_in_the_window(&self, provider: Provider, customer: &str) -> String {
        testkit::card_in_the_window(&self.sandbox, provider, customer, Card::Good).await
    }

    /// A payer agrees to pay an order in the provider's window, to be confirmed.
    pub(crate) async fn payment_in_the_window(&self, order: &str) -> String {
        testkit::payment_in_the_window(&self.sandbox, self.provider, order, PRICE, Card::Good).await
    }
}
