use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    merchant::{Merchant, answer},
    popbill_seller::{Seller, invoice, refusal, taken_back},
};

#[tokio::test]
async fn an_issued_invoice_has_a_number_and_can_be_read() {
    let seller = Seller::opens().await;
    let issued = seller.issues(invoice(&seller, "INV-1")).await.json();
    assert_eq!(issued["code"], 1);
    let number = issued["ntsConfirmNum"].as_str().unwrap();
    assert_eq!(number.len(), 24);

    let info = seller.looks("INV-1").await.json();
    assert_eq!(info["invoicerMgtKey"], "INV-1");
    assert_eq!(info["itemKey"].as_str().unwrap().len(), 18);
    assert_eq!((&info["supplyCostTotal"], &info["taxTotal"]), (&json!("30000"), &json!("3000")));
    assert_eq!((&info["stateCode"], &info["ntsconfirmNum"]), (&json!(300), &json!(number)));
    assert_eq!(info["modifyCode"], Value::Null);
    let detail = answer(seller.request(Method::GET, "/Taxinvoice/SELL/INV-1?Detail")).await.json();
    assert_eq!(detail["detailList"][0]["itemName"], "프로 요금제");
    assert_eq!(seller.shop.sandbox.tax_invoices().len(), 1);
    assert!(seller.shop.sandbox.book().is_empty());
}

#[tokio::test]
async fn a_document_id_is_used_once_whatever_becomes_of_it() {
    let seller = Seller::opens().await;
    seller.issues(invoice(&seller, "INV-1")).await;
    assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-1")).await), "400 -11009901");
    assert_eq!(seller.post("/Taxinvoice/SELL/INV-1", Some("CANCELISSUE"), json!({})).await.status, 200);
    assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-1")).await), "400 -11009901");
    seller.control(Method::PATCH, "/switches", json!({"duplicateKeyCode": -12_345_678})).await;
    assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-1")).await), "400 -12345678");
    assert_eq!(seller.shop.sandbox.tax_invoices().len(), 1);
}

#[tokio::test]
async fn an_invoice_is_filed_at_three_on_the_next_business_day() {
    let seller = Seller::opens().await;
    seller.now_is("2026-11-20T10:00:00+09:00"); // A Friday.
    let seller = Seller::at(seller.shop).await;
    seller.issues(invoice(&seller, "INV-1")).await;
    seller.control(Method::PATCH, "/switches", json!({"sessionMinutes": 10_000})).await;
    let seller = Seller::at(seller.shop).await;
    for (time, code) in [
        ("2026-11-20T23:59:00+09:00", 300),
        ("2026-11-21T15:30:00+09:00", 301),
        ("2026-11-23T14:59:00+09:00", 301),
        ("2026-11-23T15:01:00+09:00", 302),
        ("2026-11-23T15:11:00+09:00", 303),
        ("2026-11-23T15:31:00+09:00", 304),
    ] {
        seller.now_is(time);
        assert_eq!(seller.state("INV-1").await, code, "{time}");
    }
    let info = seller.looks("INV-1").await.json();
    assert_eq!(info["ntssendErrCode"], "SUC001");
    assert_eq!(
        (&info["ntssendDT"], &info["ntsresultDT"]),
        (&json!("20261123151000"), &json!("20261123153000"))
    );
}

#[tokio::test]
async fn the_tax_service_can_be_made_to_refuse() {
    let seller = Seller::opens().await;
    for key in ["INV-1", "INV-2", "INV-3"] {
        seller.issues(invoice(&seller, key)).await;
    }
    let rejected = seller.control(Method::POST, "/reject", json!({"mgtKey": "INV-1"})).await;
    assert_eq!(rejected.json()["stateCode"], 300, "it has not got there yet");
    seller.control(Method::POST, "/file", json!({"mgtKey": "INV-1"})).await;
    seller.control(Method::POST, "/file", json!({"mgtKey": "INV-2", "code": "SYN004"})).await;
    seller.control(Method::POST, "/file", json!({"mgtKey": "INV-3"})).await;
    let list = seller.control(Method::GET, "/invoices", Value::Null).await.json();
    let codes: Vec<_> =
        list.as_array().unwrap().iter().map(|it| (&it["stateCode"], &it["ntsCode"])).collect();
    assert_eq!(json!(codes), json!([[305, "SYN003"], [305, "SYN004"], [304, "SUC001"]]));
    let again = seller.control(Method::POST, "/reject", json!({"mgtKey": "INV-3"})).await;
    assert_eq!(again.refusal(), "400 WRONG_STATE");
    let nobody = seller.control(Method::POST, "/reject", json!({"mgtKey": "INV-9"})).await;
    assert_eq!(nobody.refusal(), "404 NOT_FOUND");
}

