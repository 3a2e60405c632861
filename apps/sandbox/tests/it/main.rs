//! The sandbox as its clients see it: over HTTP, on a port of its own.

mod billing;
mod cancels;
mod control;
mod faults;
mod idempotency;
mod lists;
mod merchant;
mod one_off;
mod pages;
mod popbill_invoices;
mod popbill_seller;
mod popbill_tokens;
mod restart;
mod shortcuts;
mod webhooks;
