use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{BookStatus, Fault, FaultKind, Operation, Provider};
use serde_json::{Value, json};

use crate::{
    merchant::{CUSTOMER, EMPTY_CARD, GOOD_CARD, Merchant, SUSPENDED_CARD, answer, eventually},
    portone_shop::{KCP, SMARTRO, charge_of},
};

#[tokio::test]
async fn a_charge_answers_hardly_anything_and_the_payment_tells_the_rest() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let mut body = charge_of(&key, 9_900);
    body["customer"] = json!({"id": CUSTOMER, "name": {"full": "김단골"}});
    let charged = shop.portone_post("/payments/pay1/billing-key", body).await.json();
    let fields: Vec<_> = charged["payment"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["paidAt", "pgTxId"]);

    let payment = shop.portone_payment("pay1").await;
    for (field, expected) in [
        ("status", json!("PAID")),
        ("id", json!("pay1")),
        ("version", json!("V2")),
        ("currency", json!("KRW")),
        ("storeId", json!(sandbox::PORTONE_STORE_ID)),
        ("billingKey", json!(key)),
        ("pgTxId", charged["payment"]["pgTxId"].clone()),
        ("disputes", json!([])),
        ("customer", json!({"id": CUSTOMER, "name": "김단골"})),
    ] {
        assert_eq!(payment[field], expected, "{field}");
    }
    let amount = json!({"total": 9_900, "taxFree": 0, "vat": 900, "supply": 9_000, "discount": 0,
        "paid": 9_900, "cancelled": 0, "cancelledTaxFree": 0});
    assert_eq!(payment["amount"], amount);
    assert_eq!(payment["channel"]["type"], "LIVE");
    assert_eq!(payment["channel"]["pgProvider"], "TOSSPAYMENTS");
    assert_eq!(payment["method"]["type"], "PaymentMethodCard");
    assert_eq!(payment["method"]["card"]["number"], "43000000****000*");
    let line = &shop.sandbox.book()[0];
    assert_eq!(
        (line.provider, line.status, line.amount.get()),
        (Provider::PortOne, BookStatus::Approved, 9_900)
    );
    assert_eq!(serde_json::to_value(line).unwrap()["provider"], "PORTONE");
}

#[tokio::test]
async fn a_charge_that_breaks_a_rule_is_refused_and_leaves_no_trace() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let with = |field: &str, value: Value| {
        let mut body = charge_of(&key, 1_000);
        body[field] = value;
        let shop = &shop;
        async move { shop.portone_post("/payments/rules/billing-key", body).await.portone_refusal() }
    };
    assert_eq!(with("amount", json!(1_000)).await, "400 INVALID_REQUEST");
    assert_eq!(with("amount", json!({"total": 0})).await, "400 INVALID_REQUEST");
    assert_eq!(with("amount", json!({"total": 100.5})).await, "400 INVALID_REQUEST");
    assert_eq!(
        with("amount", json!({"total": 100, "taxFree": 101})).await,
        "409 SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"
    );
    assert_eq!(with("currency", json!("CURRENCY_KRW")).await, "400 INVALID_REQUEST");
    assert_eq!(with("storeId", json!("store-of-others")).await, "403 FORBIDDEN");
    assert_eq!(with("channelKey", json!(KCP)).await, "404 CHANNEL_NOT_FOUND");
    assert_eq!(with("billingKey", json!("billing-key-invented")).await, "404 BILLING_KEY_NOT_FOUND");
    assert_eq!(shop.portone_get("/payments/rules").await.portone_refusal(), "404 PAYMENT_NOT_FOUND");
    assert_eq!(shop.sandbox.book(), []);
}

#[tokio::test]
async fn a_payment_id_is_paid_once_whatever_idempotency_keys_it_comes_with() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let tries = (0..20).map(|n| {
        let (shop, body) = (&shop, charge_of(&key, 1_000));
        let idempotency_key = format!("idempotency-key-{n}");
        async move { shop.portone_post_once(&idempotency_key, "/payments/race/billing-key", body).await }
    });
    let answers = futures::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.portone_refusal(), "409 ALREADY_PAID");
    }
    assert_eq!(shop.sandbox.book().len(), 1);
}

#[tokio::test]
async fn a_decline_is_a_502_in_the_words_of_the_pg_and_leaves_a_failed_payment() {
    let shop = Merchant::opens().await;
    for (card, channel, code) in [
        (EMPTY_CARD, sandbox::PORTONE_CHANNEL_KEY, "REJECT_CARD_PAYMENT"),
        (SUSPENDED_CARD, sandbox::PORTONE_CHANNEL_KEY, "INVALID_STOPPED_CARD"),
        (EMPTY_CARD, KCP, "CC10"),
        (EMPTY_CARD, SMARTRO, "9001"),
    ] {
        let order = format!("declined{code}").replace('_', "");
        let declined = shop.portone_charges(&shop.portone_key_at(card, channel).await, &order, 1_000).await;
        assert_eq!(declined.portone_refusal(), "502 PG_PROVIDER");
        assert_eq!(declined.json()["pgCode"], code);
        let payment = shop.portone_payment(&order).await;
        assert_eq!((&payment["status"], &payment["failure"]["pgCode"]), (&json!("FAILED"), &json!(code)));
        assert_eq!(payment.get("paidAt"), None);
    }
    assert!(shop.sandbox.book().iter().all(|line| line.status == BookStatus::Declined));

    shop.switch_portone(|switches| switches.declined_charges_readable = false);
    let hidden = shop.portone_get("/payments/declinedREJECTCARDPAYMENT").await;
    assert_eq!(hidden.portone_refusal(), "404 PAYMENT_NOT_FOUND");
}

