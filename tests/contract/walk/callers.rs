//! Nobody does what they may not do.

use axum::http::Method;
use platform::Role;
use testkit::TestApp;

use super::{another_method, calls};
use crate::{
    document::{Operation, PUBLIC, operations},
    problem::{must_be_problem, must_be_refused},
};

/// What operators of the platform may do for a business, beside what is for them alone.
const FOR_OPERATORS: [&str; 3] = ["retryPayment", "refundPayment", "partiallyRefundPayment"];

#[tokio::test]
async fn who_is_not_signed_in_is_told_so() {
    let app = TestApp::start().await;
    for operation in operations() {
        let Some(scheme) = operation.security() else { continue };
        let expired = if scheme == "bearer" { "TOKEN_EXPIRED" } else { "TOKEN_INVALID" };
        let with = |value: &str| app.anonymous().with_header("authorization", value);
        for (caller, code) in [
            (app.anonymous(), "AUTHENTICATION_REQUIRED"),
            (with("Basic b3duZXI6c2VjcmV0"), "AUTHENTICATION_REQUIRED"),
            (app.signed_out_owner(), expired),
            (with("Bearer "), "TOKEN_INVALID"),
            (with("Bearer nonsense"), "TOKEN_INVALID"),
            (
                with("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyXzEiLCJleHAiOjk5OTk5OTk5OTl9."),
                "TOKEN_INVALID",
            ),
        ] {
            let answer = calls(&caller.with_header("idempotency-key", "k"), &operation).await;
            must_be_problem(&answer, &operation.id);
            answer.problem(401, code);
            operation.must_document(&answer);
        }
    }
    assert_eq!(app.sandbox.book(), [], "nobody reached the provider");
    assert_eq!(app.count("platform.idempotency_key").await, 0, "nor left an answer to be found");
}

#[tokio::test]
async fn what_is_public_answers_anybody() {
    let app = TestApp::start().await;
    for operation in operations().iter().filter(|operation| PUBLIC.contains(&operation.id.as_str())) {
        for caller in [app.anonymous(), app.signed_out_owner(), app.member(1, Role::Customer)] {
            let answer = calls(&caller, operation).await;
            let expected = match operation.id.as_str() {
                // The contract, or the link, that its example names is nobody's.
                "followLink" | "loadMailPicture" | "receiveMerchantWebhook" | "optOut" | "showOptOut" => 404,
                // The example is not signed.
                "receiveNhnWebhook" => 401,
                _ => 200,
            };
            assert_eq!(answer.status, expected, "{}: {}", operation.id, answer.body);
        }
    }
}

#[tokio::test]
async fn who_has_the_wrong_role_is_told_so() {
    let app = TestApp::start().await;
    let mut allowed = Vec::new();
    let operations = operations();
    let of_the_caller = |operation: &&Operation| operation.wants_bearer() && !operation.is_in_a_business();
    for operation in operations.iter().filter(of_the_caller) {
        let mut callers = vec![("a stranger", app.owner_of(2).with_header("x-business-id", "1"))];
        for role in [Role::Manager, Role::Staff, Role::Customer] {
            callers.push(("a member", app.member(1, role)));
        }
        if operation.is_for_operators() {
            callers.push(("an owner", app.owner()));
        }
        callers.push(("an operator", app.platform_admin()));
        for (caller, actor) in callers {
            let answer = calls(&actor, operation).await;
            let id = operation.id.as_str();
            let for_operators = operation.is_for_operators() || FOR_OPERATORS.contains(&id);
            if operation.is_about_the_caller() || caller == "an operator" && for_operators {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{id} by {caller}: {}", answer.body);
                allowed.push(id);
                continue;
            }
            must_be_problem(&answer, &format!("{id} by {caller}"));
            answer.problem(403, "PERMISSION_REQUIRED");
            operation.must_document(&answer);
        }
    }
    for id in FOR_OPERATORS {
        assert!(allowed.contains(&id), "take {id} off the list");
    }
    let alone: Vec<_> = operations.iter().filter(|operation| operation.is_for_operators()).collect();
    assert!(alone.len() >= 6, "operators have routes of their own");
    assert!(alone.iter().all(|operation| allowed.contains(&operation.id.as_str())));
    assert_eq!(app.sandbox.book(), [], "nobody reached the provider");
}

