//! What operators of the platform do: cases, daily reconciliation, the ledger and the invariants.

use std::{collections::BTreeMap, sync::Arc};

use billing::Gauges;
use kernel::Clock;
use pg_adapter::{PaymentGateway, toss};
use sandbox::BookStatus;
use serde_json::{Value, json};

use crate::{Answer, TestApp};

impl TestApp {
    /// The operator cases, oldest first.
    pub async fn cases(&self) -> Vec<Value> {
        let answer = self.platform_admin().get("/api/admin/cases?limit=100").await;
        answer.data().as_array().expect("a list").iter().rev().cloned().collect()
    }

    /// One member of each case, oldest first.
    pub async fn each_cases(&self, member: &str) -> Vec<Value> {
        self.cases().await.iter().map(|case| case[member].clone()).collect()
    }

    /// The only case there is.
    pub async fn the_case(&self) -> Value {
        let cases = self.cases().await;
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases[0].clone()
    }

    /// An operator decides about a case.
    pub async fn decides(&self, case: &Value, resolution: &str) -> Answer {
        self.decides_about(case, json!({"resolution": resolution, "reason": "결제사 관리자에서 확인"})).await
    }

    /// The same, naming the payment that the operator saw in the provider's console.
    pub async fn decides_naming(&self, case: &Value, resolution: &str, payment_key: &str) -> Answer {
        let reason = "결제사 관리자에서 확인";
        let decision = json!({"resolution": resolution, "reason": reason, "paymentKey": payment_key});
        self.decides_about(case, decision).await
    }

    pub async fn decides_about(&self, case: &Value, decision: Value) -> Answer {
        let path = format!("/api/admin/cases/{}/resolve", case["caseId"].as_str().expect("a case"));
        self.platform_admin().post(&path, decision).await
    }

    /// An operator has a day compared.
    pub async fn compares(&self, day: &str) -> Answer {
        let wanted = json!({"provider": "TOSS", "day": day});
        self.platform_admin().post("/api/admin/reconciliations", wanted).await
    }

    /// The days that were compared with Toss's list, oldest first.
    pub async fn compared(&self) -> Vec<Value> {
        let answer = self.platform_admin().get("/api/admin/reconciliations?limit=100&provider=TOSS").await;
        answer.data().as_array().expect("a list").iter().rev().cloned().collect()
    }

    /// The comparison of one day; null if it was not compared.
    pub async fn comparison(&self, day: &str) -> Value {
        self.compared().await.into_iter().find(|one| one["day"] == day).unwrap_or_default()
    }

    /// The balances of the ledger by account, of one business or of all, whatever the provider.
    pub async fn balances(&self, business: Option<i64>) -> BTreeMap<String, i64> {
        let query = business.map(|id| format!("?businessId={id}")).unwrap_or_default();
        let answer = self.platform_admin().get(&format!("/api/admin/ledger/balances{query}")).await;
        let mut balances = BTreeMap::new();
        for one in answer.data().as_array().expect("a list") {
            let account = one["account"].as_str().expect("an account").to_owned();
            *balances.entry(account).or_default() += one["balance"].as_i64().expect("a balance");
        }
        balances
    }

    /// The invariants that are violated now, and how often.
    pub async fn violations(&self) -> Vec<(String, i64)> {
        self.app.billing.check_invariants().await.expect("the invariants are looked at");
        let gauges = Gauges::read(self.db(), self.clock.now()).await.expect("the figures are read");
        let violated = gauges.invariants.into_iter().filter(|check| check.violations != 0);
        violated.map(|check| (check.invariant, check.violations)).collect()
    }

    /// No invariant is violated, and the ledger has what the provider's book says is left.
    pub async fn books_are_right(&self) {
        assert_eq!(self.violations().await, []);
        let balances = self.balances(None).await;
        assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");
        let (charged, canceled) = self.provider_totals();
        let kept = balances.get("PROVIDER_FEES").copied().unwrap_or_default();
        let receivable = balances.get("PROVIDER_RECEIVABLE").copied().unwrap_or_default();
        assert_eq!(receivable + kept, charged - canceled, "{balances:?}");
    }

    /// Somebody with the shop's keys takes money that dangol never asked for; answers with the
    /// provider's id of the payment.
    pub async fn charges_at_the_console(&self, order_id: &str, amount: i64) -> String {
        let payment_key = self.pays_in_the_window(order_id, amount, crate::Card::Good);
        let confirmed = reqwest::Client::new()
            .post(format!("{}/v1/payments/confirm", self.sandbox.toss_base_url()))
            .basic_auth("test_sk_console", Some(""))
            .json(&json!({"paymentKey": payment_key, "orderId": order_id, "amount": amount}))
            .send()
            .await
            .expect("the provider answers");
        assert_eq!(confirmed.status(), 200);
        payment_key
    }

    /// What the provider gave back of an order, in parts, won.
    pub fn given_back(&self, order_id: &Value) -> Vec<i64> {
        let book = self.sandbox.book().into_iter();
        book.filter(|entry| entry.status == BookStatus::Canceled && *order_id == entry.order_id)
            .map(|entry| entry.amount.get())
            .collect()
    }

    /// From now on the provider's list is read in pages of so many rows.
    pub fn reads_pages_of(&self, rows: usize) {
        let secrets = self.config.development_secrets().expect("development secrets");
        let mut config = toss::TossConfig::new(
            self.sandbox.toss_base_url(),
            secrets.providers.toss_secret_key.expect("Toss is configured"),
        );
        config.transactions_per_page = rows;
        let gateway = Arc::new(toss::TossGateway::new(config).expect("a gateway"));
        self.provider.on_transactions(move |_, (day, after)| {
            let gateway = gateway.clone();
            async move { gateway.transactions(day, after.as_deref()).await }
        });
    }
}
