//! What a running sandbox's providers can be made to do, as their windows, consoles and issuers would.

use serde_json::Value;

use super::{Sandbox, reachable};
use crate::{
    bootpay::{self, BootpayBillingAuth, BootpayNotice, BootpayPaymentAuth, BootpaySwitches},
    courier,
    kcp::{self, KcpNotice, KcpPaymentAuth, KcpSwitches},
    nhn::{NhnNotice, NhnSwitches},
    popbill::{self, IssuedInvoice, PopbillSwitches},
    portone::{self, PortOneBillingAuth, PortOneDelivery, PortOnePaymentAuth, PortOneSwitches},
    post::{self, Fate, Parcel},
    solapi::{SolapiNotice, SolapiSwitches},
    toss::{
        PaymentAuth, TossSwitches, TransferAuth, WebhookDelivery,
        desk::{self, BillingAuth, CardChange},
    },
};

/// Toss Payments.
impl Sandbox {
    /// What takes the place of `https://api.tosspayments.com`.
    pub fn toss_base_url(&self) -> String {
        format!("{}/toss", self.base_url())
    }

    /// A payer registers a card in the browser. Returns the `authKey`.
    pub fn billing_auth(&self, customer_key: &str, card_number: &str) -> anyhow::Result<String> {
        let request =
            BillingAuth { customer_key: customer_key.to_owned(), card_number: card_number.to_owned() };
        Ok(desk::billing_auth(&self.world, request)?)
    }

    /// A payer authenticates a one-off payment in the browser. Returns the `paymentKey`, to be
    /// confirmed within ten minutes.
    pub fn payment_auth(&self, payment: PaymentAuth) -> anyhow::Result<String> {
        Ok(desk::payment_auth(&self.world, payment)?)
    }

    /// A payer agrees in the browser to pay from an account. Returns the `paymentKey`, to be confirmed
    /// within ten minutes.
    pub fn transfer_auth(&self, payment: TransferAuth) -> anyhow::Result<String> {
        Ok(desk::transfer_auth(&self.world, payment)?)
    }

    /// Puts another card behind a billing key, such as one that is suspended.
    pub fn change_card_of_billing_key(&self, billing_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = CardChange {
            billing_key: Some(billing_key.to_owned()),
            customer_key: None,
            card_number: card_number.to_owned(),
        };
        desk::change_card(&self.world, &change)?;
        Ok(())
    }

    /// Puts another card behind all billing keys of a customer.
    pub fn change_card_of_customer(&self, customer_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = CardChange {
            billing_key: None,
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
        };
        desk::change_card(&self.world, &change)?;
        Ok(())
    }

    pub fn toss_switches(&self) -> TossSwitches {
        self.world.toss.switches()
    }

    pub fn set_toss_switches(&self, switches: TossSwitches) {
        self.world.toss.set_switches(switches);
    }

    /// Where Toss's webhooks go. While there is no address, they are given up.
    pub fn set_toss_webhook_url(&self, url: Option<String>) {
        courier::set_url::<WebhookDelivery>(&self.world, url);
    }

    /// Every webhook and the attempts to deliver it, oldest first.
    pub fn webhooks(&self) -> Vec<WebhookDelivery> {
        self.world.store().toss.deliveries().cloned().collect()
    }

    /// Delivers a webhook once more, now.
    pub async fn redeliver_webhook(&self, transmission_id: &str) -> anyhow::Result<WebhookDelivery> {
        Ok(desk::redeliver(&self.world, transmission_id).await?)
    }
}

/// PortOne V2.
impl Sandbox {
    /// What takes the place of `https://api.portone.io`.
    pub fn portone_base_url(&self) -> String {
        format!("{}/portone", self.base_url())
    }

    /// A payer registers a card in PortOne's window. Returns what `requestIssueBillingKey` does.
    pub fn portone_billing_auth(&self, request: PortOneBillingAuth) -> anyhow::Result<Value> {
        Ok(portone::desk::billing_auth(&self.world, request)?)
    }

    /// A payer pays in PortOne's window. Returns what `requestPayment` does.
    pub fn portone_payment_auth(&self, request: PortOnePaymentAuth) -> anyhow::Result<Value> {
        Ok(portone::desk::payment_auth(&self.world, request)?)
    }

    pub fn portone_switches(&self) -> PortOneSwitches {
        self.world.portone.switches()
    }

    pub fn set_portone_switches(&self, switches: PortOneSwitches) {
        self.world.portone.set_switches(switches);
    }

    /// Where PortOne's webhooks go. Until there is an address they wait.
    pub fn set_portone_webhook_url(&self, url: Option<String>) {
        courier::set_url::<PortOneDelivery>(&self.world, url);
    }

    /// Every webhook of PortOne and the attempts to deliver it, oldest first.
    pub fn portone_webhooks(&self) -> Vec<PortOneDelivery> {
        self.world.store().portone.deliveries().cloned().collect()
    }
}

/// NHN KCP.
impl Sandbox {
    /// What takes the place of KCP's hosts.
    pub fn kcp_base_url(&self) -> String {
        format!("{}/kcp", self.base_url())
    }

    /// A payer registers a card in KCP's window. Returns what the window handed over, as one form.
    pub fn kcp_billing_auth(&self, customer_key: &str, card_number: &str) -> anyhow::Result<String> {
        let request = kcp::desk::BillingAuth {
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
            site_cd: None,
            group_id: None,
        };
        Ok(kcp::desk::billing_auth(&self.world, request)?.form)
    }

    /// Puts another card behind all batch keys of a customer.
    pub fn change_card_of_kcp_customer(&self, customer_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = kcp::desk::CardChange {
            batch_key: None,
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
        };
        kcp::desk::change_card(&self.world, &change)?;
        Ok(())
    }