#[tokio::test]
async fn after_a_decline_the_same_payment_can_be_tried_again_a_few_times() {
    let shop = Merchant::opens().await;
    shop.switch_portone(|switches| switches.most_attempts = 2);
    let (bad, good) = (shop.portone_key(EMPTY_CARD).await, shop.portone_key(GOOD_CARD).await);
    shop.portone_charges(&bad, "again", 1_000).await;
    let first = shop.portone_payment("again").await;
    assert_eq!(shop.portone_charges(&good, "again", 1_000).await.status, 200);
    let second = shop.portone_payment("again").await;
    assert_eq!((&first["status"], &second["status"]), (&json!("FAILED"), &json!("PAID")));
    assert_ne!(first["transactionId"], second["transactionId"]);

    shop.portone_charges(&bad, "toooften", 1_000).await;
    shop.portone_charges(&bad, "toooften", 1_000).await;
    let refused = shop.portone_charges(&good, "toooften", 1_000).await;
    assert_eq!(refused.portone_refusal(), "400 MAX_TRANSACTION_COUNT_REACHED");
}

#[tokio::test]
async fn each_pg_has_its_own_idea_of_a_payment_id() {
    let shop = Merchant::opens().await;
    let toss = shop.portone_key(GOOD_CARD).await;
    let (kcp, smartro) =
        (shop.portone_key_at(GOOD_CARD, KCP).await, shop.portone_key_at(GOOD_CARD, SMARTRO).await);
    assert_eq!(shop.portone_charges(&toss, "with-hyphens", 1_000).await.status, 200);
    for key in [&kcp, &smartro] {
        let refused = shop.portone_charges(key, "with-hyphens-2", 1_000).await;
        assert_eq!(refused.portone_refusal(), "400 INVALID_REQUEST");
    }
    let long = "a".repeat(41);
    assert_eq!(shop.portone_charges(&kcp, &long, 1_000).await.status, 200);
    assert_eq!(shop.portone_charges(&smartro, &"b".repeat(41), 1_000).await.status, 200);
    assert_eq!(shop.portone_payment(&long).await["id"], long);
    assert_eq!(shop.portone_get(&format!("/payments/{}", "b".repeat(41))).await.status, 404);
    assert_eq!(shop.portone_get(&format!("/payments/{}", "b".repeat(40))).await.status, 200);
    // Ids are decoded once.
    assert_eq!(shop.portone_charges(&toss, "a%2Fb%20c", 1_000).await.status, 200);
    assert_eq!(shop.portone_payment("a%2Fb%20c").await["id"], "a/b c");
}

#[tokio::test]
async fn the_scheme_is_portone_and_unknown_urls_are_not_found() {
    let shop = Merchant::opens().await;
    let url = format!("{}/payments/whatever", shop.sandbox.portone_base_url());
    for header in ["Basic dGVzdDo=", "Bearer token", "PortOne", "PortOne  "] {
        let refused = answer(shop.client.get(&url).header("authorization", header)).await;
        assert_eq!(refused.portone_refusal(), "401 UNAUTHORIZED", "{header}");
    }
    assert_eq!(shop.portone_get("/payments/whatever").await.portone_refusal(), "404 PAYMENT_NOT_FOUND");
    assert_eq!(shop.portone_get("/v1/payments/whatever").await.status, 404);
    for path in ["/billing-keys", "/payments/pay/instant"] {
        assert_eq!(shop.portone_post(path, json!({})).await.portone_refusal(), "403 FORBIDDEN", "{path}");
    }
}

