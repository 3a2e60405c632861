//! A first look at a file: which one it is, and in which letters it is written.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use encoding_rs::{EUC_KR, Encoding, UTF_8};
use platform::Digest;

/// What is known of a file before it is read.
pub(super) struct Scanned {
    pub fingerprint: [u8; 32],
    pub bytes: u64,
    /// UTF-8, or else what Korean Windows writes: code page 949, which goes by the name of EUC-KR here.
    pub encoding: &'static Encoding,
}

impl Scanned {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut digest = Digest::default();
        let mut buffer = vec![0; 1024 * 1024];
        let mut utf8 = Some(Vec::new());
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
            bytes += u64::try_from(read).unwrap_or(u64::MAX);
            utf8 = utf8.and_then(|rest| still_utf8(rest, &buffer[..read]));
        }
        let is_utf8 = utf8.is_some_and(|rest| rest.is_empty());
        Ok(Self { fingerprint: digest.finish(), bytes, encoding: if is_utf8 { UTF_8 } else { EUC_KR } })
    }
}

/// Goes on with what may be the beginning of a letter; answers with what may be one again, or that this is no UTF-8.
fn still_utf8(mut text: Vec<u8>, more: &[u8]) -> Option<Vec<u8>> {
    text.extend_from_slice(more);
    match std::str::from_utf8(&text) {
        Ok(_) => Some(Vec::new()),
        Err(error) if error.error_len().is_none() => Some(text.split_off(error.valid_up_to())),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_cut_in_two_are_letters() {
        let text = "가나다".as_bytes();
        for cut in 0..text.len() {
            let rest = still_utf8(Vec::new(), &text[..cut]).unwrap();
            assert_eq!(still_utf8(rest, &text[cut..]), Some(Vec::new()));
        }
        assert_eq!(still_utf8(Vec::new(), &EUC_KR.encode("김민서").0), None);
    }
}
