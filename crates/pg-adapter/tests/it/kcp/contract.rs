//! The KCP adapter against the sandbox: the conformance suite, and what KCP leaves open.

use chrono::TimeDelta;
use kernel::Krw;
use pg_adapter::{
    Approval, Cancel, Cancellation, Charge, Confirm, IssueBillingKey, Lookup, Outcome,
    contract::{Fault, Moment, Movement, Operation, Rig, TestCard, contract},
};
use sandbox::{
    AnswerCharset, DeletedKeyAnswer, DuplicateOrders, FaultKind, KcpSwitches, UnknownKeyAnswer,
    UsedWindowData,
};

use super::rig::KcpRig;

const PRICE: Krw = Krw::won(29_000);
const PART: Krw = Krw::won(9_000);

/// The other way round in everything that the KCP guides leave open.
#[tokio::test]
async fn kcp_keeps_the_contract_whatever_its_guides_leave_open() {
    let switches = KcpSwitches {
        duplicate_orders: DuplicateOrders::RefusedOnceUsed,
        used_window_data: UsedWindowData::Invalid,
        deleted_key: DeletedKeyAnswer::Unlisted,
        unknown_key: UnknownKeyAnswer::WrongCardNumber,
        answer_charset: AnswerCharset::EucKrUndeclared,
        euc_kr_notifications: true,
        errors_with_status_400: true,
        unknown_fields: true,
        unmasked_card_numbers: true,
        old_cancel_names: true,
        cancel_notices: true,
        ..KcpSwitches::default()
    };
    contract(&KcpRig::start(switches).await).await;
}

async fn paid(rig: &KcpRig, order_id: &str) -> Approval {
    approved(rig.gateway().charge(&charge(rig, order_id).await).await)
}

async fn charge(rig: &KcpRig, order_id: &str) -> Charge {
    let issue = IssueBillingKey {
        auth_key: rig.register("", TestCard::Good).await,
        customer_key: "customer-1".to_owned(),
        idempotency_key: format!("issue-{order_id}"),
    };
    Charge {
        billing_key: approved(rig.gateway().issue_billing_key(&issue).await).billing_key,
        customer_key: "customer-1".to_owned(),
        order_id: order_id.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: PRICE,
    }
}

fn refund(payment: &Approval, amount: Krw) -> Cancel {
    Cancel {
        payment_key: payment.payment_key.clone(),
        amount,
        reason: "고객 변심".to_owned(),
        reference: "refund-1".to_owned(),
        remaining_before: payment.remaining,
    }
}

fn approved<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Approved(value) => value,
        other => panic!("expected an approval, got {other:?}"),
    }
}

async fn settled(rig: &KcpRig, refund: &Cancel) -> Cancellation {
    for _ in 0..10 {
        match rig.gateway().cancel(refund).await {
            Outcome::Approved(made) => return made,
            Outcome::Unknown(_) | Outcome::NotSent(_) => rig.clock.advance(TimeDelta::minutes(1)),
            Outcome::Declined(decline) => panic!("declined: {decline:?}"),
        }
    }
    panic!("the cancel never settled");
}

/// What every code that decides nothing may hide: the money moved.
#[tokio::test]
async fn a_charge_behind_a_code_that_decides_nothing_is_unknown_and_never_made_twice() {
    let switches = KcpSwitches { moves_behind_declines: true, ..KcpSwitches::default() };
    let rig = KcpRig::start(switches).await;
    for (n, code) in ["CC98", "CC72", "8314", "8047", "3007", "9048", "8094", "S099"].into_iter().enumerate()
    {
        let request = charge(&rig, &format!("ORDER{n}")).await;
        rig.outside.sandbox.add_fault(sandbox::Fault::new(FaultKind::Decline { code: code.to_owned() }));
        assert!(matches!(rig.gateway().charge(&request).await, Outcome::Unknown(_)), "{code}");
        // Somebody sends it again, which billing never does: the duplicate is doubt and no refusal.
        assert!(matches!(rig.gateway().charge(&request).await, Outcome::Unknown(_)), "{code}");
        assert_eq!(rig.book(&request.order_id).await, [Movement::Charge(PRICE)], "{code}");
    }
}

/// Why the capability says that a charge is never repeated.
#[tokio::test]
async fn where_kcp_knows_no_duplicates_a_repeated_charge_would_charge_again() {
    let switches = KcpSwitches { duplicate_orders: DuplicateOrders::Charged, ..KcpSwitches::default() };
    let rig = KcpRig::start(switches).await;
    let request = charge(&rig, "ORDER1").await;
    rig.break_next(Operation::Charge, Fault::DropResponse).await;
    assert!(matches!(rig.gateway().charge(&request).await, Outcome::Unknown(_)));
    approved(rig.gateway().charge(&request).await);
    assert_eq!(rig.book("ORDER1").await, [Movement::Charge(PRICE); 2]);
    assert_eq!(rig.gateway().capabilities().repeats_charge, pg_adapter::Repeats::Never);
}

