//! What KCP gets to see.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kernel::Krw;
use pg_adapter::{Cancel, Charge, Confirm, Lookup, Outcome, PaymentGateway};
use sandbox::kcp_dev_credentials;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use x509_cert::{Certificate, der::DecodePem as _};

use super::canned::{
    BATCH_KEY, ORDER, TNO, answering, approval, cancel, charge, confirm, gateway, inquiry, issue, ok, refusal,
};

fn one_line_certificate() -> String {
    kcp_dev_credentials().certificate_pem.replace('\n', "")
}

/// Whether the posted certificate's key made this signature over this text.
fn is_signed(body: &Value, text: &str) -> bool {
    let certificate = Certificate::from_pem(kcp_dev_credentials().certificate_pem).unwrap();
    let key = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
    let signature = STANDARD.decode(body["kcp_sign_data"].as_str().unwrap()).unwrap();
    assert_eq!(body["kcp_cert_info"], one_line_certificate());
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(text.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn a_charge_goes_to_the_hub_in_strings() {
    let kcp = answering([ok(&approval())]).await;
    let Outcome::Approved(approval) = kcp.gateway.charge(&charge()).await else { panic!() };
    assert_eq!((approval.order_id.as_str(), approval.payment_key.as_str()), (ORDER, TNO));
    assert_eq!((approval.amount, approval.remaining), (charge().amount, charge().amount));
    assert_eq!(approval.approved_at.to_rfc3339(), "2026-11-20T00:00:00+00:00", "Korean time was meant");
    let card = approval.card.unwrap();
    assert_eq!((card.company.as_str(), card.masked_number.as_str()), ("신한카드", "123456******1234"));
    let receipt = format!(
        "https://admin8.kcp.co.kr/assist/bill.BillActionNew.do?cmd=card_bill&tno={TNO}&order_no={ORDER}&trade_mony=29000"
    );
    assert_eq!(approval.receipt_url.as_deref(), Some(receipt.as_str()));

    let [(path, body)] = kcp.sent().try_into().unwrap();
    assert_eq!(path, "/gw/hub/v1/payment");
    let expected = json!({
        "site_cd": "A52Q7", "kcp_cert_info": one_line_certificate(), "pay_method": "CARD", "amount": "29000",
        "card_mny": "29000", "currency": "410", "quota": "00", "ordr_idxx": ORDER,
        "good_name": "단골   프로  요금제", "card_tx_type": "11511000", "bt_batch_key": BATCH_KEY,
        "bt_group_id": "A52Q71000489",
    });
    assert_eq!(body, expected);
    let head = kcp.requests()[0].to_ascii_lowercase();
    assert!(head.contains("content-type: application/json; charset=utf-8\r\n"), "{head}");
    assert_eq!(head.matches("content-type:").count(), 1, "{head}");
}

#[tokio::test]
async fn a_confirm_carries_our_amount_and_our_number() {
    let kcp = answering([ok(&approval())]).await;
    assert!(matches!(kcp.gateway.confirm(&confirm()).await, Outcome::Approved(_)));
    let [(path, body)] = kcp.sent().try_into().unwrap();
    assert_eq!(path, "/gw/enc/v1/payment");
    let expected = json!({
        "tran_cd": "00100000", "site_cd": "A52Q7", "kcp_cert_info": one_line_certificate(),
        "enc_data": "a+b==", "enc_info": "c", "ordr_mony": "29000", "ordr_no": ORDER, "pay_type": "PACA",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_registration_carries_no_amount_and_shows_the_number_of_the_window() {
    let key = json!({"res_cd": "0000", "res_msg": "정상처리", "batch_key": BATCH_KEY, "card_cd": "CCDI",
        "card_name": "현대카드", "card_bank_cd": "0321", "van_tx_id": "", "join_cd": ""});
    let kcp = answering([ok(&key)]).await;
    let Outcome::Approved(issued) = kcp.gateway.issue_billing_key(&issue()).await else { panic!() };
    assert_eq!(issued.billing_key.expose_secret(), BATCH_KEY);
    assert_eq!(
        (issued.card.company.as_str(), issued.card.masked_number.as_str()),
        ("현대카드", "123445******8910")
    );
    let [(path, body)] = kcp.sent().try_into().unwrap();
    let expected = json!({
        "tran_cd": "00300001", "site_cd": "A52Q7", "kcp_cert_info": one_line_certificate(),
        "enc_data": "a+b==", "enc_info": "c",
    });
    assert_eq!((path.as_str(), body), ("/gw/enc/v1/payment", expected));
}

#[tokio::test]
async fn a_deletion_names_key_and_group() {
    let kcp = answering([ok(&json!({"res_cd": "0000", "res_msg": "정상처리"})), refusal("S099")]).await;
    for _ in 0..2 {
        let outcome = kcp.gateway.delete_billing_key(&BATCH_KEY.to_owned().into()).await;
        assert!(matches!(outcome, Outcome::Approved(())), "also where it was gone already");
    }
    let (path, body) = &kcp.sent()[0];
    assert_eq!(path, "/gw/hub/v1/payment");
    let expected = json!({
        "site_cd": "A52Q7", "kcp_cert_info": one_line_certificate(), "pay_method": "BATCH",
        "batch_key": BATCH_KEY, "group_id": "A52Q71000489", "tx_type": "10005010",
    });
    assert_eq!(*body, expected);
}

#[tokio::test]
async fn a_partial_cancel_looks_first_and_names_what_is_left_before_it() {
    let done = json!({"res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "canc_time": "20261121100000",
        "amount": "29000", "mod_mny": "9000", "rem_mny": "20000", "mod_pcan_seq_no": "26112100000002"});
    let kcp = answering([ok(&inquiry("STSR", "29000")), ok(&done)]).await;
    let Outcome::Approved(made) = kcp.gateway.cancel(&cancel()).await else { panic!() };
    assert_eq!((made.amount, made.reference.as_deref()), (Krw::won(9_000), Some("refund-1")));
    assert_eq!(made.canceled_at.unwrap().to_rfc3339(), "2026-11-21T01:00:00+00:00");

    let [(first, look), (second, sent)] = kcp.sent().try_into().unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("/std/inquery", "/gw/mod/v1/cancel"));
    assert_eq!((&look["tno"], &look["pay_type"]), (&json!(TNO), &json!("PACA")));
    assert!(is_signed(&look, &format!("A52Q7^{TNO}^PACA")));
    assert!(is_signed(&sent, &format!("A52Q7^{TNO}^STPC")));
    for (name, expected) in [
        ("mod_type", "STPC"),
        ("tno", TNO),
        ("mod_mny", "9000"),
        ("rem_mny", "29000"),
        ("mod_desc", "고객 변심"),
    ] {
        assert_eq!(sent[name], expected, "{name}");
    }
}

#[tokio::test]
async fn only_an_untouched_payment_is_cancelled_whole() {
    let whole = Cancel { amount: Krw::won(29_000), ..cancel() };
    let rest = Cancel { amount: Krw::won(20_000), remaining_before: Krw::won(20_000), ..cancel() };
    let done = json!({"res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "canc_time": "20261121100000"});
    for (request, seen, mode) in
        [(whole, inquiry("STSR", "29000"), "STSC"), (rest, inquiry("STPC", "20000"), "STPC")]
    {
        let kcp = answering([ok(&seen), ok(&done)]).await;
        assert!(matches!(kcp.gateway.cancel(&request).await, Outcome::Approved(_)));
        let (_, sent) = &kcp.sent()[1];
        assert_eq!(sent["mod_type"], mode);
        assert_eq!(sent.get("rem_mny").is_some(), mode == "STPC");
        assert!(is_signed(sent, &format!("A52Q7^{TNO}^{mode}")), "the signature has the mode that is sent");
    }
}

#[tokio::test]
async fn a_cancel_that_was_made_long_ago_is_not_sent_again() {
    let kcp = answering([ok(&inquiry("STPC", "20000"))]).await;
    let Outcome::Approved(made) = kcp.gateway.cancel(&cancel()).await else { panic!() };
    assert_eq!((made.transaction_key.as_str(), made.amount), ("26112000000001-20000", Krw::won(9_000)));
    assert_eq!(kcp.sent().len(), 1, "only the look");
}

#[tokio::test]
async fn what_can_only_be_wrong_is_not_sent() {
    let kcp = answering([]).await;
    let gateway = &kcp.gateway;
    for order_id in ["", "with-hyphen", "주문", "a\r\nb", &"o".repeat(41)] {
        let mut request = charge();
        request.order_id = order_id.to_owned();
        assert!(matches!(gateway.charge(&request).await, Outcome::Declined(_)), "{order_id}");
        let mut request = confirm();
        request.order_id = order_id.to_owned();
        assert!(matches!(gateway.confirm(&request).await, Outcome::Declined(_)), "{order_id}");
    }
    for amount in [0, -1] {
        let amount = Krw::won(amount);
        assert!(matches!(gateway.charge(&Charge { amount, ..charge() }).await, Outcome::Declined(_)));
        assert!(matches!(gateway.confirm(&Confirm { amount, ..confirm() }).await, Outcome::Declined(_)));
    }
    for billing_key in ["", "..", "a b"] {
        let mut request = charge();
        request.billing_key = billing_key.to_owned().into();
        assert!(matches!(gateway.charge(&request).await, Outcome::Declined(_)));
        assert!(matches!(gateway.delete_billing_key(&request.billing_key).await, Outcome::Declined(_)));
    }
    for window in ["", "tran_cd=1", "enc_data=&enc_info=c", &format!("enc_data=a&ordr_idxx={ORDER}X")] {
        let mut request = confirm();
        request.payment_key = window.to_owned();
        assert!(matches!(gateway.confirm(&request).await, Outcome::Declined(_)), "{window}");
    }
    let refused = [
        Cancel { payment_key: "../x".to_owned(), ..cancel() },
        Cancel { amount: Krw::ZERO, ..cancel() },
        Cancel { amount: Krw::won(-1), ..cancel() },
        Cancel { amount: Krw::won(29_001), ..cancel() },
    ];
    for request in refused {
        assert!(matches!(gateway.cancel(&request).await, Outcome::Declined(_)), "{request:?}");
    }
    assert!(matches!(gateway.find("a/b?c").await, Lookup::Unknown(_)));
    assert!(matches!(gateway.find_by_order(ORDER).await, Lookup::Unknown(_)));
    assert!(kcp.requests().is_empty());
}

#[tokio::test]
async fn no_text_for_operators_contains_a_key() {
    let nobody = gateway("http://127.0.0.1:1");
    let Outcome::NotSent(reason) = nobody.charge(&charge()).await else { panic!() };
    assert!(!reason.contains("1234567890"), "{reason}");
    let silent = answering([]).await;
    let Outcome::Unknown(reason) = silent.gateway.charge(&charge()).await else { panic!() };
    assert!(!reason.contains("1234567890"), "{reason}");
}

#[test]
fn operators_can_be_warned_before_the_certificate_ends() {
    let gateway = gateway("http://127.0.0.1:1");
    assert_eq!(gateway.certificate_expires_at().to_rfc3339(), "2049-12-31T00:00:00+00:00");
    assert!(gateway.acknowledgement().body.contains(r#"name="result" value="0000""#));
}
