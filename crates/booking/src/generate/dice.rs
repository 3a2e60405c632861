//! Numbers that look random and are the same on every machine.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// From 0 up to and without `end`.
    pub(super) fn number(&mut self, end: i64) -> i64 {
        let end = u128::from(end.max(1).unsigned_abs());
        // The upper half of the product is as even as anybody needs.
        let scaled = (u128::from(self.0.next_u64()) * end) >> 64;
        i64::try_from(scaled).unwrap_or_default()
    }

    /// An index below `length`.
    pub(super) fn below(&mut self, length: usize) -> usize {
        usize::try_from(self.number(i64::try_from(length).unwrap_or(1))).unwrap_or_default()
    }

    pub(super) fn percent(&mut self, chance: i64) -> bool {
        self.number(100) < chance
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len());
        &of[at]
    }

    /// An index, the likelier the more it adds to the running sums.
    pub(super) fn weighted(&mut self, sums: &[i64]) -> usize {
        let roll = self.number(sums.last().copied().unwrap_or(1));
        sums.partition_point(|sum| *sum <= roll)
    }
}
