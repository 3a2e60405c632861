//! The process dies while a cash receipt is issued, or taken back.

use kernel::Krw;
use sandbox::{BookKind, Operation, TransferAuth};
use sqlx::AssertSqlSafe;

use crate::{
    mood::Mood,
    owner::{PRICE, Reply},
    process::Server,
    world::World,
};

const STEPS: [&str; 3] = ["cash_receipt::written", "cash_receipt::answered", "cash_receipt::settled"];

#[tokio::test]
async fn killed_at_every_named_step_of_an_issue_each_payment_has_one_cash_receipt() {
    let world = World::begins("cash-receipt").await;
    let lasting = world.server().await;
    let mut business = 100;
    for step in STEPS {
        for mood in Mood::ALL {
            for settled_before_asked_again in [false, true] {
                business += 1;
                let payment = paid_from_an_account(&world, &lasting, business).await;
                let owner = world.owner(business);
                let doomed = world.server_that_dies_at(step).await;
                mood.strikes_once(&world.sandbox, Operation::IssueCashReceipt);
                let reply = owner.asks_for_a_cash_receipt(doomed.addr, payment, "the-request").await;
                assert!(matches!(reply, Reply::Silence), "{reply:?}");
                doomed.process.aborts().await;

                let story = format!(
                    "killed at {step} while the provider {mood:?}, settled before asked again: {settled_before_asked_again}"
                );
                if settled_before_asked_again {
                    world.settles().await;
                }
                world.minutes_pass().await;
                let reply = owner.asks_for_a_cash_receipt(lasting.addr, payment, "the-request").await;
                assert!(matches!(reply.status(), Some(200 | 202)), "{story}: {reply:?}");
                world.settles().await;
                judge(&world, business - 100, &story).await;
            }
        }
    }
}

#[tokio::test]
async fn killed_at_every_named_step_of_taking_it_back_it_is_taken_back_once() {
    let world = World::begins("cash-receipt-cancel").await;
    let server = world.server().await;
    let mut business = 100;
    for step in ["cash_receipt::cancel_written", "cash_receipt::cancel_answered"] {
        for mood in Mood::ALL {
            business += 1;
            let payment = paid_from_an_account(&world, &server, business).await;
            let owner = world.owner(business);
            let reply = owner.asks_for_a_cash_receipt(server.addr, payment, "the-request").await;
            assert_eq!(reply.status(), Some(202), "{reply:?}");
            the_tax_service_answers(&world).await;
            let reply = owner.refunds(server.addr, payment, 9_000, "the-refund").await;
            assert_eq!(reply.status(), Some(200), "{reply:?}");
            mood.strikes_once(&world.sandbox, Operation::CancelCashReceipt);
            world.minutes_pass().await;
            world.bill_dies_at(step).await;
            world.settles().await;
            let story = format!("killed at {step} while the provider {mood:?}");
            let taken_back = lines(&world, BookKind::CashReceiptCancel);
            let expected: Vec<i64> = (101..=business).map(|_| 9_000).collect();
            assert_eq!(taken_back, expected, "{story}");
            let rest: Vec<i64> = amounts(&world, "amount - canceled_amount").await;
            assert!(rest.iter().all(|left| *left == PRICE - 9_000), "{story}: {rest:?}");
        }
    }
}

/// The sandbox issued one for each payment, and our rows say so.
async fn judge(world: &World, payments: i64, story: &str) {
    let issued = lines(world, BookKind::CashReceipt);
    assert!(issued.iter().all(|amount| *amount == PRICE), "{story}: {issued:?}");
    assert_eq!(i64::try_from(issued.len()).ok(), Some(payments), "{story}");
    let mut theirs: Vec<String> = world
        .sandbox
        .book()
        .into_iter()
        .filter(|line| line.kind == BookKind::CashReceipt)
        .map(|line| line.payment_key)
        .collect();
    let query = "select receipt_key from billing.cash_receipt where status = 'PROCESSING'";
    let mut ours: Vec<String> =
        sqlx::query_scalar(query).fetch_all(&world.superuser).await.expect("the rows are read");
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "{story}");
}

fn lines(world: &World, kind: BookKind) -> Vec<i64> {
    world.sandbox.book().iter().filter(|line| line.kind == kind).map(|line| line.amount.get()).collect()
}

async fn amounts(world: &World, column: &str) -> Vec<i64> {
    let query = format!("select {column} from billing.cash_receipt");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&world.superuser).await.expect("the rows are read")
}

/// A day passes for the receipts.
async fn the_tax_service_answers(world: &World) {
    let statement = "update billing.cash_receipt set status = 'ISSUED', issued_at = now(), due_at = null
                     where status = 'PROCESSING'";
    sqlx::query(statement).execute(&world.superuser).await.expect("the rows are changed");
}

async fn paid_from_an_account(world: &World, server: &Server, business: i64) -> i64 {
    world.sandbox.clear_faults();
    let order = format!("orderof{business}");
    let transfer = TransferAuth { order_id: order.clone(), amount: Krw::won(PRICE), cash_receipt: None };
    let payment_key = world.sandbox.transfer_auth(transfer).expect("the window accepts the payment");
    let reply = world.owner(business).confirms(server.addr, &order, &payment_key).await;
    assert_eq!(reply.status(), Some(200), "{reply:?}");
    let query = "select payment_id from billing.payment where business_id = $1 and status = 'SUCCESS'";
    sqlx::query_scalar(query).bind(business).fetch_one(&world.superuser).await.expect("one payment")
}
