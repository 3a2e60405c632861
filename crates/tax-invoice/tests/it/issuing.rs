//! Issuing, repeating, modifying and withdrawing.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use tax_invoice::{
    AfterDeadline, InvoiceState, Outcome, RefusalClass, TaxInvoice, TaxInvoiceIssuer as _,
    law::refund::{Refund, RefundCause, Standing, correction_for},
};

use crate::{
    invoices::{draft, seller_number, taken_back},
    rig::{Rig, document_key, issued, refused},
};

#[tokio::test]
async fn an_issued_invoice_says_at_popbill_what_we_said() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-20260401-001");
    let number = rig.issued(&invoice).await.confirmation_number;

    let [held] = rig.sandbox.tax_invoices().try_into().unwrap();
    assert_eq!(held.corp_num, seller_number().digits());
    assert_eq!(held.mgt_key, "INV-20260401-001");
    assert_eq!(held.nts_confirm_num.as_deref(), Some(number.as_str()));
    assert_eq!((held.supply.get(), held.tax.get()), (30_000, 3_000));
    assert_eq!(held.write_date.to_string(), "2026-04-01", "the Korean day");
    assert_eq!((held.buyer_corp_num.as_str(), held.buyer_name.as_str()), ("2222222227", "헤어살롱"));
}

#[tokio::test]
async fn the_same_invoice_twice_is_one_document_whatever_the_codes_are() {
    let rig = Rig::start().await;
    for (key, code) in [("INV-1", -11_009_901), ("INV-2", -12_345_678), ("INV-3", -11_001_001)] {
        rig.switch(json!({"duplicateKeyCode": code})).await;
        let invoice = rig.invoice(key);
        let first = rig.issued(&invoice).await;
        assert_eq!(rig.issued(&invoice).await, first, "{code}");
    }
    assert_eq!(rig.documents(), 3);
}

#[tokio::test]
async fn the_same_invoice_at_the_same_time_is_one_document() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    let (first, second, third) =
        tokio::join!(rig.popbill.issue(&invoice), rig.popbill.issue(&invoice), rig.popbill.issue(&invoice));
    assert_eq!(issued(first.clone()), issued(second));
    assert_eq!(issued(first), issued(third));
    assert_eq!(rig.documents(), 1);
}

#[tokio::test]
async fn a_number_that_stands_for_another_document_is_our_bug() {
    let rig = Rig::start().await;
    rig.issued(&rig.invoice("INV-1")).await;
    let mut other_buyer = draft("INV-1", rig.today());
    other_buyer.buyer.number = "333-33-33336".parse().unwrap();
    let other_day = draft("INV-1", rig.today().pred_opt().unwrap());
    let mut dearer = draft("INV-1", rig.today());
    dearer.lines.push(dearer.lines[0].clone());
    for draft in [other_buyer, other_day, dearer] {
        let refusal = refused(rig.popbill.issue(&TaxInvoice::new(draft).unwrap()).await);
        assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::OurBug, "KEY_TAKEN"));
    }
    assert_eq!(rig.documents(), 1);
}

#[tokio::test]
async fn a_refusal_says_whose_turn_it_is() {
    let rig = Rig::start().await;
    let mut draft = draft("INV-1", rig.today());
    draft.buyer.number = "222-22-22228".parse().unwrap();
    let refusal = refused(rig.popbill.issue(&TaxInvoice::new(draft).unwrap()).await);
    assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::Buyer, "-11001021"));

    let member = json!({"corpNum": seller_number().digits(), "certificate": "INVALID"});
    rig.control(Method::PUT, "members", member).await;
    let refusal = refused(rig.popbill.issue(&rig.invoice("INV-1")).await);
    assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::Account, "-11002031"));

    // Points: the code is not known, so nobody claims to know what it means. Asked again, it goes through.
    let member = json!({"corpNum": seller_number().digits(), "points": 0});
    rig.control(Method::PUT, "members", member).await;
    let outcome = rig.popbill.issue(&rig.invoice("INV-1")).await;
    assert!(matches!(&outcome, Outcome::Unknown(reason) if reason.contains("-99009901")), "{outcome:?}");
    rig.control(Method::PUT, "members", json!({"corpNum": seller_number().digits()})).await;
    rig.issued(&rig.invoice("INV-1")).await;
    assert_eq!(rig.documents(), 1);
}

#[tokio::test]
async fn a_refused_repeat_says_nothing_about_the_first() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    let first = rig.issued(&invoice).await;
    let member = json!({"corpNum": seller_number().digits(), "certificate": "INVALID"});
    rig.control(Method::PUT, "members", member).await;
    assert_eq!(rig.issued(&invoice).await, first);
}

