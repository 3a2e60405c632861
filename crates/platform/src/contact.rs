//! How telephone numbers and e-mail addresses are shown: in full, or so that nobody can be reached by
//! them. One place, so that what a page masks no file shows.

/// A number of digits alone, as people read it: `010-1234-5678`.
pub fn phone_in_full(digits: &str) -> String {
    written(digits, str::to_owned)
}

/// For who need not call: `010-****-5678`.
pub fn masked_phone(digits: &str) -> String {
    written(digits, |middle| "*".repeat(middle.len()))
}

fn written(digits: &str, middle: impl Fn(&str) -> String) -> String {
    let area = match digits.as_bytes() {
        [b'1', ..] => 0,
        [b'0', b'2', ..] => 2,
        // Numbers that stand for another one: 0504-1234-5678.
        [b'0', b'5', b'0', ..] if digits.len() == 12 => 4,
        _ => 3,
    };
    // Shorter than any number that is ever stored, and no reason to panic.
    let Some(last) = digits.len().checked_sub(4).filter(|last| *last >= area && digits.is_ascii()) else {
        return middle(digits);
    };
    let parts = [digits[..area].to_owned(), middle(&digits[area..last]), digits[last..].to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// `k***@misohair.com`
pub fn masked_email(address: &str) -> String {
    let first: String = address.chars().take(1).collect();
    let domain = address.split_once('@').map_or("", |(_, domain)| domain);
    format!("{first}***@{domain}")
}
