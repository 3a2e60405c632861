//! Listening, and stopping in good order.

use std::{
    future::{Future, IntoFuture},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, dev::DevClock, events};

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

/// How long those who are connected have to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long requests under way have to end. Whoever does not read what they are sent would hold up the end for ever.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

/// Answers requests until `stop` completes, then finishes those under way and sends those who are connected elsewhere.
pub(crate) async fn run(
    listener: TcpListener,
    app: App,
    dev_clock: Option<DevClock>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let announcing = tokio::spawn(events::announce(app.clone(), stopping.clone().cancelled_owned()));
    let hub = app.notifications.hub.clone();
    let draining = tokio::spawn({
        let stopping = stopping.clone();
        async move {
            stop.await;
            stopping.cancel();
            hub.drain(FAREWELL).await;
        }
    });
    // With the other end's address, for the audit trail.
    let service = app.router(dev_clock).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(stopping.clone().cancelled_owned())
        .into_future();
    let too_long = async {
        stopping.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    let served = tokio::select! {
        served = serving => served.context("serving"),
        () = too_long => {
            tracing::warn!("not every request has ended; cut off");
            Ok(())
        }
    };
    draining.await.context("saying goodbye")?;
    announcing.await.context("announcing events")?;
    served
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
