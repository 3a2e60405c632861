//! What goes out, and what is made of what comes back.

use serde_json::{Value, json};
use tax_invoice::{
    InvoiceState, Lookup, Outcome, RefusalClass, TaxInvoice, TaxInvoiceIssuer as _, Unavailable, View,
};

use crate::{
    canned::{Canned, ok, raw, refusal},
    invoices::{draft, invoice, taken_back},
    rig::{document_key, issued, refused},
};

const NUMBER: &str = "202604014100000000000001";
const UNKNOWN_CODE: i64 = -11_999_999;

fn ours() -> TaxInvoice {
    invoice("INV-1", "2026-04-01".parse().unwrap())
}

fn success() -> Vec<u8> {
    ok(&json!({"code": 1, "message": "발행", "ntsConfirmNum": NUMBER}))
}

fn info(state: i64) -> Value {
    json!({
        "itemKey": "026040110000000001", "writeDate": "20260401", "issueDT": "20260401083000",
        "supplyCostTotal": "30000", "taxTotal": "3000", "modifyCode": null, "stateCode": state,
        "ntsconfirmNum": NUMBER, "invoicerMgtKey": "INV-1", "invoiceeCorpNum": "2222222227",
        "fieldOfNextYear": {"nested": [1]},
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut info = info(300);
    info[field] = value;
    info
}

fn without(field: &str) -> Value {
    let mut info = info(300);
    info.as_object_mut().unwrap().remove(field);
    info
}

#[tokio::test]
async fn an_issue_is_the_request_that_the_reference_describes() {
    let popbill = Canned::answering([success()]).await;
    issued(popbill.adapter.issue(&ours()).await);
    let requests = popbill.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /taxinvoice http/1.1"));
    for line in
        ["x-http-method-override: issue", "authorization: bearer token-1", "content-type: application/json"]
    {
        assert!(head.contains(line), "{line}\n{head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    for (name, value) in [
        ("issueType", json!("정발행")),
        ("taxType", json!("과세")),
        ("chargeDirection", json!("정과금")),
        ("writeDate", json!("20260401")),
        ("purposeType", json!("영수")),
        ("supplyCostTotal", json!("30000")),
        ("taxTotal", json!("3000")),
        ("totalAmount", json!("33000")),
        ("invoicerMgtKey", json!("INV-1")),
        ("invoicerCorpNum", json!("1234567891")),
        ("invoicerCEOName", json!("김단골")),
        ("invoiceeType", json!("사업자")),
        ("invoiceeCorpNum", json!("2222222227")),
        ("invoiceeCEOName", json!("김단골")),
        ("forceIssue", json!(false)),
        ("writeSpecification", json!(false)),
        ("modifyCode", Value::Null),
        ("orgNTSConfirmNum", Value::Null),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    assert_eq!(
        body["detailList"],
        json!([{"serialNum": 1, "purchaseDT": "20260401", "itemName": "프로 요금제", "spec": "", "qty": "1",
            "unitCost": "30000", "supplyCost": "30000", "tax": "3000", "remark": ""}])
    );

    let popbill = Canned::answering([success()]).await;
    issued(popbill.adapter.issue(&taken_back(&ours(), "INV-2", &NUMBER.parse().unwrap())).await);
    let body: Value = serde_json::from_str(popbill.requests()[0].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&body["modifyCode"], &body["orgNTSConfirmNum"]), (&json!(6), &json!(NUMBER)));
    assert_eq!((&body["supplyCostTotal"], &body["totalAmount"]), (&json!("-30000"), &json!("-33000")));
}

/// Everything that nobody can understand, whatever was asked.
fn unclear() -> Vec<(&'static str, Vec<u8>)> {
    let html = b"<html><body>502 Bad Gateway</body></html>";
    vec![
        ("no answer", Vec::new()),
        ("not http", b"hello\r\n\r\n".to_vec()),
        ("half a body", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"code\": 1".to_vec()),
        ("a redirect", raw("302 Found", "location: /elsewhere\r\n", b"")),
        ("an error page", raw("502 Bad Gateway", "content-type: text/html\r\n", html)),
        ("an error without a code", raw("400 Bad Request", "", b"{\"message\":\"no\"}")),
        ("an error that says success", raw("500 Oops", "", b"{\"code\":1,\"message\":\"ok\"}")),
        ("half an error", raw("400 Bad Request", "", b"{\"code\":-11002031,\"mess")),
    ]
}

#[tokio::test]
async fn what_cannot_be_understood_is_unknown_and_not_asked_again() {
    for (name, answer) in unclear() {
        let popbill = Canned::answering([answer.clone()]).await;
        let outcome = popbill.adapter.issue(&ours()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "issue, {name}: {outcome:?}");
        assert_eq!(popbill.requests().len(), 1, "{name}");

        let popbill = Canned::answering([answer.clone()]).await;
        let outcome = popbill.adapter.withdraw(&document_key("INV-1")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "withdraw, {name}: {outcome:?}");

        let popbill = Canned::answering([answer.clone()]).await;
        let lookup = popbill.adapter.find(&document_key("INV-1")).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "look-up, {name}: {lookup:?}");

        let popbill = Canned::answering([answer]).await;
        let [(_, lookup)] = popbill.adapter.find_all(&[document_key("INV-1")]).await.try_into().unwrap();
        assert!(matches!(lookup, Lookup::Unknown(_)), "list, {name}: {lookup:?}");
    }
}

#[tokio::test]
async fn a_success_that_is_none_is_looked_up() {
    for body in [
        json!({}),
        json!([]),
        json!("ok"),
        json!({"code": 2}),
        json!({"code": -11_002_031}),
        json!({"code": null}),
        json!({"code": 1}),
        json!({"code": 1, "ntsConfirmNum": "123"}),
        json!({"code": 1, "ntsConfirmNum": 5}),
    ] {
        let popbill = Canned::answering([ok(&body), ok(&info(300))]).await;
        let answer = issued(popbill.adapter.issue(&ours()).await);
        assert_eq!(answer.confirmation_number.as_str(), NUMBER, "{body}");

        let popbill = Canned::answering([ok(&body), refusal(400, -11_000_000)]).await;
        let outcome = popbill.adapter.issue(&ours()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_counts_only_when_there_is_no_document() {
    let missing = || refusal(404, -11_000_001);
    for (first, then, expected) in [
        (refusal(400, -11_002_031), missing(), Some(RefusalClass::Account)),
        (refusal(403, -11_001_021), missing(), Some(RefusalClass::Buyer)),
        (refusal(400, -11_001_013), missing(), Some(RefusalClass::OurBug)),
        (refusal(400, UNKNOWN_CODE), missing(), None),
        (refusal(500, -11_002_031), missing(), None),
        (refusal(400, -11_002_031), refusal(500, -11_000_000), None),
        (refusal(400, -11_002_031), refusal(404, UNKNOWN_CODE), None),
        (refusal(400, -11_002_031), raw("404 Not Found", "", b"nginx"), None),
        (refusal(400, -11_002_031), Vec::new(), None),
    ] {
        let popbill = Canned::answering([first, then]).await;
        match (popbill.adapter.issue(&ours()).await, expected) {
            (Outcome::Refused(refusal), Some(class)) => assert_eq!(refusal.class, class),
            (Outcome::Unknown(_), None) => {}
            (outcome, expected) => panic!("expected {expected:?}, got {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_document_must_be_ours_in_a_state_we_know() {
    for info in [
        json!({}),
        json!([]),
        info(200),
        info(306),
        info(-1),
        with("stateCode", Value::Null),
        with("stateCode", json!(300.5)),
        with("invoicerMgtKey", json!("INV-2")),
        with("writeDate", json!("2026-04-01")),
        with("supplyCostTotal", json!("30,000")),
        with("supplyCostTotal", json!(30_000.5)),
        with("taxTotal", json!("")),
        with("ntsconfirmNum", Value::Null),
        with("ntsconfirmNum", json!("123")),
        with("modifyCode", json!("x")),
        without("stateCode"),
        without("invoicerMgtKey"),
        without("writeDate"),
        without("supplyCostTotal"),
        without("invoiceeCorpNum"),
    ] {
        let popbill = Canned::answering([ok(&info), refusal(400, -11_002_031), ok(&info)]).await;
        let lookup = popbill.adapter.find(&document_key("INV-1")).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "{info}: {lookup:?}");
        let outcome = popbill.adapter.issue(&ours()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{info}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_only_decorates_may_be_missing_or_odd() {
    for info in [
        with("issueDT", json!("yesterday")),
        with("issueDT", json!(5)),
        with("ntssendErrCode", json!({})),
        with("modifyCode", json!("")),
        with("modifyCode", json!(0)),
        with("stateCode", json!("300")),
        with("supplyCostTotal", json!(30_000)),
        without("modifyCode"),
        without("issueDT"),
        without("itemKey"),
    ] {
        let popbill = Canned::answering([ok(&info)]).await;
        let Lookup::Found(found) = popbill.adapter.find(&document_key("INV-1")).await else {
            panic!("{info}")
        };
        assert_eq!((found.state, found.amount), (InvoiceState::Issued, ours().total()));
    }
}

#[tokio::test]
async fn another_document_under_our_number_is_told_apart() {
    for info in [
        with("supplyCostTotal", json!("30001")),
        with("taxTotal", json!("-3000")),
        with("writeDate", json!("20260402")),
        with("invoiceeCorpNum", json!("3333333336")),
        with("modifyCode", json!(4)),
    ] {
        let popbill = Canned::answering([refusal(400, UNKNOWN_CODE), ok(&info)]).await;
        assert_eq!(refused(popbill.adapter.issue(&ours()).await).code, "KEY_TAKEN", "{info}");
    }
}

#[tokio::test]
async fn a_saved_document_is_issued_by_itself() {
    let mut saved = info(100);
    saved["ntsconfirmNum"] = Value::Null;
    let popbill = Canned::answering([refusal(400, UNKNOWN_CODE), ok(&saved), success()]).await;
    let mut late = draft("INV-1", "2026-04-01".parse().unwrap());
    late.after_deadline = tax_invoice::AfterDeadline::IssueLate;
    issued(popbill.adapter.issue(&TaxInvoice::new(late).unwrap()).await);
    let last = popbill.requests().pop().unwrap();
    assert!(last.starts_with("POST /Taxinvoice/SELL/INV-1 "), "{last}");
    assert!(last.ends_with(r#"{"forceIssue":true}"#), "{last}");
    assert!(last.to_ascii_lowercase().contains("x-http-method-override: issue"));
}

#[tokio::test]
async fn only_a_pdf_is_a_pdf_and_only_a_web_address_a_link() {
    let key = document_key("INV-1");
    for body in [b"<html></html>".as_slice(), b"", b"{\"code\":1}"] {
        let popbill = Canned::answering([raw("200 OK", "", body)]).await;
        assert!(matches!(popbill.adapter.pdf(&key).await, Err(Unavailable::Unknown(_))));
        let popbill = Canned::answering([raw("200 OK", "", body)]).await;
        assert!(matches!(popbill.adapter.xml(&key).await, Err(Unavailable::Unknown(_))));
    }
    for url in ["javascript:alert(1)", "", "not a url", "file:///etc/passwd"] {
        let popbill = Canned::answering([ok(&json!({"url": url}))]).await;
        assert!(
            matches!(popbill.adapter.view(&key, View::Print).await, Err(Unavailable::Unknown(_))),
            "{url}"
        );
    }
}
