//! What the payment window handed to the browser, and the browser to us: opaque, passed on unchanged.

use secrecy::SecretString;

/// Windows return some kilobytes.
const LONGEST: usize = 16 * 1024;

/// `tran_cd=..&enc_data=..&enc_info=..` and, optionally, `ordr_idxx` and `card_mask_no`.
pub(super) struct WindowData {
    pub(super) tran_cd: String,
    pub(super) enc_data: SecretString,
    pub(super) enc_info: SecretString,
    /// The order that the window was opened for. From the browser: good for refusing, not for believing.
    pub(super) order_no: Option<String>,
    /// Shown, and nothing follows from it.
    pub(super) card_mask_no: Option<String>,
}

impl WindowData {
    /// `None` if there is nothing in it that KCP could read.
    ///
    /// Text that is no form is taken for `enc_data` itself: only KCP can judge it.
    pub(super) fn read(form: &str) -> Option<Self> {
        if form.is_empty() || form.len() > LONGEST {
            return None;
        }
        let mut data = Self {
            tran_cd: String::new(),
            enc_data: SecretString::default(),
            enc_info: SecretString::default(),
            order_no: None,
            card_mask_no: None,
        };
        if !form.contains(['=', '&']) {
            data.enc_data = form.to_owned().into();
            return Some(data);
        }
        let mut has_data = false;
        for (name, value) in form_urlencoded::parse(form.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            let value = value.into_owned();
            match name.as_ref() {
                "tran_cd" => data.tran_cd = value,
                "enc_data" => (data.enc_data, has_data) = (value.into(), true),
                "enc_info" => data.enc_info = value.into(),
                "ordr_idxx" => data.order_no = Some(value),
                "card_mask_no" => data.card_mask_no = Some(value),
                _ => {}
            }
        }
        has_data.then_some(data)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn base64_comes_through_a_form_unharmed() {
        let data =
            WindowData::read("tran_cd=00100000&enc_data=a%2Bb%2F%3D%3D&enc_info=x&ordr_idxx=ORDER1&new=1");
        let data = data.unwrap();
        assert_eq!(data.enc_data.expose_secret(), "a+b/==");
        assert_eq!((data.tran_cd.as_str(), data.order_no.as_deref()), ("00100000", Some("ORDER1")));
        assert_eq!(data.card_mask_no, None);
    }

    #[test]
    fn a_bare_value_is_the_data_itself_and_a_form_without_data_is_nothing() {
        assert_eq!(WindowData::read("test_auth_1").unwrap().enc_data.expose_secret(), "test_auth_1");
        for nothing in ["", "tran_cd=1", "enc_data=&enc_info=x", "=", "&&", &"a".repeat(16 * 1024 + 1)] {
            assert!(WindowData::read(nothing).is_none(), "{}", nothing.len());
        }
    }
}