    /// A payer authenticates a one-off payment in KCP's window. Returns what the window handed over,
    /// as one form; nothing is paid by that.
    pub fn kcp_payment_auth(&self, payment: KcpPaymentAuth) -> anyhow::Result<String> {
        Ok(kcp::desk::payment_auth(&self.world, payment)?.form)
    }

    pub fn kcp_switches(&self) -> KcpSwitches {
        self.world.kcp.switches()
    }

    pub fn set_kcp_switches(&self, switches: KcpSwitches) {
        self.world.kcp.set_switches(switches);
    }

    /// Where KCP's notifications go. Until it is set they wait.
    pub fn set_kcp_webhook_url(&self, url: Option<String>) {
        courier::set_url::<KcpNotice>(&self.world, url);
    }

    /// Every notification of KCP and the attempts to deliver it, oldest first.
    pub fn kcp_notices(&self) -> Vec<KcpNotice> {
        self.world.store().kcp.notices().cloned().collect()
    }
}

/// Bootpay.
impl Sandbox {
    /// What takes the place of `https://api.bootpay.co.kr/v2`.
    pub fn bootpay_base_url(&self) -> String {
        format!("{}/bootpay/v2", self.base_url())
    }

    /// A payer registers a card in Bootpay's window. Returns the `receipt_id` that its event brings.
    pub fn bootpay_billing_auth(&self, request: BootpayBillingAuth) -> anyhow::Result<String> {
        Ok(bootpay::desk::billing_auth(&self.world, request)?)
    }

    /// A payer authenticates a one-off payment in Bootpay's window. Returns the `receipt_id`; nothing
    /// is paid by that.
    pub fn bootpay_payment_auth(&self, request: BootpayPaymentAuth) -> anyhow::Result<String> {
        Ok(bootpay::desk::payment_auth(&self.world, request)?)
    }

    pub fn bootpay_switches(&self) -> BootpaySwitches {
        self.world.bootpay.switches()
    }

    pub fn set_bootpay_switches(&self, switches: BootpaySwitches) {
        self.world.bootpay.set_switches(switches);
    }

    /// Where Bootpay's webhooks go. Until it is set they wait.
    pub fn set_bootpay_webhook_url(&self, url: Option<String>) {
        courier::set_url::<BootpayNotice>(&self.world, url);
    }

    /// Every webhook of Bootpay and the attempts to deliver it, oldest first.
    pub fn bootpay_notices(&self) -> Vec<BootpayNotice> {
        self.world.store().bootpay.notices().cloned().collect()
    }
}

/// Popbill, with LinkHub.
impl Sandbox {
    /// What takes the place of `https://popbill.linkhub.co.kr`.
    pub fn popbill_base_url(&self) -> String {
        format!("{}/popbill", self.base_url())
    }

    /// What takes the place of `https://auth.linkhub.co.kr`.
    pub fn linkhub_base_url(&self) -> String {
        format!("{}/linkhub", self.base_url())
    }

    /// Every tax invoice that Popbill holds, oldest first.
    pub fn tax_invoices(&self) -> Vec<IssuedInvoice> {
        popbill::desk::invoices(&self.world, &popbill::desk::InvoiceFilter::default())
    }

    pub fn set_popbill_switches(&self, switches: PopbillSwitches) {
        self.world.popbill.set_switches(switches);
    }
}

/// What people were sent.
impl Sandbox {
    /// Where mail is handed over.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", reachable(self.smtp_addr))
    }

    /// Everything that was posted, oldest first.
    pub fn inbox(&self) -> Vec<Parcel> {
        self.world.store().post.parcels().iter().map(|parcel| Parcel::clone(parcel)).collect()
    }

    /// What becomes from now on of what is sent to a number (digits alone) or an address.
    pub fn set_fate(&self, to: &str, fate: Fate) -> anyhow::Result<()> {
        Ok(post::desk::set_fate(&self.world, &post::FateOf { to: to.to_owned(), fate })?)
    }
}

/// Solapi.
impl Sandbox {
    /// What takes the place of `https://api.solapi.com`.
    pub fn solapi_base_url(&self) -> String {
        format!("{}/solapi", self.base_url())
    }

    pub fn solapi_switches(&self) -> SolapiSwitches {
        self.world.solapi.switches()
    }

    pub fn set_solapi_switches(&self, switches: SolapiSwitches) {
        self.world.solapi.set_switches(switches);
    }

    /// Where Solapi's webhooks go. Until it is set they wait.
    pub fn set_solapi_webhook_url(&self, url: Option<String>) {
        courier::set_url::<SolapiNotice>(&self.world, url);
    }

    /// Every webhook of Solapi and the attempts to deliver it.
    pub fn solapi_notices(&self) -> Vec<SolapiNotice> {
        self.world.store().solapi.notices().cloned().collect()
    }
}

/// NHN Cloud.
impl Sandbox {
    pub fn nhn_switches(&self) -> NhnSwitches {
        self.world.nhn.switches()
    }

    pub fn set_nhn_switches(&self, switches: NhnSwitches) {
        self.world.nhn.set_switches(switches);
    }

    /// Where NHN Cloud's webhooks go. Until it is set they wait.
    pub fn set_nhn_webhook_url(&self, url: Option<String>) {
        courier::set_url::<NhnNotice>(&self.world, url);
    }

    /// Every webhook of NHN Cloud and the attempts to deliver it.
    pub fn nhn_notices(&self) -> Vec<NhnNotice> {
        self.world.store().nhn.notices().cloned().collect()
    }
}
