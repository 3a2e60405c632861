//! The provider's book against our ledger.
//!
//! Whatever the product believes, the money is where the book says. So both are read in full, and
//! everything on which they do not agree is a complaint; so is every invariant that does not hold.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
};

use chrono::NaiveDate;
use sandbox::{BookEntry, BookStatus};
use uuid::Uuid;

use crate::world::{Renewal, World};

#[derive(sqlx::FromRow)]
struct Payment {
    business_id: i64,
    payment_id: i64,
    order_id: String,
    provider: String,
    payment_key: Option<String>,
    invoice_id: Option<Uuid>,
    invoice_status: Option<String>,
    amount: i64,
    refunded_amount: i64,
    status: String,
    succeeded_events: i64,
    refunded_events: i64,
}

impl Payment {
    fn is_paid(&self) -> bool {
        matches!(self.status.as_str(), "SUCCESS" | "PARTIAL_REFUNDED" | "REFUNDED")
    }
}

#[derive(sqlx::FromRow)]
struct Refund {
    payment_id: i64,
    amount: i64,
    status: String,
    transaction_key: Option<String>,
}

#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.0.push(complaint());
        }
    }

    fn unless_equal<T: Copy + PartialEq + Display>(
        &mut self,
        found: T,
        expected: T,
        what: impl FnOnce() -> String,
    ) {
        self.unless(found == expected, || format!("{}: {found} instead of {expected}", what()));
    }
}

/// Nobody was charged twice, no payment was lost, and both sides agree to the won.
pub(crate) async fn judge(world: &World, story: &str) {
    judge_renewals(world, story, &[]).await;
}

/// The same, and each of these renewals was paid exactly once and led exactly one period further.
pub(crate) async fn judge_renewals(world: &World, story: &str, renewals: &[Renewal]) {
    let book = world.sandbox.book();
    let payments = payments(world).await;
    let refunds = refunds(world).await;
    let mut complaints = Complaints::default();
    charges_agree(&book, &payments, &mut complaints);
    refunds_agree(&book, &payments, &refunds, &mut complaints);
    totals_agree(&book, &payments, &refunds, &mut complaints);
    books_agree(world, &book, &mut complaints).await;
    cards_are_settled(world, &mut complaints).await;
    for renewal in renewals {
        advanced_one_period(world, renewal, &mut complaints).await;
    }
    let Complaints(complaints) = complaints;
    assert!(
        complaints.is_empty(),
        "{story}: {} complaints\n  - {}\nthe processes' log: {}",
        complaints.len(),
        complaints.join("\n  - "),
        world.log.display()
    );
}

/// What the provider took from a business.
pub(crate) async fn taken_from(world: &World, business: i64) -> Vec<i64> {
    let orders: Vec<String> =
        sqlx::query_scalar("select order_id from billing.payment where business_id = $1")
            .bind(business)
            .fetch_all(&world.superuser)
            .await
            .expect("the ledger can be read");
    let book = world.sandbox.book().into_iter();
    book.filter(|entry| entry.status == BookStatus::Approved && orders.contains(&entry.order_id))
        .map(|entry| entry.amount.get())
        .collect()
}

async fn payments(world: &World) -> Vec<Payment> {
    sqlx::query_as(
        "select p.business_id, payment_id, order_id, provider, payment_key, p.invoice_id, i.status as invoice_status,
                p.amount, refunded_amount, p.status,
                (select count(*) from platform.event e
                 where e.business_id = p.business_id and e.kind = 'payment.succeeded'
                   and (e.data ->> 'paymentId')::bigint = p.payment_id) as succeeded_events,
                (select count(*) from platform.event e
                 where e.business_id = p.business_id and e.kind = 'payment.refunded'
                   and (e.data ->> 'paymentId')::bigint = p.payment_id) as refunded_events
         from billing.payment p
         left join billing.invoice i on i.business_id = p.business_id and i.invoice_id = p.invoice_id",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the ledger can be read")
}

async fn refunds(world: &World) -> Vec<Refund> {
    sqlx::query_as("select payment_id, amount, status, transaction_key from billing.refund")
        .fetch_all(&world.superuser)
        .await
        .expect("the ledger can be read")
}

