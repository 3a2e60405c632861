//! Percent-encoding in paths.

/// Decodes a path segment once; `None` if what it says is not UTF-8 or not encoded at all.
pub(crate) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            decoded.push(hex::decode(pair).ok()?[0]);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}
