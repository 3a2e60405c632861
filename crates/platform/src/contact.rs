//! How telephone numbers and e-mail addresses are written: one way, so that equal ones are found by equal hashes whoever writes
//! them down; and how they are shown, in full, or so that nobody can be reached by them, so that what a page masks no file shows.

/// A telephone number: digits alone as one dials it in Korea, or `+` and digits for one abroad. `None` for what nobody could call.
pub fn phone(text: &str) -> Option<String> {
    let is_separator =
        |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{2010}'..='\u{2015}');
    let plain: String = text.trim().chars().filter(|c| !is_separator(*c)).collect();
    // Also `+82 010-…`, with the zero that one leaves out when dialling from abroad.
    let dialled = match plain.strip_prefix("+82").or_else(|| plain.strip_prefix("0082")) {
        Some(rest) => format!("0{}", rest.trim_start_matches('0')),
        None => plain,
    };
    let is_callable = match dialled.strip_prefix('+') {
        Some(abroad) => (8..=15).contains(&abroad.len()) && is_digits(abroad) && !abroad.starts_with('0'),
        None => is_digits(&dialled) && (is_korean(&dialled) || is_nationwide(&dialled)),
    };
    is_callable.then_some(dialled)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A subscriber behind a prefix, and not only zeros: `02-312-3456` to `0504-1234-5678`.
fn is_korean(digits: &str) -> bool {
    (9..=12).contains(&digits.len())
        && digits.starts_with('0')
        && !digits.starts_with("00")
        && digits[3..].bytes().any(|byte| byte != b'0')
}

/// `1588-1234`: a company's number, the same everywhere.
fn is_nationwide(digits: &str) -> bool {
    digits.len() == 8 && ("15".."19").contains(&&digits[..2])
}

/// An e-mail address in lower case. `None` for what is certainly none. Whether it is one, only a mail can tell.
pub fn email(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let is_host = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_plausible = address.len() <= 254
        && (1..=64).contains(&local.len())
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && domain.contains('.')
        && domain.split('.').all(is_host);
    is_plausible.then_some(address)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(email(" Owner@MisoHair.com ").as_deref(), Some("owner@misohair.com"));
        for text in [
            "",
            "owner",
            "owner@",
            "@misohair.com",
            "owner@misohair",
            "a@b.com, c@d.com",
            "a@b.com\r\nBcc: x@y.z",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }
}
