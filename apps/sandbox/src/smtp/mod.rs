//! A mail server that takes every mail and forwards none (RFC 5321, as far as a sender needs it).
//!
//! Any name and password is welcome, and none as well; there is no TLS. `bounce@…` is no mailbox here, `blocked@…` wants
//! nothing from anybody.

mod dialogue;
mod letter;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// Next to the door of the HTTP services: 8091 for 8090. Where any port will do, any will do for mail.
pub(crate) async fn listen(http: SocketAddr, wanted: SocketAddr) -> anyhow::Result<TcpListener> {
    let port = if wanted.port() == 0 { 0 } else { http.port().wrapping_add(1) };
    let addr = SocketAddr::new(http.ip(), port);
    TcpListener::bind(addr).await.with_context(|| {
        format!("the sandbox's mail server cannot listen on {addr}: its port is the sandbox's plus one")
    })
}

/// Takes mail until the sandbox stops.
pub(crate) async fn run(world: Arc<World>, listener: TcpListener, stop: CancellationToken) {
    loop {
        let connection = tokio::select! {
            () = stop.cancelled() => return,
            connection = listener.accept() => connection,
        };
        match connection {
            Ok((stream, _)) => {
                let (world, stop) = (world.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        // A client that goes away in the middle is no trouble of the server's.
                        _ = dialogue::hold(&world, stream) => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the sandbox's mail server could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
