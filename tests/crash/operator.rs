//! The operator, who looks into the provider's console where the machine cannot ask.

use chrono::TimeDelta;
use kernel::{Clock, SystemClock};
use platform::Principal;
use sandbox::{BookEntry, BookStatus};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    /// Decides about every charge of which nothing is known. What the console shows as charged is adopted,
    /// everything else is written off.
    pub(crate) async fn operator_decides(&self) {
        if self.open_cases().await == 0 {
            return;
        }
        let server = self.server().await;
        let principal =
            Principal { subject: "operator".to_owned(), memberships: Vec::new(), is_platform_admin: true };
        let token = self.tokens.issue(&principal, SystemClock.now(), TimeDelta::hours(1));
        let cases = format!("http://{}/api/admin/cases", server.addr);
        let listed = self.http.get(format!("{cases}?status=OPEN&limit=100")).bearer_auth(&token).send().await;
        let listed: Value = listed.expect("the API answers").json().await.expect("a list");
        for case in listed["data"].as_array().expect("a list") {
            assert_eq!(case["kind"], "CHARGE_UNKNOWN", "nothing else needs a person: {case}");
            let mut decision = json!({"resolution": "WRITE_OFF", "reason": "결제사 관리자에 없는 거래"});
            if let Some(charged) = self.console_shows(&case["orderId"]) {
                decision = json!({
                    "resolution": "ADOPT", "reason": "결제사 관리자에서 승인 확인", "paymentKey": charged.payment_key,
                });
            }
            let url = format!("{cases}/{}/resolve", case["caseId"].as_str().expect("an id"));
            let answer = self.http.post(url).bearer_auth(&token).json(&decision).send().await;
            let answer = answer.expect("the API answers");
            assert!(
                answer.status().is_success(),
                "{decision} about {case}: {}",
                answer.text().await.unwrap_or_default()
            );
        }
    }

    fn console_shows(&self, order: &Value) -> Option<BookEntry> {
        let mut book = self.sandbox.book().into_iter();
        book.find(|entry| entry.status == BookStatus::Approved && *order == entry.order_id)
    }

    async fn open_cases(&self) -> i64 {
        let query = "select count(*) from billing.operator_case where status = 'OPEN'";
        sqlx::query_scalar(query).fetch_one(&self.superuser).await.expect("the database answers")
    }
}
