//! What dangol promises, told over HTTP. Each module is a chapter; each test name is a rule.

mod booking;
mod campaigns;
mod cancelling;
mod cases;
mod checking_out;
mod coupons;
mod dunning;
mod exports;
mod ledger;
mod messages;
mod notifications;
mod own_contracts;
mod papers;
mod paying_again;
mod reading;
mod readme;
mod reconciliation;
mod reconciling;
mod refunding;
mod renewing;
mod reports;
mod routing;
mod segments;
mod subscribing;
mod time;
mod webhooks;
