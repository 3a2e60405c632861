//! The sandbox as its clients see it: over HTTP, on a port of its own.

mod billing;
mod cancels;
mod control;
mod faults;
mod idempotency;
mod kcp_cancels;
mod kcp_charges;
mod kcp_notices;
mod kcp_restart;
mod kcp_shop;
mod kcp_window;
mod lists;
mod merchant;
mod one_off;
mod pages;
mod portone_cancels;
mod portone_charges;
mod portone_keys;
mod portone_lists;
mod portone_shop;
mod portone_webhooks;
mod portone_window;
mod restart;
mod shortcuts;
mod webhooks;
