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

/// One connection that is told something.
#[derive(Debug)]
pub(crate) struct Peer {
    number: u64,
    user: String,
    audiences: Vec<Audience>,
    /// What is not shown, as [`Types`].
    muted: AtomicU16,
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

    pub(crate) fn mute(&self, muted: Types) {
        self.muted.store(muted.bits(), Ordering::Relaxed);
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
    /// Changes whenever somebody turns something off or on.
    pub muting: u64,
    next: u64,
    audiences: HashMap<Audience, HashMap<u64, Listed>>,
    /// How many places each person has here: of those who are told something, who catch up, and who are about to end.
    people: HashMap<String, usize>,
    places: usize,
}

impl Registry {
    /// Nobody is told anything any more, and nobody is about to end.
    #[cfg(test)]
    pub(crate) fn knows_nobody(&self) -> bool {
        self.audiences.is_empty() && self.people.is_empty()
    }

    /// How many are connected, those that are about to end included.
    pub(crate) fn len(&self) -> usize {
        self.places
    }

    /// Takes a place, unless the person has `per_person` already.
    pub(crate) fn admit(&mut self, user: &str, per_person: usize) -> bool {
        let count = self.people.entry(user.to_owned()).or_default();
        if *count >= per_person {
            return false;
        }
        *count += 1;
        self.places += 1;
        true
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, user: &str) {
        self.places -= 1;
        if let Some(count) = self.people.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.people.remove(user);
            }
        }
    }

    /// From now on it is told what its audiences are told.
    pub(crate) fn list(
        &mut self,
        reader: &Reader,
        muted: Types,
        queue: usize,
    ) -> (Arc<Peer>, mpsc::Receiver<Arc<Frame>>) {
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
        (peer, receiver)
    }

    /// Nothing more comes to it.
    pub(crate) fn unlist(&mut self, peer: &Peer) {
        for audience in &peer.audiences {
            let Some(listeners) = self.audiences.get_mut(audience) else { continue };
            listeners.remove(&peer.number);
            if listeners.is_empty() {
                self.audiences.remove(audience);
            }
        }
    }

    /// Those who are told something; everybody is in the audience of what is told to everybody.
    fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        let everybody = self.audiences.get(&Audience::Everyone).into_iter().flat_map(HashMap::values);
        everybody.map(|listed| &listed.peer)
    }

    /// The people behind them.
    pub(crate) fn users(&self) -> Vec<String> {
        let mut users: Vec<_> = self.peers().map(|peer| peer.user.clone()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Somebody wants to see other things than before.
    pub(crate) fn mute(&mut self, user: &str, muted: Types) {
        self.muting += 1;
        for peer in self.peers().filter(|peer| peer.user == user) {
            peer.mute(muted);
        }
    }

    /// What everybody wants to see, those who are not named all.
    pub(crate) fn mute_all(&self, muted: &HashMap<String, Types>) {
        for peer in self.peers() {
            peer.mute(muted.get(&peer.user).copied().unwrap_or_default());
        }
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