/// Every approval in the book is one paid payment, and every paid payment is one approval.
fn charges_agree(book: &[BookEntry], payments: &[Payment], complaints: &mut Complaints) {
    let by_order: HashMap<&str, &Payment> = payments.iter().map(|p| (p.order_id.as_str(), p)).collect();
    let mut approved_orders: HashMap<&str, usize> = HashMap::new();
    let mut approved_invoices: BTreeMap<Option<Uuid>, usize> = BTreeMap::new();
    for entry in with_status(book, BookStatus::Approved) {
        let order = entry.order_id.as_str();
        *approved_orders.entry(order).or_default() += 1;
        let Some(payment) = by_order.get(order) else {
            complaints
                .0
                .push(format!("{order}: {} were charged for an order that we do not know", entry.amount));
            continue;
        };
        *approved_invoices.entry(payment.invoice_id).or_default() += 1;
        let id = payment.payment_id;
        complaints.unless(payment.is_paid(), || {
            format!("payment {id} took money, but the ledger says {}: a payment was lost", payment.status)
        });
        complaints.unless_equal(payment.amount, entry.amount.get(), || format!("the amount of payment {id}"));
        complaints.unless(payment.payment_key.as_deref() == Some(&entry.payment_key), || {
            format!("payment {id} goes by another name at the provider")
        });
    }
    for (invoice, approvals) in approved_invoices {
        complaints.unless(approvals == 1, || format!("invoice {invoice:?} was charged {approvals} times"));
    }
    for payment in payments {
        let Payment { payment_id: id, business_id: business, status, .. } = payment;
        complaints.unless(status != "PENDING", || format!("payment {id} of {business} is still open"));
        let paid = usize::from(payment.is_paid());
        let approvals = approved_orders.get(payment.order_id.as_str()).copied().unwrap_or(0);
        complaints
            .unless_equal(approvals, paid, || format!("approvals in the book for payment {id} ({status})"));
        let told = payment.succeeded_events;
        complaints
            .unless_equal(told, i64::from(payment.is_paid()), || format!("payment.succeeded events of {id}"));
        complaints.unless(!payment.is_paid() || payment.invoice_status.as_deref() == Some("PAID"), || {
            format!("payment {id} is paid, but its invoice is {:?}", payment.invoice_status)
        });
    }
}

/// Every cancel in the book is one refund that succeeded, and none is open.
fn refunds_agree<'a>(
    book: &'a [BookEntry],
    payments: &[Payment],
    refunds: &'a [Refund],
    complaints: &mut Complaints,
) {
    for payment in payments {
        let id = payment.payment_id;
        // What KCP and Bootpay call a cancel is lost with its answer: a look-up shows only what is left.
        let is_named = !matches!(payment.provider.as_str(), "KCP" | "BOOTPAY");
        let named = |key: &'a Option<String>| key.as_deref().filter(|_| is_named).unwrap_or_default();
        let ours: Vec<&Refund> = refunds.iter().filter(|refund| refund.payment_id == id).collect();
        for refund in &ours {
            complaints
                .unless(refund.status != "PENDING", || format!("a refund of payment {id} is still open"));
        }
        let mut ours: Vec<(i64, &str)> = ours
            .iter()
            .filter(|refund| refund.status == "SUCCESS")
            .map(|refund| (refund.amount, named(&refund.transaction_key)))
            .collect();
        let mut theirs: Vec<(i64, &str)> = with_status(book, BookStatus::Canceled)
            .filter(|entry| entry.order_id == payment.order_id)
            .map(|entry| (entry.amount.get(), named(&entry.transaction_key)))
            .collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        complaints.unless(ours == theirs, || {
            format!("payment {id}: we say that {ours:?} went back, the provider says {theirs:?}")
        });
        let refunded: i64 = ours.iter().map(|(amount, _)| amount).sum();
        complaints
            .unless_equal(payment.refunded_amount, refunded, || format!("refunded amount of payment {id}"));
        complaints
            .unless(refunded <= payment.amount, || format!("payment {id}: more went back than came in"));
        let told = usize::try_from(payment.refunded_events).unwrap_or_default();
        complaints.unless_equal(told, ours.len(), || format!("payment.refunded events of {id}"));
    }
}

