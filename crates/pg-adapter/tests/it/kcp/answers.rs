//! Answers that KCP may give, and some that it never should.

use encoding_rs::EUC_KR;
use kernel::Krw;
use pg_adapter::{
    Cancel, DeclineClass, Lookup, Outcome, PaymentGateway,
    kcp::{KcpConfig, KcpConfigError, KcpCredentials, KcpGateway},
};
use serde_json::{Value, json};

use super::canned::{
    BATCH_KEY, ORDER, TNO, answering, approval, cancel, charge, confirm, credentials, inquiry, issue, ok,
    refusal,
};
use crate::canned::{SILENCE, raw};

async fn charged(answer: Vec<u8>) -> Outcome<pg_adapter::Approval> {
    answering([answer]).await.gateway.charge(&charge()).await
}

fn with(mut answer: Value, name: &str, value: Value) -> Value {
    answer[name] = value;
    answer
}

#[tokio::test]
async fn what_leaves_doubt_is_unknown() {
    let html = b"<html><body>502 Bad Gateway</body></html>";
    let whole = approval().to_string();
    for answer in [
        Vec::new(),
        SILENCE.to_vec(),
        raw("502 Bad Gateway", "content-type: text/html\r\n", html),
        raw("200 OK", "content-type: text/html\r\n", html),
        raw("200 OK", "", b""),
        raw("302 Found", "location: /elsewhere\r\n", whole.as_bytes()),
        raw("500 Internal Server Error", "", whole.as_bytes()),
        raw("400 Bad Request", "", whole.as_bytes()),
        raw("200 OK", "", &whole.as_bytes()[..whole.len() / 2]),
        raw("200 OK", "content-length: 9999\r\n", whole.as_bytes()),
        ok(&json!([approval()])),
        ok(&json!({"res_msg": "정상처리"})),
        ok(&json!({"res_cd": "", "res_msg": "정상처리"})),
        ok(&json!({"Code": "0000", "Message": "정상처리"})),
        ok(&with(approval(), "tno", json!(""))),
        ok(&with(approval(), "order_no", json!("ANOTHER"))),
        ok(&with(with(approval(), "amount", json!("")), "card_mny", json!(""))),
        ok(&with(approval(), "amount", json!("29,000"))),
        ok(&with(approval(), "amount", json!("0"))),
        ok(&with(with(approval(), "amount", Value::Null), "card_mny", json!([]))),
        refusal("8338"),
        refusal("8094"),
        refusal("CC98"),
        refusal("9048"),
        refusal("S099"),
        raw("503 Unavailable", "", json!({"res_cd": "CC10", "res_msg": "x"}).to_string().as_bytes()),
    ] {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let outcome = charged(answer).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{text}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_in_korean_whatever_its_status() {
    for (code, class) in [
        ("CC10", DeclineClass::RetryLater),
        ("CC54", DeclineClass::NewCard),
        ("8182", DeclineClass::Fraud),
        ("CC75", DeclineClass::Temporary),
        ("8001", DeclineClass::OurBug),
    ] {
        let body = json!({"res_cd": code, "res_msg": "x"}).to_string();
        for status in ["200 OK", "400 Bad Request"] {
            let Outcome::Declined(decline) = charged(raw(status, "", body.as_bytes())).await else {
                panic!("{code}")
            };
            assert_eq!((decline.class, decline.code.as_str()), (class, code));
            assert!(decline.message.ends_with('.') && !decline.message.is_ascii(), "{}", decline.message);
        }
    }
}

#[tokio::test]
async fn both_charsets_and_plain_numbers_are_read() {
    let text = with(approval(), "card_cd", json!("NEW1")).to_string();
    let euc_kr = EUC_KR.encode(&text).0;
    for (headers, body) in [
        ("content-type: application/json;charset=EUC-KR\r\n", &*euc_kr),
        ("content-type: application/json;charset=UTF-8\r\n", &*euc_kr),
        ("", &*euc_kr),
        ("", text.as_bytes()),
    ] {
        let Outcome::Approved(approval) = charged(raw("200 OK", headers, body)).await else {
            panic!("{headers}")
        };
        assert_eq!(approval.card.unwrap().company, "신한카드");
    }
    let numbers = with(approval(), "amount", json!(29_000));
    assert!(matches!(charged(ok(&numbers)).await, Outcome::Approved(_)));
}

#[tokio::test]
async fn what_is_missing_beside_the_money_does_not_undo_an_approval() {
    let bare = json!({"res_cd": "0000", "tno": TNO, "amount": "29000", "card_no": "1234567890123456"});
    let Outcome::Approved(approval) = charged(ok(&bare)).await else { panic!() };
    assert_eq!((approval.order_id.as_str(), approval.amount), (ORDER, Krw::won(29_000)));
    assert!(approval.approved_at.timestamp() > 0, "our own time stands in");
    assert_eq!(approval.card.unwrap().masked_number, "123456******3456", "nobody sees the whole number");
}

#[tokio::test]
async fn used_or_old_window_data_gives_no_key_and_decides_nothing_about_a_payment() {
    for code in ["8094", "8310", "8343"] {
        let kcp = answering([refusal(code), refusal(code)]).await;
        let issued = kcp.gateway.issue_billing_key(&issue()).await;
        assert!(
            matches!(issued, Outcome::Declined(decline) if decline.class == DeclineClass::NewCard),
            "{code}"
        );
        assert!(matches!(kcp.gateway.confirm(&confirm()).await, Outcome::Unknown(_)), "{code}");
    }
    for key in [json!(""), Value::Null, json!("a b"), json!(["x"])] {
        let answer = json!({"res_cd": "0000", "res_msg": "정상처리", "batch_key": key});
        let kcp = answering([ok(&answer)]).await;
        assert!(matches!(kcp.gateway.issue_billing_key(&issue()).await, Outcome::Unknown(_)));
    }
}

#[tokio::test]
async fn a_deletion_that_failed_is_not_taken_for_one_that_worked() {
    for (answer, unknown) in [
        (refusal("CC99"), true),
        (raw("500 Internal Server Error", "", br#"{"res_cd":"8132","res_msg":""}"#), true),
        (raw("200 OK", "", b"<html></html>"), true),
        (refusal("8001"), false),
    ] {
        let kcp = answering([answer]).await;
        let outcome = kcp.gateway.delete_billing_key(&BATCH_KEY.to_owned().into()).await;
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), unknown, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Declined(_)), !unknown, "{outcome:?}");
    }
}

#[tokio::test]
async fn an_inquiry_tells_the_state_and_nothing_contradictory_is_believed() {
    let found = |answer: Vec<u8>| async move { answering([answer]).await.gateway.find(TNO).await };
    for (state, rest, left) in
        [("STSR", "29000", 29_000), ("STPC", "20000", 20_000), ("STSC", "0", 0), ("STSC", "", 0)]
    {
        let Lookup::Approved(payment) = found(ok(&inquiry(state, rest))).await else { panic!("{state}") };
        assert_eq!((payment.order_id.as_str(), payment.remaining), (ORDER, Krw::won(left)));
        assert_eq!(payment.amount, Krw::won(29_000));
    }
    assert!(matches!(found(ok(&inquiry("STAF", ""))).await, Lookup::Failed(_)));
    assert!(matches!(found(ok(&inquiry("STIR", ""))).await, Lookup::InProgress));
    assert!(matches!(found(refusal("8132")).await, Lookup::NotFound));
    for odd in [
        ok(&inquiry("STSR", "20000")),
        ok(&inquiry("STSC", "1")),
        ok(&inquiry("STPC", "29000")),
        ok(&inquiry("STPC", "29001")),
        ok(&inquiry("STPC", "")),
        ok(&inquiry("NEW1", "29000")),
        ok(&with(inquiry("STSR", "29000"), "tno", json!("26112000000002"))),
        ok(&with(inquiry("STSR", "29000"), "order_no", json!(""))),
        refusal("8642"),
        raw("500 Internal Server Error", "", br#"{"res_cd":"8132","res_msg":""}"#),
    ] {
        let lookup = found(odd).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "{lookup:?}");
    }
}

#[tokio::test]
async fn a_refused_cancel_is_settled_by_a_second_look() {
    let before = || ok(&inquiry("STSR", "29000"));
    let ours = || ok(&inquiry("STPC", "20000"));
    let others = || ok(&inquiry("STPC", "5000"));
    for (code, second_look, expected) in [
        ("8133", ours(), "approved"),
        ("8381", ours(), "approved"),
        ("8381", before(), "unknown"),
        ("8381", others(), "unknown"),
        ("8382", before(), "declined"),
        ("8382", ours(), "approved"),
        ("8134", before(), "declined"),
        ("CCA9", others(), "unknown"),
        ("8381", Vec::new(), "unknown"),
        ("8132", refusal("8132"), "unknown"),
    ] {
        let kcp = answering([before(), refusal(code), second_look]).await;
        let outcome = kcp.gateway.cancel(&cancel()).await;
        let got = match &outcome {
            Outcome::Approved(_) => "approved",
            Outcome::Declined(_) => "declined",
            Outcome::NotSent(_) => "not sent",
            Outcome::Unknown(_) => "unknown",
        };
        assert_eq!(got, expected, "{code}: {outcome:?}");
    }
    for code in ["8012", "8642", "8141", "8178"] {
        let kcp = answering([before(), refusal(code)]).await;
        assert!(matches!(kcp.gateway.cancel(&cancel()).await, Outcome::Declined(_)), "{code}");
        assert_eq!(kcp.sent().len(), 2, "{code}");
    }
    for code in ["8387", "CC99", "S099"] {
        let kcp = answering([before(), refusal(code)]).await;
        assert!(matches!(kcp.gateway.cancel(&cancel()).await, Outcome::Unknown(_)), "{code}");
    }
}

#[tokio::test]
async fn books_that_disagree_with_kcp_cancel_nothing() {
    for answer in [ok(&inquiry("STPC", "5000")), refusal("8132"), refusal("8642"), ok(&inquiry("STIR", ""))] {
        let kcp = answering([answer]).await;
        assert!(matches!(kcp.gateway.cancel(&cancel()).await, Outcome::Unknown(_)));
        assert_eq!(kcp.sent().len(), 1, "nothing but the look");
    }
}

#[tokio::test]
async fn a_cancel_of_another_amount_is_not_ours_and_old_names_are_read() {
    let answer = |more: Value| {
        let mut answer =
            json!({"res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "canc_time": "20261121100000"});
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ok(&answer)
    };
    for (more, approved) in [
        (json!({"panc_mod_mny": "9000", "panc_rem_mny": "20000"}), true),
        (json!({"panc_mod_mny": "9000", "panc_rem_mny": "29000"}), true),
        (json!({}), true),
        (json!({"mod_mny": "8000"}), false),
        (json!({"mod_mny": "9000", "rem_mny": "1"}), false),
        (json!({"tno": "26112000000002"}), false),
    ] {
        let kcp = answering([ok(&inquiry("STSR", "29000")), answer(more.clone())]).await;
        let outcome = kcp.gateway.cancel(&Cancel { ..cancel() }).await;
        assert_eq!(matches!(outcome, Outcome::Approved(_)), approved, "{more}: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), !approved, "{more}: {outcome:?}");
    }
}

#[test]
fn what_is_wrong_with_the_set_up_is_named() {
    let trouble = |change: fn(&mut KcpConfig)| {
        let mut config = KcpConfig::new("https://spl.kcp.co.kr", "https://admin8.kcp.co.kr", credentials());
        change(&mut config);
        let clock = std::sync::Arc::new(kernel::MovableClock::default());
        KcpGateway::new(config, clock).err()
    };
    assert!(trouble(|_| ()).is_none());
    assert!(matches!(trouble(|it| it.base_url = "spl.kcp.co.kr".into()), Some(KcpConfigError::BaseUrl(_))));
    assert!(matches!(trouble(|it| it.receipt_base_url = "ftp://x".into()), Some(KcpConfigError::BaseUrl(_))));
    assert!(matches!(trouble(|it| it.site_cd = "A52Q".into()), Some(KcpConfigError::SiteCode(_))));
    assert!(matches!(trouble(|it| it.group_id = String::new()), Some(KcpConfigError::GroupId)));
    assert!(matches!(trouble(|it| it.certificate_pem = String::new()), Some(KcpConfigError::Certificate(_))));
    let wrong = |it: &mut KcpConfig| it.passphrase = "wrong".to_owned().into();
    assert!(matches!(trouble(wrong), Some(KcpConfigError::Passphrase)));
    let KcpCredentials { private_key_pem, .. } = credentials();
    assert!(!format!("{private_key_pem:?}").contains("MII"), "secrets are not printed");
}