#[tokio::test]
async fn an_idempotency_key_is_quoted_and_brings_the_first_answer_for_three_hours() {
    let shop = Merchant::opens().await;
    let (good, bad) = (shop.portone_key(GOOD_CARD).await, shop.portone_key(EMPTY_CARD).await);
    let path = "/payments/once/billing-key";
    let unquoted = shop.portone(Method::POST, path).header("idempotency-key", "an-idempotency-key-1");
    let unquoted = answer(unquoted.json(&charge_of(&good, 1_000))).await;
    assert_eq!(unquoted.portone_refusal(), "400 INVALID_REQUEST");
    let short = shop.portone_post_once("short", path, charge_of(&good, 1_000)).await;
    assert_eq!(short.portone_refusal(), "400 INVALID_REQUEST");

    let key = "an-idempotency-key-1";
    let first = shop.portone_post_once(key, path, charge_of(&good, 1_000)).await;
    let again = shop.portone_post_once(key, path, charge_of(&good, 1_000)).await;
    assert_eq!((first.status.as_u16(), &first.text), (200, &again.text));
    let other = shop.portone_post_once(key, path, charge_of(&good, 2_000)).await;
    assert_eq!(other.portone_refusal(), "400 INVALID_REQUEST");

    let declined = "/payments/no/billing-key";
    let no = shop.portone_post_once("an-idempotency-key-2", declined, charge_of(&bad, 1_000)).await;
    let again = shop.portone_post_once("an-idempotency-key-2", declined, charge_of(&bad, 1_000)).await;
    assert_eq!(no.text, again.text);
    assert_eq!(shop.sandbox.book().len(), 2);

    shop.clock.advance(TimeDelta::hours(3));
    let later = shop.portone_post_once(key, path, charge_of(&good, 1_000)).await;
    assert_eq!(later.portone_refusal(), "409 ALREADY_PAID");
}

#[tokio::test]
async fn refusals_need_not_be_kept() {
    let shop = Merchant::opens().await;
    shop.switch_portone(|switches| switches.store_refusals = false);
    let key = shop.portone_key(EMPTY_CARD).await;
    for _ in 0..2 {
        let no =
            shop.portone_post_once("an-idempotency-key", "/payments/no/billing-key", charge_of(&key, 1_000));
        assert_eq!(no.await.portone_refusal(), "502 PG_PROVIDER");
    }
    assert_eq!(shop.sandbox.book().len(), 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_charged_and_told_to_wait_meanwhile() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let (path, body) = ("/payments/slow/billing-key", charge_of(&key, 1_000));
    let slow = FaultKind::Delay { before: Duration::ZERO, after: Duration::from_millis(400) };
    shop.sandbox.set_faults([Fault::new(slow).on(Operation::Charge)]);
    let impatient = shop.portone(Method::POST, path).header("idempotency-key", "\"an-idempotency-key\"");
    let impatient = impatient.json(&body).timeout(Duration::from_millis(100)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    assert_eq!(shop.sandbox.book().len(), 1);
    let outstanding = shop.portone_post_once("an-idempotency-key", path, body.clone()).await;
    assert_eq!(outstanding.portone_refusal(), "409 IDEMPOTENCY_OUTSTANDING_REQUEST");
    for _ in 0..100 {
        let found = shop.portone_post_once("an-idempotency-key", path, body.clone()).await;
        if found.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the first answer never came");
}

#[tokio::test]
async fn faults_strike_portone_in_its_own_words_and_leave_toss_alone() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let fault = json!({"fault": "error_500", "provider": "PORTONE", "value": "after", "times": 0});
    shop.control(Method::POST, "/faults", fault).await;
    assert!(!shop.paid(1_000).await.is_empty());
    let broken = shop.portone_charges(&key, "broken", 1_000).await;
    assert_eq!(broken.portone_refusal(), "500 INTERNAL_SERVER_ERROR");
    shop.sandbox.clear_faults();
    assert_eq!(shop.portone_payment("broken").await["status"], "PAID");

    let decline = |code: &str| FaultKind::Decline { code: code.into() };
    shop.sandbox.set_faults([Fault::new(decline("FDS_ERROR")).on(Operation::Charge)]);
    assert_eq!(shop.portone_charges(&key, "fraud", 1_000).await.json()["pgCode"], "FDS_ERROR");
    assert_eq!(shop.portone_payment("fraud").await["status"], "FAILED");
    shop.sandbox.set_faults([Fault::new(decline("FORBIDDEN")).on(Operation::Charge)]);
    assert_eq!(shop.portone_charges(&key, "forbidden", 1_000).await.portone_refusal(), "403 FORBIDDEN");
    shop.sandbox.set_faults([Fault::new(FaultKind::RateLimited)]);
    assert_eq!(shop.portone_get("/payments/broken").await.status, 429);
}

#[tokio::test]
async fn everything_survives_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Merchant::opens_in(folder.path()).await;
    let key = shop.portone_key(GOOD_CARD).await;
    let (path, body) = ("/payments/kept/billing-key", charge_of(&key, 1_000));
    let first = shop.portone_post_once("an-idempotency-key", path, body.clone()).await;
    shop.portone_paid("second").await;
    let payment = shop.portone_payment("kept").await;
    let list = "/payments-by-cursor";
    let (book, all) = (shop.sandbox.book(), shop.portone_get(list).await.json());
    for _ in 0..2 {
        shop.sandbox.shutdown().await;
        shop = Merchant::opens_in(folder.path()).await;
        assert_eq!(shop.sandbox.book(), book);
        assert_eq!(shop.portone_payment("kept").await, payment);
        assert_eq!(shop.portone_get(list).await.json(), all);
        let again = shop.portone_post_once("an-idempotency-key", path, body.clone()).await;
        assert_eq!(again.text, first.text);
    }
    let still_there = eventually("the webhook", || shop.sandbox.portone_webhooks().pop()).await;
    assert!(still_there.next_attempt_at.is_some(), "it waits for an address");
}