/// An operator of the platform feeds any business, and may look.
fn is_for_operators_too(operation: &Operation) -> bool {
    operation.method == "GET" || operation.takes_rows()
}

/// What a shop earned is none of its staff's business, nor is it theirs to take its data away, to choose customers, to
/// write to them or to give coupons out.
fn is_beyond_staff(operation: &Operation) -> Option<(u16, &'static str)> {
    let beyond =
        ["/reports/", "/exports", "/audit", "/segments", "/coupons", "/campaigns", "/message", "/consent"];
    let beyond = beyond.iter().any(|part| operation.path.contains(part));
    let at_the_counter = ["redeemCoupon", "restoreCoupon"].contains(&operation.id.as_str());
    (beyond && !at_the_counter).then_some((403, "PERMISSION_REQUIRED"))
}

/// Whoever is answerable to the owner does not read what is written down about them.
fn is_the_owners(operation: &Operation) -> Option<(u16, &'static str)> {
    operation.path.ends_with("/audit").then_some((403, "PERMISSION_REQUIRED"))
}

#[tokio::test]
async fn in_a_business_its_members_work_and_operators_read_and_feed() {
    let app = TestApp::start().await;
    app.subscribes("PRO", "MONTHLY").await;
    let operations = operations();
    let in_a_business: Vec<_> = operations.iter().filter(|operation| operation.is_in_a_business()).collect();
    assert!(in_a_business.len() >= 4);
    for operation in in_a_business {
        let id = &operation.id;
        for (caller, actor, refusal) in [
            ("a stranger", app.owner_of(2), Some((404, "NOT_FOUND"))),
            (
                "a stranger who names it",
                app.owner_of(2).with_header("x-business-id", "1"),
                Some((404, "NOT_FOUND")),
            ),
            ("a customer", app.member(1, Role::Customer), Some((403, "PERMISSION_REQUIRED"))),
            ("staff", app.member(1, Role::Staff), is_beyond_staff(operation)),
            ("a manager", app.member(1, Role::Manager), is_the_owners(operation)),
            ("an operator", app.platform_admin(), Some((403, "PERMISSION_REQUIRED"))),
        ] {
            let answer = calls(&actor, operation).await;
            let asked = format!("{id} by {caller}");
            let refusal = refusal.filter(|_| caller != "an operator" || !is_for_operators_too(operation));
            if let Some((status, code)) = refusal {
                must_be_problem(&answer, &asked);
                answer.problem(status, code);
                operation.must_document(&answer);
            } else {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{asked}: {}", answer.body);
                assert!(!answer.status.is_server_error(), "{asked}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn the_schedulers_routes_are_for_the_scheduler() {
    let app = TestApp::start().await;
    for operation in operations().iter().filter(|operation| operation.security().as_deref() == Some("cron")) {
        for actor in [app.owner(), app.platform_admin()] {
            calls(&actor, operation).await.problem(401, "TOKEN_INVALID");
        }
        assert_eq!(calls(&app.scheduler(), operation).await.status, 200, "{}", operation.id);
        // And the scheduler's secret opens nothing else.
        app.scheduler().get("/api/payments").await.problem(401, "TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_a_problem() {
    let app = TestApp::start().await;
    let operations = operations();
    for operation in &operations {
        let method = another_method(&operations, &operation.path);
        for actor in [app.anonymous(), app.owner()] {
            let answer = actor.send(method.clone(), &operation.url(), None).await;
            must_be_problem(&answer, &format!("{method} {}", operation.path));
            answer.problem(405, "METHOD_NOT_ALLOWED");
        }
    }
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_problem() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/api",
        "/api/payment",
        "/api/payments/101/receipts",
        "/api//payments",
        "/api/payments/",
        "/%00",
        "/%ff",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = app.owner().send(method, path, None).await;
            must_be_refused(&answer, path);
            answer.problem(404, "NOT_FOUND");
        }
    }
}
