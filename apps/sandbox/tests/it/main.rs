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
mod restart;
mod shortcuts;
mod webhooks;
