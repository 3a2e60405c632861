//! The provider, whose answers a test can alter.
//!
//! The sandbox plays one provider to the letter. What billing promises about providers that behave
//! otherwise is told with the real gateway and the sandbox behind it, and single answers altered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::NaiveDate;
use futures::future::BoxFuture;
use pg_adapter::{
    Acknowledgement, Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Capabilities,
    CashReceiptLookup, Charge, Confirm, FindCashReceipt, Gateways, IssueBillingKey, IssueCashReceipt,
    IssuedBillingKey, IssuedCashReceipt, ListFailed, Lookup, Outcome, PaymentGateway, Provider,
    TransactionPage, Webhook, WebhookRefused,
};

/// The gateway that was configured. An alteration asks it, or does not.
pub type RealGateway = Arc<dyn PaymentGateway>;

/// The default provider of a [`TestApp`](crate::TestApp): the real gateway, except where a test has
/// put something in the place of an answer.
pub struct AlterableProvider {
    real: RealGateway,
    capabilities: Mutex<Capabilities>,
    issue: Alteration<IssueBillingKey, Outcome<IssuedBillingKey>>,
    charge: Alteration<Charge, Outcome<Approval>>,
    confirm: Alteration<Confirm, Outcome<Approval>>,
    cancel: Alteration<Cancel, Outcome<Cancellation>>,
    find_by_order: Alteration<String, Lookup>,
    find: Alteration<String, Lookup>,
    transactions: Alteration<(NaiveDate, Option<String>), Result<TransactionPage, ListFailed>>,
}

type Altered<Q, A> = dyn Fn(RealGateway, Q) -> BoxFuture<'static, A> + Send + Sync;

/// What a test put in the place of one method.
struct Alteration<Q, A>(Mutex<Option<Arc<Altered<Q, A>>>>);

impl<Q, A> Alteration<Q, A> {
    fn none() -> Self {
        Self(Mutex::new(None))
    }

    fn put<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, Q) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = A> + Send + 'static,
    {
        *lock(&self.0) = Some(Arc::new(move |real, request| Box::pin(altered(real, request))));
    }

    fn clear(&self) {
        *lock(&self.0) = None;
    }

    fn get(&self) -> Option<Arc<Altered<Q, A>>> {
        lock(&self.0).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AlterableProvider {
    /// Takes the place of the default provider, and answers as it does.
    pub(crate) fn take_place(gateways: &mut Gateways) -> Arc<Self> {
        let real = gateways.get(gateways.default).expect("a default provider").clone();
        let altered = Arc::new(Self {
            capabilities: Mutex::new(real.capabilities()),
            real,
            issue: Alteration::none(),
            charge: Alteration::none(),
            confirm: Alteration::none(),
            cancel: Alteration::none(),
            find_by_order: Alteration::none(),
            find: Alteration::none(),
            transactions: Alteration::none(),
        });
        gateways.replace(altered.clone());
        altered
    }

    /// From now on the provider declares what `altered` makes of its capabilities.
    pub fn declares(&self, altered: impl FnOnce(Capabilities) -> Capabilities) {
        *lock(&self.capabilities) = altered(self.real.capabilities());
    }

    /// From now on asking for a billing key is answered so.
    pub fn on_issue<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, IssueBillingKey) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome<IssuedBillingKey>> + Send + 'static,
    {
        self.issue.put(altered);
    }

    /// From now on a charge is answered so.
    pub fn on_charge<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, Charge) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome<Approval>> + Send + 'static,
    {
        self.charge.put(altered);
    }

    /// From now on a confirm is answered so.
    pub fn on_confirm<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, Confirm) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome<Approval>> + Send + 'static,
    {
        self.confirm.put(altered);
    }

    /// From now on a cancel is answered so.
    pub fn on_cancel<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, Cancel) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome<Cancellation>> + Send + 'static,
    {
        self.cancel.put(altered);
    }

    /// From now on a look-up by our order id is answered so.
    pub fn on_find_by_order<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Lookup> + Send + 'static,
    {
        self.find_by_order.put(altered);
    }

    /// From now on a look-up by the provider's id of a payment is answered so.
    pub fn on_find<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Lookup> + Send + 'static,
    {
        self.find.put(altered);
    }

    /// From now on a page of a day's transactions is answered so; asked for are the day and where the
    /// page before ended.
    pub fn on_transactions<F, Fut>(&self, altered: F)
    where
        F: Fn(RealGateway, (NaiveDate, Option<String>)) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<TransactionPage, ListFailed>> + Send + 'static,
    {
        self.transactions.put(altered);
    }

    /// Nothing is altered any more.
    pub fn is_itself_again(&self) {
        self.declares(|as_it_is| as_it_is);
        self.issue.clear();
        self.charge.clear();
        self.confirm.clear();
        self.cancel.clear();
        self.find_by_order.clear();
        self.find.clear();
        self.transactions.clear();
    }

    /// The gateway behind it, for what a test does at the provider without billing.
    pub fn real(&self) -> &dyn PaymentGateway {
        self.real.as_ref()
    }
}

#[async_trait]
impl PaymentGateway for AlterableProvider {
    fn provider(&self) -> Provider {
        self.real.provider()
    }

    fn capabilities(&self) -> Capabilities {
        *lock(&self.capabilities)
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        match self.issue.get() {
            Some(altered) => altered(self.real.clone(), request.clone()).await,
            None => self.real.issue_billing_key(request).await,
        }
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        self.real.delete_billing_key(billing_key).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        match self.charge.get() {
            Some(altered) => altered(self.real.clone(), request.clone()).await,
            None => self.real.charge(request).await,
        }
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        match self.confirm.get() {
            Some(altered) => altered(self.real.clone(), request.clone()).await,
            None => self.real.confirm(request).await,
        }
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        match self.cancel.get() {
            Some(altered) => altered(self.real.clone(), request.clone()).await,
            None => self.real.cancel(request).await,
        }
    }

    async fn find_by_order(&self, order_id: &str) -> Lookup {
        match self.find_by_order.get() {
            Some(altered) => altered(self.real.clone(), order_id.to_owned()).await,
            None => self.real.find_by_order(order_id).await,
        }
    }

    async fn find(&self, payment_key: &str) -> Lookup {
        match self.find.get() {
            Some(altered) => altered(self.real.clone(), payment_key.to_owned()).await,
            None => self.real.find(payment_key).await,
        }
    }

    async fn transactions(&self, day: NaiveDate, after: Option<&str>) -> Result<TransactionPage, ListFailed> {
        match self.transactions.get() {
            Some(altered) => altered(self.real.clone(), (day, after.map(str::to_owned))).await,
            None => self.real.transactions(day, after).await,
        }
    }

    async fn issue_cash_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        self.real.issue_cash_receipt(request).await
    }

    async fn cancel_cash_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        self.real.cancel_cash_receipt(request).await
    }

    async fn find_cash_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        self.real.find_cash_receipt(request).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        self.real.read_webhook(headers, body)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        self.real.acknowledgement()
    }
}
