//! How somebody is reached: telephone numbers and e-mail addresses, written one way so that equal ones are found.

use std::fmt;

use platform::contact;
use secrecy::{ExposeSecret, SecretString};

/// A telephone number: digits alone as one dials it in Korea, or `+` and digits for one abroad.
#[derive(Clone)]
pub(crate) struct Phone(SecretString);

impl Phone {
    /// `None` for what nobody could call.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        contact::phone(text).map(|number| Self(number.into()))
    }

    /// As it was stored.
    pub(crate) fn stored(number: SecretString) -> Self {
        Self(number)
    }

    pub(crate) fn number(&self) -> &SecretString {
        &self.0
    }

    /// As people read it: `010-1234-5678`.
    pub(crate) fn shown(&self) -> String {
        contact::phone_in_full(self.0.expose_secret())
    }

    /// For who need not call: `010-****-5678`.
    pub(crate) fn masked(&self) -> String {
        contact::masked_phone(self.0.expose_secret())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone")
    }
}

/// An e-mail address in lower case.
#[derive(Clone)]
pub(crate) struct Email(SecretString);

impl Email {
    /// `None` for what is certainly no address. Whether it is one, only a mail can tell.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        contact::email(text).map(|address| Self(address.into()))
    }

    /// As it was stored.
    pub(crate) fn stored(address: SecretString) -> Self {
        Self(address)
    }

    pub(crate) fn address(&self) -> &SecretString {
        &self.0
    }

    pub(crate) fn shown(&self) -> String {
        self.0.expose_secret().to_owned()
    }

    /// `k***@misohair.com`
    pub(crate) fn masked(&self) -> String {
        contact::masked_email(self.0.expose_secret())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<String> {
        Phone::parse(text).map(|phone| phone.number().expose_secret().to_owned())
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for text in [
            "010-1234-5678",
            "01012345678",
            " 010 1234 5678 ",
            "+82 10-1234-5678",
            "+82-010-1234-5678",
            "008210.1234.5678",
        ] {
            assert_eq!(phone(text).as_deref(), Some("01012345678"), "{text}");
        }
        for text in ["02-312-3456", "031-123-4567", "0504-1234-5678", "1588-1234", "+1 415-555-0100"] {
            assert!(phone(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_nobody_could_call_is_refused() {
        for text in [
            "",
            "없음",
            "010",
            "010-0000-0000",
            "000-0000-0000",
            "12345678",
            "0101234567890",
            "+",
            "+820",
            "010-1234-567a",
            "０１０１２３４５６７８",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn who_need_not_call_sees_the_last_four_digits() {
        for (text, shown, masked) in [
            ("01012345678", "010-1234-5678", "010-****-5678"),
            ("0111234567", "011-123-4567", "011-***-4567"),
            ("023123456", "02-312-3456", "02-***-3456"),
            ("050412345678", "0504-1234-5678", "0504-****-5678"),
            ("15881234", "1588-1234", "****-1234"),
            ("+14155550100", "+14-15555-0100", "+14-*****-0100"),
        ] {
            let phone = Phone::parse(text).unwrap();
            assert_eq!((phone.shown(), phone.masked()), (shown.to_owned(), masked.to_owned()));
            assert_eq!(format!("{phone:?}"), "Phone");
        }
    }

    #[test]
    fn an_address_is_the_same_in_capitals() {
        let email = Email::parse(" Kim.Minseo@MisoHair.com ").unwrap();
        assert_eq!(email.shown(), "kim.minseo@misohair.com");
        assert_eq!(email.masked(), "k***@misohair.com");
        assert_eq!(format!("{email:?}"), "Email");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "kim",
            "kim@",
            "@misohair.com",
            "kim@misohair",
            "kim@@misohair.com",
            "k im@misohair.com",
            "kim@-a.com",
            "kim@a..com",
            "kim@misohair.com, lee@misohair.com",
            "김 <kim@misohair.com>",
        ] {
            assert!(Email::parse(text).is_none(), "{text}");
        }
    }
}
