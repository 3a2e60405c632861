//! What Toss answers, in a form small enough to keep for fifteen days.

use axum::body::Bytes;
use serde::{Deserialize, Serialize};

use super::{body, state::State, switches::Surprises};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: AnswerBody,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum AnswerBody {
    /// Measured: deleting a billing key answers 200 with 0 bytes.
    Empty,
    Text(String),
    /// The payment as it was after so many cancels. A kept answer has to come back byte for byte,
    /// and 100,000 payment bodies are too many to keep: they are written anew from the payment,
    /// whose past never changes.
    Payment {
        key: String,
        cancels: usize,
        surprises: Surprises,
    },
}

impl Answer {
    pub(crate) fn ok(body: AnswerBody) -> Self {
        Self { status: 200, body }
    }

    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::ok(AnswerBody::Text(serde_json::to_string(value).expect("answers are plain JSON")))
    }

    pub(crate) fn bytes(&self, state: &State) -> Bytes {
        match &self.body {
            AnswerBody::Empty => Bytes::new(),
            AnswerBody::Text(text) => Bytes::from(text.clone()),
            AnswerBody::Payment { key, cancels, surprises } => match state.payment(key) {
                Some(payment) => body::payment(payment, *cancels, *surprises),
                None => Bytes::from_static(b"{}"),
            },
        }
    }
}
