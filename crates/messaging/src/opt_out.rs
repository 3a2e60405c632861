//! The page behind an opt-out link.
//!
//! Looking changes nothing: scanners follow links. The button does, and so does the mail program's own (RFC 8058).

use crate::{Channel, advertising::escaped};

/// What is shown before somebody decides, or afterwards.
pub(crate) fn page(shop: &str, channel: Channel, has_refused: bool) -> String {
    let way = match channel {
        Channel::Sms => "문자",
        Channel::Kakao => "카카오톡",
        Channel::Email => "이메일",
    };
    let shop = escaped(shop);
    let body = if has_refused {
        format!(
            "<h1>수신거부가 완료되었습니다</h1><p>{shop}의 광고성 {way}을(를) 더 이상 보내지 않습니다.</p>"
        )
    } else {
        format!(
            "<h1>광고 수신거부</h1><p>{shop}의 광고성 {way}을(를) 받지 않으시겠습니까?</p>\
             <form method=\"post\"><button>수신거부</button></form>"
        )
    };
    whole(&body)
}

pub(crate) fn unknown_page() -> String {
    whole("<h1>알 수 없는 링크입니다</h1><p>링크가 올바른지 확인해 주세요.</p>")
}

fn whole(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>수신거부</title><style>body{{font:16px/1.6 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}}\
         button{{padding:.75rem 1.5rem;border:0;border-radius:.75rem;background:#3182f6;color:#fff;font:inherit}}</style></head><body>{body}</body></html>"
    )
}
