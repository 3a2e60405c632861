//! Who is connected, by what they are told.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU16, Ordering},
    },
};

use tokio::sync::mpsc;

use super::Frame;
use crate::{
    NotificationId,
    audience::{Audience, Reader},
    kind::Types,
};

/// Why a connection ends before its client hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parting {
    /// It reads more slowly than it is told.
    Slow = 1,
    /// This process is about to end.
    Restart = 2,
    /// Nothing was heard of it.
    Idle = 3,
    /// The token ran out with which it came.
    SessionOver = 4,
    /// The person has too many of them.
    TooMany = 5,
}

impl Parting {
    /// The WebSocket close code: one of the protocol's where it has one.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Slow => 1013,
            Self::Restart => 1012,
            Self::Idle => 4408,
            Self::SessionOver => 4401,
            Self::TooMany => 4429,
        }
    }

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Slow => "SLOW_READER",
            Self::Restart => "RESTARTING",
            Self::Idle => "IDLE",
            Self::SessionOver => "TOKEN_EXPIRED",
            Self::TooMany => "TOO_MANY_CONNECTIONS",
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Peer {
    number: u64,
    user: String,
    audiences: Vec<Audience>,
    /// What is not shown, as [`Types`].
    pub muted: AtomicU16,
    /// A [`Parting`], or 0.
    parting: AtomicU8,
}

impl Peer {
    pub(crate) fn parting(&self) -> Option<Parting> {
        match self.parting.load(Ordering::Acquire) {
            1 => Some(Parting::Slow),
            2 => Some(Parting::Restart),
            _ => None,
        }
    }

    fn part(&self, parting: Parting) {
        // The first reason is the one that counts.
        let _ = self.parting.compare_exchange(0, parting as u8, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// One connection, as far as something is told to it. The last one of them closes its queue.
struct Listed {
    peer: Arc<Peer>,
    queue: mpsc::Sender<Arc<Frame>>,
}

/// What became of some frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handed {
    pub delivered: u64,
    pub too_slow: u64,
}

#[derive(Default)]
pub(crate) struct Registry {
    /// The newest notification that was handed out.
    pub position: NotificationId,
    next: u64,
    audiences: HashMap<Audience, HashMap<u64, Listed>>,
    /// How many connections each person has here, those that are about to end included.
    people: HashMap<String, usize>,
    connections: usize,
}

impl Registry {
    /// Nobody is told anything any more, and nobody is about to end.
    #[cfg(test)]
    pub(crate) fn knows_nobody(&self) -> bool {
        self.audiences.is_empty() && self.people.is_empty()
    }

    /// How many are connected, those that are about to end included.
    pub(crate) fn len(&self) -> usize {
        self.connections
    }

    /// `None` for somebody who has `per_person` connections.
    pub(crate) fn add(
        &mut self,
        reader: &Reader,
        muted: Types,
        queue: usize,
        per_person: usize,
    ) -> Option<(Arc<Peer>, mpsc::Receiver<Arc<Frame>>)> {
        let count = self.people.entry(reader.user.clone()).or_default();
        if *count >= per_person {
            return None;
        }
        *count += 1;
        self.connections += 1;
        self.next += 1;
        let (queue, receiver) = mpsc::channel(queue);
        let peer = Arc::new(Peer {
            number: self.next,
            user: reader.user.clone(),
            audiences: reader.audiences.clone(),
            muted: AtomicU16::new(muted.bits()),
            parting: AtomicU8::new(0),
        });
        for audience in &reader.audiences {
            let listed = Listed { peer: Arc::clone(&peer), queue: queue.clone() };
            self.audiences.entry(audience.clone()).or_default().insert(peer.number, listed);
        }
        Some((peer, receiver))
    }

    pub(crate) fn remove(&mut self, peer: &Peer) {
        self.unlist(peer);
        self.connections -= 1;
        if let Some(count) = self.people.get_mut(&peer.user) {
            *count -= 1;
            if *count == 0 {
                self.people.remove(&peer.user);
            }
        }
    }

    /// Nothing more comes to it.
    fn unlist(&mut self, peer: &Peer) {
        for audience in &peer.audiences {
            let Some(listeners) = self.audiences.get_mut(audience) else { continue };
            listeners.remove(&peer.number);
            if listeners.is_empty() {
                self.audiences.remove(audience);
            }
        }
    }

    /// Everybody is in the audience of what is told to everybody.
    pub(crate) fn peers_of(&self, user: &str) -> impl Iterator<Item = &Arc<Peer>> {
        let everybody = self.audiences.get(&Audience::Everyone).into_iter().flat_map(HashMap::values);
        everybody.map(|listed| &listed.peer).filter(move |peer| peer.user == user)
    }

    /// Puts frames into the queues of those whom they are for. Who has no room left is given up.
    pub(crate) fn hand_out(&mut self, frames: &[(Audience, Arc<Frame>)]) -> Handed {
        let mut handed = Handed::default();
        for (audience, frame) in frames {
            let mut too_slow = Vec::new();
            for Listed { peer, queue } in self.audiences.get(audience).into_iter().flat_map(HashMap::values) {
                if Types::of_bits(peer.muted.load(Ordering::Relaxed)).contains(frame.kind) {
                    continue;
                }
                match queue.try_send(Arc::clone(frame)) {
                    Ok(()) => handed.delivered += 1,
                    Err(mpsc::error::TrySendError::Full(_)) => too_slow.push(Arc::clone(peer)),
                    // It hung up this moment.
                    Err(mpsc::error::TrySendError::Closed(_)) => {}
                }
            }
            for peer in too_slow {
                handed.too_slow += 1;
                peer.part(Parting::Slow);
                self.unlist(&peer);
            }
            self.position = frame.id;
        }
        handed
    }

    pub(crate) fn part_all(&mut self, parting: Parting) {
        for listed in self.audiences.values().flat_map(HashMap::values) {
            listed.peer.part(parting);
        }
        self.audiences.clear();
    }
}
