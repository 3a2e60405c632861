//! Whoever sends the examples of the document as they stand, to a system with its demo data, gets what they ask for.

use axum::http::Method;
use serde_json::Value;
use testkit::{Actor, TestApp};

use crate::document::{Operation, operation, operations, text};

/// The operations about customers, coupons, campaigns, messages and notifications, in an order in which each finds what the ones
/// before it left. The salon has CRM in its plan.
const OF_CUSTOMERS: [&str; 52] = [
    "listSegments",
    "listSegmentFields",
    "previewSegment",
    "createSegment",
    "getSegment",
    "changeSegment",
    "listSegmentCustomers",
    "deleteSegment",
    "createCoupon",
    "listCoupons",
    "getCoupon",
    "changeCoupon",
    "issueCouponCodes",
    "listCouponCodes",
    "redeemCoupon",
    "restoreCoupon",
    "recordConsent",
    "getConsent",
    "listConsents",
    "setMessageSender",
    "getMessageSender",
    "listMessageSendersToApprove",
    "approveMessageSender",
    "createMessageTemplate",
    "listMessageTemplates",
    "getMessageTemplate",
    "changeMessageTemplate",
    "previewMessage",
    "deleteMessageTemplate",
    "listCampaigns",
    "saveAutoCampaign",
    "listAutoCampaigns",
    "getCampaign",
    "changeCampaign",
    "previewCampaign",
    "testCampaign",
    "createCampaign",
    "scheduleCampaign",
    "pauseCampaign",
    "resumeCampaign",
    "listCampaignRecipients",
    "listMessages",
    "getMessage",
    "cancelCampaign",
    "publishNotice",
    "listNotifications",
    "countUnreadNotifications",
    "readNotification",
    "readAllNotifications",
    "getNotificationPreferences",
    "setNotificationPreferences",
    "issueNotificationTicket",
];

/// Those are connections, or follow a link in a message, whose code nobody knows beforehand.
const NOT_BY_THEMSELVES: [&str; 6] = [
    "followLink",
    "loadMailPicture",
    "optOut",
    "showOptOut",
    "openNotificationSocket",
    "streamNotifications",
];

/// The operations about bookings and reports, in an order in which each finds what the ones before it left.
fn of_booking() -> Vec<Operation> {
    let methods = [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE];
    let of = |operation: &Operation| {
        ["booking", "reports"].contains(&text(&operation.description["tags"][0]).as_str())
    };
    let mut operations: Vec<_> = operations().into_iter().filter(of).collect();
    operations.sort_by_key(|operation| methods.iter().position(|method| *method == operation.method));
    operations
}

/// The path with every example in it, those of the query as well.
fn url(operation: &Operation) -> String {
    let query = operation.parameters("query").into_iter().filter_map(|parameter| {
        let value = parameter["example"].as_str()?.to_owned();
        Some(format!("{}={value}", text(&parameter["name"])))
    });
    [operation.url(), query.collect::<Vec<_>>().join("&")].join("?")
}

/// A body of each kind that the operation takes.
fn bodies(operation: &Operation) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let mut bodies =
        vec![("application/json", operation.example().map(|example| example.to_string().into_bytes()))];
    if operation.takes_rows() {
        let lines = &operation.description["requestBody"]["content"]["application/x-ndjson"]["example"];
        bodies.push(("application/x-ndjson", Some(text(lines).into_bytes())));
    }
    bodies
}

async fn answers(owner: &Actor, operation: &Operation) {
    for (content_type, body) in bodies(operation) {
        let owner = owner.clone().with_header("content-type", content_type);
        let url = url(operation);
        let answer = owner.send(operation.method.clone(), &url, body).await;
        assert!(answer.status.is_success(), "{} {url}: {} {}", operation.id, answer.status, answer.body);
        let failed = &answer.body["data"]["failed"];
        assert!(failed.is_null() || *failed == 0, "{} {content_type}: {}", operation.id, answer.body);
        // Nobody has reviewed anything yet, and a month may have just begun.
        if operation.id.starts_with("list") && operation.id != "listReviews" {
            assert_ne!(answer.data(), &Value::Array(Vec::new()), "{} {url} finds nothing", operation.id);
        }
    }
}

#[tokio::test]
async fn the_examples_of_bookings_and_reports_work_on_the_demo_data() {
    let app = TestApp::start().await;
    let operations = of_booking();
    assert!(operations.len() > 25, "{}", operations.len());
    for operation in &operations {
        answers(&app.owner_of(1), operation).await;
    }
}

#[tokio::test]
async fn the_examples_about_customers_work_on_the_demo_data() {
    let tags = ["segments", "coupons", "campaigns", "messaging", "notifications"];
    for operation in operations() {
        let is_theirs = tags.contains(&text(&operation.description["tags"][0]).as_str());
        let is_sent = OF_CUSTOMERS.contains(&operation.id.as_str());
        let is_left_out = NOT_BY_THEMSELVES.contains(&operation.id.as_str());
        assert!(is_sent || is_left_out || !is_theirs, "nobody sends the example of {}", operation.id);
    }
    let app = TestApp::start().await;
    app.subscribes("PRO", "MONTHLY").await;
    let owner = app.owner();
    for id in OF_CUSTOMERS {
        // As the worker does every second.
        app.app.crm.sweep().await.expect("recipients are written down");
        app.app.notifications.react().await.expect("people are told");
        let mut operation = operation(id);
        if id == "getMessage" {
            // Names that are made up at random are copied from the list.
            let listed = owner.get("/api/businesses/1/messages").await;
            operation.path = operation.path.replace("{messageId}", &text(&listed.data()[0]["messageId"]));
        }
        let caller = if operation.is_for_operators() { app.platform_admin() } else { owner.clone() };
        answers(&caller, &operation).await;
    }
}