#[tokio::test]
async fn what_was_only_saved_is_issued_by_the_repeat() {
    let rig = Rig::start().await;
    rig.switch(json!({"refusedIssuesStaySaved": true})).await;
    let number = seller_number().digits();
    rig.control(Method::PUT, "members", json!({"corpNum": number, "certificate": "INVALID"})).await;
    let invoice = rig.invoice("INV-1");
    // The repeat of the issue inside is refused as well, and the document still only saved.
    assert!(matches!(rig.popbill.issue(&invoice).await, Outcome::Unknown(_)));
    assert_eq!(rig.state("INV-1").await, InvoiceState::Saved);

    rig.control(Method::PUT, "members", json!({"corpNum": number})).await;
    let issued = rig.issued(&invoice).await;
    assert_eq!(rig.found("INV-1").await.confirmation_number, Some(issued.confirmation_number));
    assert_eq!(rig.documents(), 1);
}

#[tokio::test]
async fn after_the_tenth_of_the_next_month_somebody_has_to_want_it() {
    let rig = Rig::start().await;
    let write_date = rig.today();
    rig.clock.advance(TimeDelta::days(60));
    let mut draft = draft("INV-1", write_date);
    let outcome = rig.popbill.issue(&TaxInvoice::new(draft.clone()).unwrap()).await;
    assert!(!matches!(outcome, Outcome::Issued(_)), "{outcome:?}");
    assert_eq!(rig.documents(), 0);
    draft.after_deadline = AfterDeadline::IssueLate;
    rig.issued(&TaxInvoice::new(draft).unwrap()).await;
    assert_eq!(rig.documents(), 1);
}

#[tokio::test]
async fn a_modified_invoice_takes_back_an_accepted_one() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    let number = rig.issued(&invoice).await.confirmation_number;
    let back = taken_back(&invoice, "INV-2", &number);
    let outcome = rig.popbill.issue(&back).await;
    assert!(!matches!(outcome, Outcome::Issued(_)), "the original is not accepted yet: {outcome:?}");

    rig.accepts("INV-1").await;
    let modified = rig.issued(&back).await;
    assert_eq!(rig.issued(&back).await, modified);
    let held = rig.sandbox.tax_invoices().pop().unwrap();
    assert_eq!((held.modify_code, held.org_nts_confirm_num.as_deref()), (Some(6), Some(number.as_str())));
    assert_eq!((held.supply.get(), held.tax.get()), (-30_000, -3_000));
    assert_eq!(rig.documents(), 2);
}

#[tokio::test]
async fn refunds_take_an_invoice_back_to_the_last_won() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    let number = rig.issued(&invoice).await.confirmation_number;
    rig.accepts("INV-1").await;
    let mut modifications = Vec::new();
    for (key, amount, code) in [("INV-2", 10_000, 2), ("INV-3", 1, 2), ("INV-4", 22_999, 2)] {
        let standing = Standing::after(invoice.write_date, invoice.total(), modifications.clone()).unwrap();
        let refund =
            Refund { amount: kernel::Krw::won(amount), on: rig.today(), why: RefundCause::CancelledUnused };
        let correction = correction_for(&standing, &refund).unwrap();
        let modified =
            invoice.corrected(document_key(key), number.clone(), &correction, "구독 환불").unwrap();
        rig.issued(&modified).await;
        assert_eq!(rig.sandbox.tax_invoices().pop().unwrap().modify_code, Some(code));
        modifications.push(modified.total());
    }
    let sum = |amount: fn(&sandbox::IssuedInvoice) -> i64| -> i64 {
        rig.sandbox.tax_invoices().iter().map(amount).sum()
    };
    assert_eq!((sum(|it| it.supply.get()), sum(|it| it.tax.get())), (0, 0));
}

#[tokio::test]
async fn an_issue_is_withdrawn_until_it_is_on_its_way() {
    let rig = Rig::start().await;
    rig.issued(&rig.invoice("INV-1")).await;
    rig.issued(&rig.invoice("INV-2")).await;
    let key = document_key("INV-1");
    issued(rig.popbill.withdraw(&key).await);
    issued(rig.popbill.withdraw(&key).await);
    assert_eq!(rig.state("INV-1").await, InvoiceState::Withdrawn);
    let refusal = refused(rig.popbill.issue(&rig.invoice("INV-1")).await);
    assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::State, "WITHDRAWN"));

    rig.accepts("INV-2").await;
    let refusal = refused(rig.popbill.withdraw(&document_key("INV-2")).await);
    assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::State, "304"));
    let refusal = refused(rig.popbill.withdraw(&document_key("INV-9")).await);
    assert_eq!((refusal.class, refusal.code.as_str()), (RefusalClass::State, "NOT_FOUND"));
}
