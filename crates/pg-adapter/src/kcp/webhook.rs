//! Notifications (공통통보): forms in UTF-8 or EUC-KR, signed by nobody.
//!
//! Nothing in one is believed. It is a reason to inquire by the number in it, and that is all.

use aws_lc_rs::digest;
use percent_encoding::percent_decode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::{charset, mapping};
use crate::{Acknowledgement, Subject, Webhook, WebhookRefused};

/// Anything else is sent again.
pub(super) const ACCEPTED: Acknowledgement = Acknowledgement {
    content_type: "text/html; charset=UTF-8",
    body: "<html><body><form><input type=\"hidden\" name=\"result\" value=\"0000\"></form></body></html>",
};

/// A notification has some twenty short fields.
const LONGEST: usize = 64 * 1024;

/// Kinds about the money of a payment: deposit, refund, settlement held, cancels, account closed.
/// The others (purchase confirmed, delivery) are about parcels.
const ABOUT_PAYMENTS: [&str; 7] = ["TX00", "TX01", "TX04", "TX05", "TX06", "TX07", "TX08"];

pub(super) fn read(headers: &HeaderMap, body: &[u8], site_cd: &str) -> Result<Webhook, WebhookRefused> {
    if body.len() > LONGEST {
        return Err(malformed("it is too long"));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = Form::read(body, content_type);
    let kind =
        form.get("tx_cd").filter(|kind| kind.len() <= 10 && kind.bytes().all(|b| b.is_ascii_alphanumeric()));
    let kind = kind.ok_or_else(|| malformed("it has no kind (tx_cd)"))?;
    if form.get("site_cd") != Some(site_cd) {
        return Err(malformed("it is for another shop"));
    }
    let subject = if ABOUT_PAYMENTS.contains(&kind) {
        let order_id = form.get("order_no").filter(|id| mapping::is_order_no(id));
        let tno = form.get("tno").filter(|tno| mapping::is_tno(tno));
        let (Some(order_id), Some(tno)) = (order_id, tno) else {
            return Err(malformed("it is about no payment"));
        };
        Subject::Payment { order_id: order_id.to_owned(), payment_key: Some(tno.to_owned()) }
    } else {
        Subject::Other
    };
    let id = form.id().ok_or_else(|| malformed("its id (noti_id) is none"))?;
    Ok(Webhook { id, kind: kind.to_owned(), subject })
}

/// What was sent, each value in the charset that it turns out to have.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8], content_type: Option<&str>) -> Self {
        let decode = |bytes: &[u8]| {
            let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            let bytes: Vec<u8> = percent_decode(&spaced).collect();
            charset::text(content_type, &bytes).map(|text| text.trim().to_owned())
        };
        let pairs = body.split(|byte| *byte == b'&').filter_map(|pair| {
            let separator = pair.iter().position(|byte| *byte == b'=')?;
            Some((decode(&pair[..separator])?, decode(&pair[separator + 1..])?))
        });
        Self(pairs.collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// `noti_id` where there is one, with what is acted on: it can be guessed, and with another order beside
    /// it a forgery is another delivery. Other kinds have none: a digest of what tells one event from
    /// another, and of nothing that differs between repeats of one (such as the sending time may).
    /// None if it is one that KCP makes none like.
    fn id(&self) -> Option<String> {
        if let Some(id) = self.get("noti_id").filter(|id| id.len() <= 40) {
            let order_no = self.get("order_no").filter(|id| mapping::is_order_no(id)).unwrap_or_default();
            let tno = self.get("tno").filter(|tno| mapping::is_tno(tno)).unwrap_or_default();
            let is_one = id.bytes().all(|b| b.is_ascii_graphic());
            return is_one.then(|| format!("{id}:{order_no}:{tno}"));
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for name in ["site_cd", "tx_cd", "tno", "order_no", "tx_tm", "refund_mny", "st_cd", "waybill_no"] {
            let value = self.get(name).unwrap_or_default();
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            context.update(&value.len().to_le_bytes());
            context.update(value.as_bytes());
        }
        Some(hex::encode(context.finish()))
    }
}

fn malformed(reason: &str) -> WebhookRefused {
    WebhookRefused::Malformed(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEPOSIT: &str = "site_cd=A52Q7&tno=26112000000001&order_no=ORDER1&tx_cd=TX00&tx_tm=20261120090000\
        &noti_id=N1&op_cd=13&ipgm_mnyx=9900&remitter=%C8%AB%B1%E6%B5%BF";
    const CANCEL: &str = "tx_cd=TX06&site_cd=A52Q7&tno=26112000000001&order_no=ORDER1&tx_tm=20261120090000";

    fn read_plain(body: &str) -> Result<Webhook, WebhookRefused> {
        read(&HeaderMap::new(), body.as_bytes(), "A52Q7")
    }

    #[test]
    fn a_notification_names_the_payment_to_ask_about() {
        let webhook = read_plain(DEPOSIT).unwrap();
        assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), ("N1:ORDER1:26112000000001", "TX00"));
        let Subject::Payment { order_id, payment_key } = webhook.subject else { panic!() };
        assert_eq!((order_id.as_str(), payment_key.as_deref()), ("ORDER1", Some("26112000000001")));
    }

    #[test]
    fn one_without_an_id_is_named_by_what_it_tells() {
        let [first, again] = [CANCEL, &format!("{CANCEL}&new=1")].map(|body| read_plain(body).unwrap().id);
        let other = read_plain(&CANCEL.replace("ORDER1", "ORDER2")).unwrap().id;
        assert_eq!((first.len(), &first), (64, &again));
        assert_ne!(first, other);
    }

    #[test]
    fn both_charsets_are_read_whatever_was_declared() {
        let euc_kr = "remitter=%C8%AB%B1%E6%B5%BF+%281%29";
        let utf_8 = "remitter=%ED%99%8D%EA%B8%B8%EB%8F%99+%281%29";
        let declared = "application/x-www-form-urlencoded;charset=EUC-KR";
        for (body, content_type) in [(euc_kr, None), (euc_kr, Some(declared)), (utf_8, None)] {
            let form = Form::read(body.as_bytes(), content_type);
            assert_eq!(form.get("remitter"), Some("홍길동 (1)"), "{content_type:?}");
        }
    }

    #[test]
    fn parcels_and_unknown_kinds_are_no_error() {
        for kind in ["TX02", "TX03", "TX99"] {
            let webhook = read_plain(&CANCEL.replace("TX06", kind)).unwrap();
            assert_eq!(webhook.kind, kind);
            assert!(matches!(webhook.subject, Subject::Other));
        }
    }

    #[test]
    fn garbage_and_other_shops_are_refused() {
        let other_shop = DEPOSIT.replace("A52Q7", "T0000");
        let nameless = CANCEL.replace("order_no", "x");
        let odd_order = CANCEL.replace("ORDER1", "../x");
        let [nul, spaced, korean] = ["N%001", "N+1", "%ED%99%8D"].map(|id| DEPOSIT.replace("N1", id));
        for body in [
            "",
            "{",
            "null",
            "[]",
            "<html></html>",
            "=",
            "&&",
            "tx_cd=TX06",
            "tx_cd=T%00X&site_cd=A52Q7",
            &other_shop,
            &nameless,
            &odd_order,
            &nul,
            &spaced,
            &korean,
            &"a=b&".repeat(LONGEST),
        ] {
            assert!(matches!(read_plain(body), Err(WebhookRefused::Malformed(_))), "{}", body.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&HeaderMap::new(), &body, "A52Q7").is_err());
        }

        #[test]
        fn a_damaged_notification_names_a_payment_that_could_be_one(
            at in any::<prop::sample::Index>(),
            bytes in prop::collection::vec(any::<u8>(), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = DEPOSIT.as_bytes().to_vec();
            let at = at.index(body.len());
            let end = (at + bytes.len()).min(body.len());
            body.splice(at..end, bytes);
            body.truncate(cut.index(body.len() + 1));
            if let Ok(Webhook { id, subject: Subject::Payment { order_id, payment_key }, .. }) =
                read(&HeaderMap::new(), &body, "A52Q7")
            {
                prop_assert!(!id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(mapping::is_order_no(&order_id));
                prop_assert!(payment_key.is_some_and(|tno| mapping::is_tno(&tno)));
            }
        }
    }
}