#[tokio::test]
async fn an_issue_is_withdrawn_before_it_is_filed_and_not_after() {
    let seller = Seller::opens().await;
    seller.issues(invoice(&seller, "INV-1")).await;
    seller.issues(invoice(&seller, "INV-2")).await;
    assert_eq!(seller.post("/Taxinvoice/SELL/INV-1", Some("CANCELISSUE"), json!({})).await.status, 200);
    assert_eq!(seller.state("INV-1").await, 600);
    assert_eq!(seller.post("/Taxinvoice/SELL/INV-2", Some("NTS"), json!({})).await.status, 200);
    assert_eq!(seller.state("INV-2").await, 302);
    let late = seller.post("/Taxinvoice/SELL/INV-2", Some("CANCELISSUE"), json!({})).await;
    assert_eq!(refusal(&late), "400 -11009907");
}

#[tokio::test]
async fn a_modified_invoice_needs_an_accepted_original_and_a_minus_sign() {
    let seller = Seller::opens().await;
    let number = seller.issues(invoice(&seller, "INV-1")).await.json()["ntsConfirmNum"].clone();
    let number = number.as_str().unwrap();
    assert_eq!(refusal(&seller.issues(taken_back(&seller, "INV-2", number)).await), "400 -11009906");
    seller.control(Method::POST, "/file", json!({"mgtKey": "INV-1"})).await;

    let mut positive = invoice(&seller, "INV-2");
    positive["modifyCode"] = 4.into();
    positive["orgNTSConfirmNum"] = number.into();
    assert_eq!(refusal(&seller.issues(positive).await), "400 -11001010");
    let mut nonsense = taken_back(&seller, "INV-2", number);
    nonsense["modifyCode"] = 7.into();
    assert_eq!(refusal(&seller.issues(nonsense).await), "400 -11001009");
    assert_eq!(seller.issues(taken_back(&seller, "INV-2", number)).await.status, 200);
    assert_eq!(seller.looks("INV-2").await.json()["modifyCode"], 4);
}

#[tokio::test]
async fn what_is_wrong_with_an_invoice_is_said_in_popbills_codes() {
    let seller = Seller::opens().await;
    for (name, value, code) in [
        ("invoicerMgtKey", json!(""), -11_000_005),
        ("invoicerMgtKey", json!("INV 1"), -11_000_006),
        ("invoicerMgtKey", json!("a".repeat(25)), -11_000_006),
        ("invoicerCorpNum", json!("2222222227"), -11_001_000),
        ("writeDate", json!("2026-11-20"), -11_001_001),
        ("writeDate", json!("20260230"), -11_001_001),
        ("issueType", json!("역발행"), -11_001_003),
        ("purposeType", json!("기타"), -11_001_004),
        ("taxType", json!("TAXED"), -11_001_005),
        ("chargeDirection", json!("역과금"), -11_001_012),
        ("invoicerCorpName", json!(" "), -11_001_014),
        ("invoiceeCorpNum", json!("1234567890"), -11_001_021),
        ("modifyCode", json!("9"), -11_001_009),
        ("totalAmount", json!("33001"), -11_009_903),
        ("taxTotal", json!("3,000"), -11_009_903),
        ("supplyCostTotal", json!(30_000), -11_009_902),
        ("detailList", json!([{"supplyCost": "29999", "tax": "3000"}]), -11_009_903),
        ("detailList", json!(vec![json!({"supplyCost": "0", "tax": "0"}); 100]), -11_009_904),
        ("writeDate", json!("20250101"), -11_009_905),
    ] {
        let mut wrong = invoice(&seller, "INV-1");
        wrong[name] = value;
        let answer = seller.issues(wrong).await;
        assert_eq!(refusal(&answer), format!("400 {code}"), "{name}");
    }
    assert!(seller.shop.sandbox.tax_invoices().is_empty());
    let mut late = invoice(&seller, "INV-1");
    late["writeDate"] = "20250101".into();
    late["forceIssue"] = true.into();
    assert_eq!(seller.issues(late).await.status, 200);
}

