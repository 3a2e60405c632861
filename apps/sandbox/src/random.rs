//! Unguessable text for keys, and dice for faults.

use aws_lc_rs::rand;

const ALPHANUMERIC: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// `length` characters of `0-9a-zA-Z`. The modulo favours some of them, which no test key minds.
pub(crate) fn letters(length: usize) -> String {
    let bytes = bytes::<64>();
    bytes.iter().take(length).map(|byte| char::from(ALPHANUMERIC[usize::from(*byte) % 62])).collect()
}

/// `length` decimal digits, the first of them not zero, which some would read as a number and lose.
pub(crate) fn digits(length: usize) -> String {
    let bytes = bytes::<32>();
    let digit =
        |(index, byte): (usize, &u8)| char::from(if index == 0 { b'1' + byte % 9 } else { b'0' + byte % 10 });
    bytes.iter().take(length).enumerate().map(digit).collect()
}

/// Thirty-two hex digits.
pub(crate) fn hex_id() -> String {
    hex::encode(bytes::<16>())
}

/// True this often: 0 is never, 1 is always.
pub(crate) fn happens(probability: f64) -> bool {
    f64::from(u32::from_le_bytes(bytes())) < probability * 4_294_967_296.0
}
