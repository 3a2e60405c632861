//! Listening, and stopping in good order.

use std::{future::Future, net::SocketAddr};

use anyhow::Context;
use axum::Router;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Takes the port, or says in one sentence why not.
pub(crate) async fn listen(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is taken: another dangol may be running; stop it or set DANGOL_HTTP_ADDR to another port",
            addr.port()
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {addr} (DANGOL_HTTP_ADDR)")),
    })
}

/// Answers requests until `stop` completes, then finishes those under way.
pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    // With the other end's address, for the audit trail.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await.context("serving")
}

/// Completes on Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signal handlers the defaults apply, and the process simply ends.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
