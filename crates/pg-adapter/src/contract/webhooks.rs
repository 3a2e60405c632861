//! Reading what the provider, or somebody else, delivers.

use reqwest::header::HeaderMap;

use super::{Delivery, Rig, Verdict};
use crate::{Subject, Webhook, WebhookRefused};

fn read(rig: &dyn Rig, delivery: &Delivery) -> Result<Webhook, WebhookRefused> {
    rig.gateway().read_webhook(&delivery.headers, &delivery.body)
}

pub(super) async fn a_real_one_says_what_to_ask_about(rig: &dyn Rig) {
    let samples = rig.webhooks().await;
    let webhook = read(rig, &samples.payment).expect("a real webhook is read");
    assert_eq!(webhook.id, samples.delivery_id);
    assert!(!webhook.kind.is_empty());
    let Subject::Payment { order_id, .. } = webhook.subject else {
        panic!("it is about a payment: {webhook:?}")
    };
    assert_eq!(order_id, samples.order_id);
}

pub(super) async fn a_repeat_has_the_same_id(rig: &dyn Rig) {
    let samples = rig.webhooks().await;
    let [first, again] = [(); 2].map(|()| read(rig, &samples.payment).expect("a real webhook is read"));
    assert_eq!(first.id, again.id);
}

pub(super) async fn an_unknown_kind_is_not_an_error(rig: &dyn Rig) {
    let webhook = read(rig, &rig.webhooks().await.unknown).expect("an unknown kind is read");
    assert!(matches!(webhook.subject, Subject::Other), "{webhook:?}");
}

pub(super) async fn forgeries_and_garbage_are_refused(rig: &dyn Rig) -> Verdict {
    let samples = rig.webhooks().await;
    let signs_webhooks = rig.gateway().capabilities().signs_webhooks;
    if signs_webhooks {
        assert!(!samples.forged.is_empty() && !samples.stale.is_empty(), "a signed webhook can be forged");
    }
    for forged in &samples.forged {
        assert!(matches!(read(rig, forged), Err(WebhookRefused::BadSignature)));
    }
    for stale in &samples.stale {
        assert!(matches!(read(rig, stale), Err(WebhookRefused::Stale)));
    }
    for body in [b"".as_slice(), b"{", b"null", b"[]", b"<html></html>", b"\xff\xfe"] {
        for headers in [samples.payment.headers.clone(), HeaderMap::new()] {
            assert!(read(rig, &Delivery { headers, body: body.to_vec() }).is_err(), "{body:?}");
        }
    }
    Verdict::with(&[("signs_webhooks", signs_webhooks)])
}

/// Half a body may happen to be readable where bodies are forms; it must not speak of another payment.
pub(super) async fn half_a_webhook_is_no_other_webhook(rig: &dyn Rig) {
    let samples = rig.webhooks().await;
    for length in 0..samples.payment.body.len() {
        let body = samples.payment.body[..length].to_vec();
        let read = read(rig, &Delivery { headers: samples.payment.headers.clone(), body });
        if let Ok(Webhook { subject: Subject::Payment { order_id, .. }, .. }) = read {
            assert!(samples.order_id.starts_with(&order_id), "{order_id}");
        }
    }
}
