//! What dangol promises, told over HTTP. Each module is a chapter; each test name is a rule.

mod cancelling;
mod checking_out;
mod dunning;
mod papers;
mod paying_again;
mod reading;
mod readme;
mod reconciling;
mod refunding;
mod renewing;
mod subscribing;
mod time;
mod webhooks;