fn totals_agree(book: &[BookEntry], payments: &[Payment], refunds: &[Refund], complaints: &mut Complaints) {
    let sum = |status| with_status(book, status).map(|entry| entry.amount.get()).sum::<i64>();
    let paid: i64 = payments.iter().filter(|payment| payment.is_paid()).map(|payment| payment.amount).sum();
    let refunded: i64 =
        refunds.iter().filter(|refund| refund.status == "SUCCESS").map(|refund| refund.amount).sum();
    complaints.unless_equal(paid, sum(BookStatus::Approved), || "won taken in all".to_owned());
    complaints.unless_equal(refunded, sum(BookStatus::Canceled), || "won given back in all".to_owned());
}

/// No invariant is violated, and the ledger has what is left at the provider.
async fn books_agree(world: &World, book: &[BookEntry], complaints: &mut Complaints) {
    let violations: Vec<(String, String)> =
        sqlx::query_as("select invariant, subject from billing.invariant_violations(now())")
            .fetch_all(&world.superuser)
            .await
            .expect("the invariants are looked at");
    complaints.0.extend(violations.iter().map(|(invariant, subject)| format!("{invariant}: {subject}")));
    let owed: i64 = sqlx::query_scalar(
        "select coalesce(sum(amount), 0)::bigint from billing.ledger_entry where account = 'PROVIDER_RECEIVABLE'",
    )
    .fetch_one(&world.superuser)
    .await
    .expect("the ledger can be read");
    let sum = |status| with_status(book, status).map(|entry| entry.amount.get()).sum::<i64>();
    let left = sum(BookStatus::Approved) - sum(BookStatus::Canceled);
    complaints.unless_equal(owed, left, || "won that the ledger says are owed by the provider".to_owned());
}

fn with_status(book: &[BookEntry], status: BookStatus) -> impl Iterator<Item = &BookEntry> {
    book.iter().filter(move |entry| entry.status == status)
}

/// No card is left half registered, and none is kept that no subscription uses.
async fn cards_are_settled(world: &World, complaints: &mut Complaints) {
    let cards: Vec<(i64, String)> = sqlx::query_as(
        "select business_id, status from billing.payment_method m
         where status in ('ISSUING', 'RELEASING')
            or (status = 'ACTIVE') <> exists (
                   select from billing.subscription s
                   where s.business_id = m.business_id and s.payment_method_id = m.payment_method_id
                     and s.status <> 'ENDED') and status in ('ACTIVE', 'RELEASED') and standby is distinct from 'BACKUP'",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the ledger can be read");
    for (business, status) in cards {
        complaints.0.push(format!("business {business} has a card that is {status} and should not be"));
    }
}

async fn advanced_one_period(world: &World, renewal: &Renewal, complaints: &mut Complaints) {
    let Renewal { business, from } = renewal;
    let (subscription, status, period_from, is_later): (Uuid, String, NaiveDate, bool) = sqlx::query_as(
        "select subscription_id, status, period_from, coalesce(due_at > now(), false)
         from billing.subscription where business_id = $1",
    )
    .bind(business)
    .fetch_one(&world.superuser)
    .await
    .expect("a business has one subscription");
    complaints.unless(status == "ACTIVE", || format!("the subscription of {business} is {status}"));
    complaints.unless_equal(period_from, *from, || format!("{business} is paid for a period from"));
    complaints.unless(is_later, || format!("{business} is not due again later"));
    let (bills, paid): (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where i.status = 'PAID' and i.period_until = s.period_until)
         from billing.invoice i join billing.subscription s using (business_id, subscription_id)
         where i.subscription_id = $1 and i.period_from >= $2",
    )
    .bind(subscription)
    .bind(from)
    .fetch_one(&world.superuser)
    .await
    .expect("the ledger can be read");
    complaints.unless((bills, paid) == (1, 1), || {
        format!("{business} has {bills} invoices since {from}, {paid} of them paid for its period")
    });
}
