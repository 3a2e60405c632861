//! Requests that make no sense.

use serde_json::Value;

/// Bodies that are not JSON, or no object.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", b"".to_vec()),
        ("half an object", b"{".to_vec()),
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a text", br#""BASIC""#.to_vec()),
        ("a number", b"101".to_vec()),
        ("a trailing comma", br#"{"reason": "x",}"#.to_vec()),
        ("two objects", b"{} {}".to_vec()),
        ("form fields", b"plan=BASIC&amount=29000".to_vec()),
        ("XML", b"<plan>BASIC</plan>".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("invalid UTF-8", b"{\"reason\": \"\xff\xfe\", \"plan\": \"\xc3\x28\"}".to_vec()),
        ("UTF-16", b"{\0}\0".to_vec()),
        ("a raw NUL", b"{\"reason\": \"\0\"}".to_vec()),
        ("a deep list", "[".repeat(500_000).into_bytes()),
        ("a deep object", r#"{"plan":"#.repeat(100_000).into_bytes()),
        ("an unknown member", br#"{"zzz": 1}"#.to_vec()),
        ("a member without a name", br#"{"": 1}"#.to_vec()),
    ]
}

/// JSON that no member of any body may hold, as it is sent: not all of it is a [`Value`].
pub(super) fn values() -> Vec<String> {
    let long = "가".repeat(10_000);
    let mut values: Vec<String> = [
        "{}",
        "[]",
        "[[[[]]]]",
        r#"{"a": {"b": {"c": []}}}"#,
        "true",
        "1.5",
        "-1.5",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "1e18",
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
    ]
    .map(str::to_owned)
    .to_vec();
    values.push(format!(r#""{long}""#));
    values.push(format!("{}1{}", "[".repeat(100), "]".repeat(100)));
    values.push(format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200)));
    values.push(format!("1{}", "0".repeat(5_000)));
    values
}

/// Text that is well-formed, and means nothing where a name, an id or a date is expected.
pub(super) const TEXTS: [&str; 18] = [
    "",
    " ",
    "null",
    "-1",
    "0",
    "\u{202e}\u{2066}원000,92\u{2069}",
    "مرحبا",
    "👩‍👩‍👧‍👦💳",
    "\u{feff}",
    "\u{7f}\u{1b}[31m",
    "\r\nX: y",
    "' or '1'='1",
    "'; drop table billing.payment; --",
    "../../../etc/passwd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "%00",
];

/// Whole numbers that no amount and no id of ours is.
pub(super) const NUMBERS: [&str; 5] = ["-1", "0", "-29000", "9223372036854775807", "-9223372036854775808"];

/// Spells an object out with one member replaced by any text.
pub(super) fn with_member(body: &serde_json::Map<String, Value>, member: &str, value: &str) -> Vec<u8> {
    let mut members: Vec<String> = body
        .iter()
        .filter(|(name, _)| *name != member)
        .map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())))
        .collect();
    members.push(format!("{}: {value}", Value::from(member)));
    format!("{{{}}}", members.join(", ")).into_bytes()
}
