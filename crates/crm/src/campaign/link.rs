//! Where a link in a campaign leads: to a page of the shop, that was looked at when the campaign was written. What stands in
//! the message is a code of ours, so nothing that comes with a click can lead elsewhere.

use reqwest::Url;

use crate::text::Refusal;

/// Longer ones are no pages that somebody shows.
const MOST: usize = 500;

/// Which pages may be linked to.
#[derive(Clone, Debug, Default)]
pub struct LinkRules {
    /// Only these hosts and those below them; any, where there are none.
    pub hosts: Vec<String>,
    /// Our own addresses, which in development are no HTTPS.
    pub own: Vec<String>,
}

impl LinkRules {
    /// The address as it will be followed, to the letter.
    pub(crate) fn read(&self, text: &str) -> Result<String, Refusal> {
        let wrong = Refusal {
            code: "INVALID_LINK", message: "https://로 시작하는 올바른 주소여야 합니다."
        };
        let text = text.trim();
        if text.chars().count() > MOST {
            return Err(Refusal { code: "TOO_LONG", message: "주소는 500자 이하여야 합니다." });
        }
        // Browsers and this library read these in ways that not everybody expects.
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(wrong);
        }
        let url = Url::parse(text).map_err(|_| wrong)?;
        let Some(host) = url.domain().filter(|host| !host.is_empty()) else { return Err(wrong) };
        // `https://our-shop.example@evil.example` shows one host and leads to another.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong);
        }
        let written = url.as_str();
        let is_own = self.own.iter().any(|own| is_below(own, written));
        if !is_own && (url.scheme() != "https" || !host.contains('.') || url.port().is_some()) {
            return Err(wrong);
        }
        let allows = |allowed: &String| {
            host == allowed || host.strip_suffix(allowed.as_str()).is_some_and(|below| below.ends_with('.'))
        };
        if !is_own && !self.hosts.is_empty() && !self.hosts.iter().any(allows) {
            return Err(Refusal {
                code: "HOST_NOT_ALLOWED",
                message: "이 서비스에서 사용할 수 없는 주소입니다.",
            });
        }
        if written.len() > MOST {
            return Err(Refusal { code: "TOO_LONG", message: "주소는 500자 이하여야 합니다." });
        }
        Ok(written.to_owned())
    }
}

/// Whether an address is the other's or below it: the same scheme, host and port.
fn is_below(own: &str, written: &str) -> bool {
    let Ok(own) = Url::parse(own) else { return false };
    Url::parse(written).is_ok_and(|url| url.origin() == own.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(hosts: &[&str]) -> LinkRules {
        LinkRules {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            own: vec!["http://localhost:3000".to_owned()],
        }
    }

    #[test]
    fn a_page_of_a_shop_is_linked_to() {
        for link in [
            "https://misohair.com/event?spring=1#top",
            "https://예약.한국/봄",
            "http://localhost:3000/shops/1",
        ] {
            assert!(rules(&[]).read(link).is_ok(), "{link}");
        }
    }

    #[test]
    fn what_is_no_page_or_hides_where_it_leads_is_refused() {
        for link in [
            "",
            "misohair.com",
            "http://misohair.com",
            "//misohair.com",
            "javascript:alert(1)",
            "data:text/html,hello",
            "https://misohair.com@evil.example/",
            "https://user:secret@misohair.com/",
            "https://misohair.com\\@evil.example",
            "https://misohair.com/\r\nset-cookie: a=b",
            "https://mis ohair.com",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
            "https://misohair.com:8443/",
            "http://localhost:3001/",
            "http://localhost:3000@evil.example/",
        ] {
            assert!(rules(&[]).read(link).is_err(), "{link}");
        }
        assert!(rules(&[]).read(&format!("https://misohair.com/{}", "a".repeat(500))).is_err());
    }

    #[test]
    fn where_hosts_are_named_no_other_is_linked_to() {
        let rules = rules(&["dangol.kr"]);
        for link in ["https://dangol.kr/a", "https://miso.dangol.kr/"] {
            assert!(rules.read(link).is_ok(), "{link}");
        }
        for link in ["https://evildangol.kr/", "https://dangol.kr.evil.example/"] {
            assert_eq!(rules.read(link).unwrap_err().code, "HOST_NOT_ALLOWED", "{link}");
        }
    }
}