#[tokio::test]
async fn a_cancel_is_made_once_however_late_the_inquiry_sees_it() {
    let rig = KcpRig::start(KcpSwitches { inquiry_lag_seconds: 30, ..KcpSwitches::default() }).await;
    let faults = [
        Fault::DropResponse,
        Fault::Late(Moment::AfterActing),
        Fault::HtmlError(Moment::AfterActing),
        Fault::Truncated,
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        for (kind, amount) in [("WHOLE", PRICE), ("PART", PART)] {
            let payment = paid(&rig, &format!("{kind}{n}")).await;
            rig.clock.advance(TimeDelta::minutes(1));
            rig.break_next(Operation::Cancel, fault).await;
            let request = refund(&payment, amount);
            assert!(matches!(rig.gateway().cancel(&request).await, Outcome::Unknown(_)));
            // At once, while the inquiry still shows the payment as it was: KCP's own lock holds.
            assert!(matches!(rig.gateway().cancel(&request).await, Outcome::Unknown(_)), "{fault:?}");
            let made = settled(&rig, &request).await;
            assert_eq!((made.amount, made.reference.as_deref()), (amount, Some("refund-1")));
            let expected = [Movement::Charge(PRICE), Movement::Cancel(amount)];
            assert_eq!(rig.book(&payment.order_id).await, expected, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_cancel_behind_a_code_that_decides_nothing_is_made_once() {
    let switches = KcpSwitches { moves_behind_declines: true, ..KcpSwitches::default() };
    let rig = KcpRig::start(switches).await;
    for (n, code) in ["CC99", "8387", "8133", "8381", "S099"].into_iter().enumerate() {
        let payment = paid(&rig, &format!("ORDER{n}")).await;
        rig.outside.sandbox.add_fault(
            sandbox::Fault::new(FaultKind::Decline { code: code.to_owned() }).on(sandbox::Operation::Cancel),
        );
        settled(&rig, &refund(&payment, PART)).await;
        let expected = [Movement::Charge(PRICE), Movement::Cancel(PART)];
        assert_eq!(rig.book(&payment.order_id).await, expected, "{code}");
    }
}

#[tokio::test]
async fn the_rest_after_a_partial_cancel_goes_back_in_the_partial_mode() {
    let rig = KcpRig::start(KcpSwitches::default()).await;
    let payment = paid(&rig, "ORDER1").await;
    approved(rig.gateway().cancel(&refund(&payment, PART)).await);
    let Lookup::Approved(payment) = rig.gateway().find(&payment.payment_key).await else { panic!() };
    let rest = Cancel { reference: "refund-2".to_owned(), ..refund(&payment, payment.remaining) };
    let made = approved(rig.gateway().cancel(&rest).await);
    assert_eq!(made.amount, Krw::won(20_000));
    assert_eq!(rig.book("ORDER1").await.len(), 3);
}

#[tokio::test]
async fn an_unregistered_address_and_a_card_without_partial_cancels_are_ours_to_mend() {
    for switches in [
        KcpSwitches { cancel_ip_unregistered: true, ..KcpSwitches::default() },
        KcpSwitches { no_partial_cancels: true, ..KcpSwitches::default() },
    ] {
        let rig = KcpRig::start(switches).await;
        let payment = paid(&rig, "ORDER1").await;
        let Outcome::Declined(decline) = rig.gateway().cancel(&refund(&payment, PART)).await else {
            panic!()
        };
        assert_eq!(decline.class, pg_adapter::DeclineClass::OurBug);
        assert_eq!(rig.book("ORDER1").await, [Movement::Charge(PRICE)]);
    }
}

#[tokio::test]
async fn an_expired_certificate_is_ours_to_mend() {
    let rig = KcpRig::start(KcpSwitches::default()).await;
    let request = charge(&rig, "ORDER1").await;
    rig.clock.set("2050-01-01T00:00:00Z".parse().unwrap());
    let Outcome::Declined(decline) = rig.gateway().charge(&request).await else { panic!() };
    assert_eq!(decline.class, pg_adapter::DeclineClass::OurBug);
}

#[tokio::test]
async fn examples_in_documentation_work_as_often_as_they_are_pressed() {
    let rig = KcpRig::start(KcpSwitches::default()).await;
    for n in 0..2 {
        let issue = IssueBillingKey {
            auth_key: "test_auth_4300000000000001".to_owned().into(),
            customer_key: "customer-1".to_owned(),
            idempotency_key: format!("issue-{n}"),
        };
        let issued = approved(rig.gateway().issue_billing_key(&issue).await);
        assert_eq!(issued.card.company, "삼성카드");
        let payment_key = "enc_data=test_pay_4300000000000001&enc_info=x&tran_cd=00100000".to_owned();
        let confirm = Confirm { payment_key, order_id: format!("ORDER{n}"), amount: PRICE };
        let payment = approved(rig.gateway().confirm(&confirm).await);
        let receipt = reqwest::get(payment.receipt_url.unwrap()).await.unwrap();
        assert!(receipt.text().await.unwrap().contains("29,000원"));
    }
}
