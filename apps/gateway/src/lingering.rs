//! Whoever is refused in the middle of an upload learns why.
//!
//! A connection that is closed while the client still sends is reset, and the answer that was on its way is lost with
//! it. So what nobody wants of a body is read on for a while and thrown away.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use futures::StreamExt;
use http_body::{Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

/// Clients look for an answer while they send; this is longer than any needs for it.
const LONGEST: Duration = Duration::from_secs(5);
/// Nobody who does not listen may make us read for ever.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(crate) async fn linger(request: Request, next: Next) -> Response {
    // Who asks first whether to send at all is told, and sends nothing.
    let asked_first = request.headers().contains_key(header::EXPECT);
    next.run(request.map(|body| Body::new(Lingering { body, is_coming: !asked_first, has_ended: false })))
        .await
}

/// A request's body that is read on when it is dropped.
struct Lingering {
    body: Body,
    is_coming: bool,
    has_ended: bool,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_coming = true;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.has_ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if !self.is_coming || self.has_ended || self.body.is_end_stream() {
            return;
        }
        // There is none when the process ends, and then the connection does as well.
        if let Ok(runtime) = Handle::try_current() {
            let rest = mem::take(&mut self.body);
            runtime.spawn(timeout(LONGEST, discard(rest)));
        }
    }
}

async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut bytes = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        bytes += chunk.len();
        if bytes > MOST_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, middleware::from_fn, routing::put};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// What a client reads that looks for an answer only after it has sent so much.
    async fn answer_after(megabytes: usize, head: &str) -> String {
        let refuses = Router::new().route("/", put(|_: Request| async { StatusCode::PAYLOAD_TOO_LARGE }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move { axum::serve(listener, refuses.layer(from_fn(linger))).await });
        client.write_all(format!("PUT / HTTP/1.1\r\nhost: here\r\n{head}\r\n").as_bytes()).await.unwrap();
        for _ in 0..megabytes {
            client.write_all(&vec![b' '; 1024 * 1024]).await.unwrap();
        }
        let mut answer = vec![0; 1024];
        let read = client.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    #[tokio::test]
    async fn who_is_refused_in_the_middle_of_an_upload_learns_why() {
        // Far more than the sockets between the two hold.
        let answer = answer_after(50, "content-length: 1000000000\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    #[tokio::test]
    async fn who_asks_before_sending_is_refused_without_having_sent() {
        let answer = answer_after(0, "content-length: 1000000000\r\nexpect: 100-continue\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}