#[tokio::test]
async fn an_account_that_is_not_in_order_issues_nothing() {
    let seller = Seller::opens().await;
    let corp = crate::popbill_seller::SELLER;
    for (member, code) in [
        (json!({"corpNum": corp, "certificate": "INVALID"}), -11_002_031),
        (json!({"corpNum": corp, "certificate": "MISSING"}), -10_002_009),
        (json!({"corpNum": corp, "isMember": false}), -99_003_008),
        (json!({"corpNum": corp, "points": 0}), -99_009_901),
    ] {
        assert_eq!(seller.control(Method::PUT, "/members", member).await.status, 204);
        assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-1")).await), format!("400 {code}"));
    }
    seller.control(Method::PUT, "/members", json!({"corpNum": corp, "points": 1})).await;
    assert_eq!(seller.issues(invoice(&seller, "INV-1")).await.status, 200);
    assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-2")).await), "400 -99009901");

    seller.control(Method::PATCH, "/switches", json!({"refusedIssuesStaySaved": true})).await;
    seller.issues(invoice(&seller, "INV-2")).await;
    assert_eq!(seller.state("INV-2").await, 100);
    seller.control(Method::PUT, "/members", json!({"corpNum": corp})).await;
    assert_eq!(seller.post("/Taxinvoice/SELL/INV-2", Some("ISSUE"), json!({})).await.json()["code"], 1);
    assert_eq!(seller.state("INV-2").await, 300);
}

#[tokio::test]
async fn many_states_are_read_at_once_and_documents_are_looked_at() {
    let seller = Seller::opens().await;
    seller.post("/Taxinvoice", None, invoice(&seller, "INV-1")).await;
    seller.issues(invoice(&seller, "INV-2")).await;
    let list = seller.post("/Taxinvoice/SELL", None, json!(["INV-2", "INV-9", "INV-1"])).await.json();
    let states: Vec<_> = list.as_array().unwrap().iter().map(|it| &it["stateCode"]).collect();
    assert_eq!(json!(states), json!([300, 100]));

    let get = async |query: &str| {
        answer(seller.request(Method::GET, &format!("/Taxinvoice/SELL/INV-2?{query}"))).await
    };
    assert!(get("TG=PRINT").await.json()["url"].as_str().unwrap().starts_with("http://"));
    assert!(get("PDF").await.text.starts_with("%PDF-"));
    let xml = get("XML").await.json();
    assert_eq!(xml["code"], 1);
    assert!(xml["retObject"].as_str().unwrap().starts_with("<?xml"));
    assert_eq!(get("TG=FAX").await.status, 404);
}

#[tokio::test]
async fn faults_strike_popbill_alone_when_they_name_it() {
    let seller = Seller::opens().await;
    let fault = async |fault: Value| seller.shop.control(Method::POST, "/faults", fault).await;
    fault(json!({"fault": "drop_response", "provider": "POPBILL", "operation": "issue"})).await;
    let lost = seller.request(Method::POST, "/Taxinvoice").header("x-http-method-override", "ISSUE");
    assert!(lost.json(&invoice(&seller, "INV-1")).send().await.is_err());
    assert_eq!(seller.state("INV-1").await, 300, "only the answer was lost");

    fault(json!({"fault": "error_500", "provider": "POPBILL", "operation": "issue"})).await;
    assert_eq!(seller.issues(invoice(&seller, "INV-2")).await.status, 500);
    assert_eq!(refusal(&seller.looks("INV-2").await), "400 -11000000");
    fault(json!({"fault": "decline", "provider": "POPBILL", "value": "-11002031"})).await;
    assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-2")).await), "400 -11002031");
    fault(json!({"fault": "refuse", "provider": "TOSS"})).await;
    assert_eq!(seller.issues(invoice(&seller, "INV-2")).await.status, 200);
}

#[tokio::test]
async fn documents_tokens_and_members_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let seller = Seller::at(Merchant::opens_in(folder.path()).await).await;
    seller.issues(invoice(&seller, "INV-1")).await;
    seller.issues(invoice(&seller, "INV-2")).await;
    seller.control(Method::POST, "/file", json!({"mgtKey": "INV-1"})).await;
    seller.control(Method::PUT, "/members", json!({"corpNum": "2222222227", "isMember": false})).await;
    let before = seller.shop.sandbox.tax_invoices();
    let mut seller = seller;
    for _ in 0..2 {
        seller.shop.sandbox.shutdown().await;
        let shop = Merchant::opens_in(folder.path()).await;
        seller = Seller { shop, token: seller.token };
        assert_eq!(seller.shop.sandbox.tax_invoices(), before);
        assert_eq!(seller.state("INV-1").await, 304);
        assert_eq!(refusal(&seller.issues(invoice(&seller, "INV-2")).await), "400 -11009901");
    }
    let next = seller.issues(invoice(&seller, "INV-3")).await.json();
    assert!(before.iter().all(|it| it.nts_confirm_num.as_deref() != next["ntsConfirmNum"].as_str()));
}
