//! The courier: posts notifications to the merchant, beside the API and never in its way.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    notices::{KcpNotice, NoticeAttempt, accepts},
    state::Record,
};
use crate::world::World;

/// Delivers what is due, until the sandbox stops. Without an address everything waits.
pub(crate) async fn run(world: Arc<World>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = world.kcp.courier.awaits_work() => {}
        }
        if world.kcp.courier.url().is_none() {
            continue;
        }
        for id in world.kcp.courier.take_due(world.clock.now()) {
            let world = world.clone();
            tokio::spawn(async move {
                let _hand = world.kcp.courier.hands.acquire().await;
                // Somebody may have delivered it by hand since its attempt was planned.
                let planned = world.store().kcp.notice(&id).and_then(|notice| notice.next_attempt_at);
                if planned.is_some_and(|at| at <= world.clock.now()) {
                    deliver(&world, &id).await;
                }
            });
        }
    }
}

/// Makes one attempt now. `None` if there is no such notice, nowhere to bring it, or the sandbox stopped.
pub(super) async fn deliver(world: &World, id: &str) -> Option<KcpNotice> {
    let notice = world.store().kcp.notice(id)?.clone();
    let attempt = attempt(world, &notice, world.kcp.courier.url()?).await;
    let mut store = world.store();
    // Read again: a retry may have been made while this attempt waited for its answer.
    let mut notice = store.kcp.notice(id)?.clone();
    notice.attempted(attempt);
    store.commit(vec![Record::Notice(Box::new(notice.clone())).into()]).ok()?;
    drop(store);
    world.kcp.schedule(&notice);
    Some(notice)
}

async fn attempt(world: &World, notice: &KcpNotice, url: String) -> NoticeAttempt {
    let at = world.clock.now();
    let request =
        world.kcp.courier.client.post(&url).header("content-type", notice.content_type()).body(notice.body());
    let answer = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            response.text().await.map(|text| (status, text))
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok((status, text)) => {
            let accepted = status == 200 && accepts(&text);
            NoticeAttempt { at, url, status: Some(status), accepted, error: None }
        }
        Err(error) => {
            let error = Some(format!("{:#}", anyhow::Error::from(error)));
            NoticeAttempt { at, url, status: None, accepted: false, error }
        }
    }
}
