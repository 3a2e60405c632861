//! The adapters against servers: one that says exactly what a test tells it to, and the sandbox.

mod bootpay;
mod canned;
mod conformance;
mod kcp;
mod outside;
mod portone;
mod toss;
