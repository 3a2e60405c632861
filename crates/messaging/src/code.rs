//! What stands in links that are somebody's own.

use aws_lc_rs::rand;

/// 71 bits that nobody guesses, short enough for a text.
pub fn unguessable() -> String {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut code = String::with_capacity(12);
    while code.len() < 12 {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).expect("the system has randomness");
        // Bytes from 248 on would favour some letters.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| LETTERS[usize::from(*byte) % 62]);
        code.extend(letters.take(12 - code.len()).map(char::from));
    }
    code
}
