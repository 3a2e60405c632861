//! A payer who pays from an account gets a cash receipt (현금영수증) from the provider, or a tax invoice.

use sandbox::{CashReceiptType, TransferAuth};
use serde_json::{Value, json};
use testkit::TestApp;

use super::{asks, refunds};

/// The owner of business 1 pays an order from an account.
pub(super) async fn pays_from_an_account(cash_receipt: Option<CashReceiptType>) -> TestApp {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await.data().clone();
    let order_id = order["orderId"].as_str().expect("an id").to_owned();
    let amount = kernel::Krw::won(29_000);
    let transfer = TransferAuth { order_id: order_id.clone(), amount, cash_receipt };
    let payment_key = app.sandbox.transfer_auth(transfer).expect("the window accepts the payment");
    let confirm = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    app.owner().post("/api/payments/toss/confirm", confirm).await.data();
    app
}

async fn payment(app: &TestApp) -> Value {
    app.owner().get("/api/payments/101").await.data().clone()
}

#[tokio::test]
async fn the_cash_receipt_that_the_payer_chose_is_on_the_payment_and_the_receipt() {
    for (chosen, kind, korean) in [
        (CashReceiptType::IncomeDeduction, "INCOME_DEDUCTION", "소득공제"),
        (CashReceiptType::ExpenseProof, "EXPENSE_PROOF", "지출증빙"),
    ] {
        let app = pays_from_an_account(Some(chosen)).await;
        let payment = payment(&app).await;
        assert_eq!((&payment["paidWith"], &payment["cardNumber"]), (&json!("TRANSFER"), &json!(null)));
        let cash_receipt = &payment["cashReceipt"];
        assert_eq!(cash_receipt["type"], kind);
        let number = cash_receipt["issueNumber"].as_str().expect("a number");
        assert_eq!(number.len(), 9);
        assert!(cash_receipt["receiptUrl"].as_str().is_some_and(|url| url.starts_with("https://")));

        let receipt = app.owner().get("/api/payments/101/receipt").await.data().clone();
        assert_eq!((&receipt["cashReceipt"], &receipt["cardInfo"]), (cash_receipt, &json!(null)));
        let page = app.owner().get("/api/payments/101/receipt/page").await;
        let page = page.body.as_str().expect("a page");
        assert!(page.contains(&format!("{korean} {number}")) && page.contains("계좌이체"), "{page}");
    }
}

#[tokio::test]
async fn beside_a_cash_receipt_there_is_no_tax_invoice() {
    let app = pays_from_an_account(Some(CashReceiptType::ExpenseProof)).await;
    asks(&app, 101).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
    assert_eq!(app.sandbox.tax_invoices().len(), 0);
}

#[tokio::test]
async fn who_paid_from_an_account_without_one_gets_a_tax_invoice_without_warnings() {
    let app = pays_from_an_account(None).await;
    let answer = asks(&app, 101).await;
    assert_eq!(answer.data()["status"], "ISSUED");
    assert!(answer.body.get("warnings").is_none(), "{}", answer.body);
    assert_eq!(payment(&app).await["cashReceipt"], json!(null));
}

#[tokio::test]
async fn money_goes_back_to_an_account_as_well() {
    let app = pays_from_an_account(Some(CashReceiptType::IncomeDeduction)).await;
    refunds(&app, 101, 9_000).await.data();
    assert_eq!(app.provider_totals(), (29_000, 9_000));
}
