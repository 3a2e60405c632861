//! What the log may know.

use std::{
    io,
    sync::{Arc, Mutex},
};

use sandbox::{Fault, FaultKind, Operation};
use tax_invoice::{Draft, TaxInvoice, TaxInvoiceIssuer as _};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    invoices::draft,
    rig::{Rig, SECRET_KEY, document_key},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const PERSONAL: [&str; 5] = ["김단골", "월드컵로", "이담당", "billing@shop.example", "02-000-0000"];

fn with_a_contact(draft: Draft) -> TaxInvoice {
    let mut draft = draft;
    draft.buyer.contact.name = "이담당".to_owned().into();
    draft.buyer.contact.email = "billing@shop.example".to_owned().into();
    draft.buyer.contact.phone = "02-000-0000".to_owned().into();
    TaxInvoice::new(draft).unwrap()
}

#[tokio::test]
async fn the_log_knows_document_keys_and_neither_people_nor_tokens() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let rig = Rig::start().await;
    // A place that another test logged from for the first time in this very moment does not know that somebody listens.
    tracing::callsite::rebuild_interest_cache();
    let invoice = with_a_contact(draft("INV-1", rig.today()));
    let _ = rig.popbill.issue(&invoice).await;
    let _ = rig.popbill.issue(&invoice).await;
    for fault in [FaultKind::DropResponse, FaultKind::Truncated, FaultKind::Refuse] {
        rig.breaks(Fault::new(fault.clone()).on(Operation::Issue));
        let _ = rig.popbill.issue(&with_a_contact(draft("INV-2", rig.today()))).await;
        rig.breaks(Fault::new(fault).on(Operation::Lookup));
        let _ = rig.popbill.find(&document_key("INV-2")).await;
        tracing::callsite::rebuild_interest_cache();
    }
    let forger = rig.with(|config| config.secret_key = "b3RoZXIta2V5".to_owned().into());
    let _ = forger.issue(&invoice).await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for known in ["INV-1", "INV-2", "popbill accepted", "popbill refused"] {
        assert!(text.contains(known), "{known}\n{text}");
    }
    for secret in PERSONAL.into_iter().chain(["Bearer", "LINKHUB", SECRET_KEY, "session_token"]) {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}
