//! Who sells, and who files the tax invoices about it.

use std::{fmt, sync::Arc};

use anyhow::bail;
use billing::{CardSlipPolicy, NumberCheck, TaxInvoicing};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use tax_invoice::{
    BusinessNumber, Contact, Party,
    popbill::{Environment, Popbill, PopbillConfig},
};

use super::secret;

/// The variables about papers. Tax invoices are optional: with none of Popbill's, none are issued.
#[derive(Args, Clone, Debug)]
pub struct PapersConfig {
    /// Popbill: the partner's id. Without it no tax invoices are issued.
    #[arg(long, env = "POPBILL_LINK_ID", global = true)]
    pub popbill_link_id: Option<String>,

    /// Popbill: the partner's secret key, base64.
    #[arg(long, env = "POPBILL_SECRET_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub popbill_secret_key: Option<SecretString>,

    /// Popbill: the member that issues, by its business number; the seller's unless given, and the same.
    #[arg(long, env = "POPBILL_CORP_NUM", global = true)]
    pub popbill_corp_num: Option<BusinessNumber>,

    #[arg(
        long,
        env = "POPBILL_API_BASE_URL",
        default_value = "https://popbill.linkhub.co.kr",
        global = true
    )]
    pub popbill_api_base_url: String,

    /// Where Popbill's tokens come from.
    #[arg(long, env = "POPBILL_AUTH_BASE_URL", default_value = "https://auth.linkhub.co.kr", global = true)]
    pub popbill_auth_base_url: String,

    /// The seller on receipts and tax invoices, the operator of the platform: its business number.
    #[arg(long, env = "DANGOL_SELLER_BUSINESS_NUMBER", global = true)]
    pub seller_business_number: Option<BusinessNumber>,

    /// The seller's name (상호).
    #[arg(long, env = "DANGOL_SELLER_COMPANY", global = true)]
    pub seller_company: Option<String>,

    /// The seller's representative (대표자).
    #[arg(long, env = "DANGOL_SELLER_OWNER", global = true)]
    pub seller_owner: Option<String>,

    #[arg(long, env = "DANGOL_SELLER_ADDRESS", default_value = "", global = true)]
    pub seller_address: String,

    /// 업태 on the seller's registration.
    #[arg(long, env = "DANGOL_SELLER_BUSINESS_TYPE", default_value = "", global = true)]
    pub seller_business_type: String,

    /// 종목 on the seller's registration.
    #[arg(long, env = "DANGOL_SELLER_BUSINESS_ITEM", default_value = "", global = true)]
    pub seller_business_item: String,

    /// Whom the buyer may write to about a tax invoice.
    #[arg(long, env = "DANGOL_SELLER_EMAIL", default_value = "", global = true)]
    pub seller_email: String,

    /// A tax invoice for a payment that has a card slip: ALLOW, WARN or REFUSE. See docs/papers.md.
    #[arg(long, env = "DANGOL_TAX_INVOICE_CARD_SLIP", default_value = "WARN", value_parser = card_slip, global = true)]
    pub tax_invoice_card_slip: CardSlipPolicy,

    /// How a buyer's business number is checked: FORMAT, or CHECKSUM as well. CHECKSUM in production, and
    /// FORMAT in development, whose examples name nobody.
    #[arg(long, env = "DANGOL_BUSINESS_NUMBER_CHECK", value_parser = number_check, global = true)]
    pub business_number_check: Option<NumberCheck>,
}

/// Papers as this process makes them.
#[derive(Clone)]
pub struct Papers {
    pub seller: Option<Party>,
    pub tax_invoicing: Option<TaxInvoicing>,
}

/// The partner and the seller of a development system, as the sandbox's Popbill knows them.
mod development {
    pub(super) const LINK_ID: &str = "DANGOL";
    pub(super) const SECRET_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    /// Valid in form; nobody has it.
    pub(super) const SELLER: &str = "111-11-11119";
}

fn card_slip(text: &str) -> Result<CardSlipPolicy, String> {
    match text {
        "ALLOW" => Ok(CardSlipPolicy::Allow),
        "WARN" => Ok(CardSlipPolicy::Warn),
        "REFUSE" => Ok(CardSlipPolicy::Refuse),
        _ => Err("expected ALLOW, WARN or REFUSE".to_owned()),
    }
}

fn number_check(text: &str) -> Result<NumberCheck, String> {
    match text {
        "FORMAT" => Ok(NumberCheck::Format),
        "CHECKSUM" => Ok(NumberCheck::Checksum),
        _ => Err("expected FORMAT or CHECKSUM".to_owned()),
    }
}

impl PapersConfig {
    /// Of a development system: the sandbox files the tax invoices.
    pub fn speak_with(&mut self, sandbox_url: &str) {
        self.popbill_api_base_url = format!("{sandbox_url}/popbill");
        self.popbill_auth_base_url = format!("{sandbox_url}/linkhub");
    }

    /// As configured. Adds to `complaints` what is missing or must not be used.
    pub(super) fn production(&self, complaints: &mut Vec<String>) -> Option<Papers> {
        let seller = self.seller(complaints);
        let secret_key = self.popbill_secret_key.as_ref();
        let tax_invoicing = match (&self.popbill_link_id, secret_key) {
            (None, None) => None,
            (Some(_), None) => {
                return complain(complaints, "POPBILL_SECRET_KEY is not set, and POPBILL_LINK_ID is");
            }
            (None, Some(_)) => {
                return complain(complaints, "POPBILL_LINK_ID is not set, and POPBILL_SECRET_KEY is");
            }
            (Some(_), Some(key)) if key.expose_secret() == development::SECRET_KEY => {
                return complain(
                    complaints,
                    "POPBILL_SECRET_KEY is the development secret, which everybody knows",
                );
            }
            (Some(link_id), Some(key)) => {
                let Some(seller) = seller.clone() else {
                    return complain(
                        complaints,
                        "tax invoices need DANGOL_SELLER_BUSINESS_NUMBER, DANGOL_SELLER_COMPANY and DANGOL_SELLER_OWNER",
                    );
                };
                if self.popbill_corp_num.is_some_and(|number| number != seller.number) {
                    return complain(complaints, "POPBILL_CORP_NUM is another business than the seller");
                }
                match self.tax_invoicing(link_id, key, seller, NumberCheck::Checksum) {
                    Ok(tax_invoicing) => Some(tax_invoicing),
                    Err(error) => return complain(complaints, &format!("Popbill: {error}")),
                }
            }
        };
        Some(Papers { seller, tax_invoicing })
    }

    /// What is configured, and the sandbox's partner and an invented seller for the rest.
    pub(super) fn development(&self) -> anyhow::Result<Papers> {
        let mut complaints = Vec::new();
        let configured = self.seller(&mut complaints);
        if !complaints.is_empty() {
            bail!("{}", complaints.join("; "));
        }
        let seller = match configured {
            Some(seller) => seller,
            None => invented_seller(development::SELLER.parse()?),
        };
        let link_id = self.popbill_link_id.as_deref().unwrap_or(development::LINK_ID);
        let key = self.popbill_secret_key.clone().unwrap_or_else(|| development::SECRET_KEY.into());
        let tax_invoicing = self.tax_invoicing(link_id, &key, seller.clone(), NumberCheck::Format)?;
        Ok(Papers { seller: Some(seller), tax_invoicing: Some(tax_invoicing) })
    }

    fn seller(&self, complaints: &mut Vec<String>) -> Option<Party> {
        match (self.seller_business_number, &self.seller_company, &self.seller_owner) {
            (None, None, None) => None,
            (Some(number), Some(company), Some(owner)) => {
                if !number.has_valid_checksum() {
                    complaints.push("DANGOL_SELLER_BUSINESS_NUMBER has a wrong last digit".to_owned());
                }
                Some(Party {
                    number,
                    place: None,
                    name: company.clone(),
                    representative: owner.clone().into(),
                    address: self.seller_address.clone().into(),
                    business_type: self.seller_business_type.clone(),
                    business_item: self.seller_business_item.clone(),
                    contact: Contact { email: self.seller_email.clone().into(), ..Contact::default() },
                })
            }
            _ => complain(
                complaints,
                "the seller is DANGOL_SELLER_BUSINESS_NUMBER, DANGOL_SELLER_COMPANY and DANGOL_SELLER_OWNER: all of them, or none",
            ),
        }
    }

    fn tax_invoicing(
        &self,
        link_id: &str,
        secret_key: &SecretString,
        seller: Party,
        number_check: NumberCheck,
    ) -> anyhow::Result<TaxInvoicing> {
        // Popbill's test world has a host of its own.
        let environment = if self.popbill_api_base_url.contains("popbill-test.") {
            Environment::Test
        } else {
            Environment::Production
        };
        let mut config = PopbillConfig::new(environment, link_id, secret_key.clone(), seller.number);
        config.api_base_url.clone_from(&self.popbill_api_base_url);
        config.auth_base_url.clone_from(&self.popbill_auth_base_url);
        Ok(TaxInvoicing {
            issuer: Arc::new(Popbill::new(config)?),
            seller,
            card_slip: self.tax_invoice_card_slip,
            number_check: self.business_number_check.unwrap_or(number_check),
        })
    }
}

impl fmt::Display for PapersConfig {
    /// One variable a line; of secrets and of people, only whether they are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |is_set: bool| if is_set { "(set)" } else { "(not set)" };
        let link_id = self.popbill_link_id.as_deref().unwrap_or("(not set: no tax invoices are issued)");
        let card_slip = match self.tax_invoice_card_slip {
            CardSlipPolicy::Allow => "ALLOW",
            CardSlipPolicy::Warn => "WARN",
            CardSlipPolicy::Refuse => "REFUSE",
        };
        let number_check = match self.business_number_check {
            None => "CHECKSUM in production, FORMAT in development",
            Some(NumberCheck::Checksum) => "CHECKSUM",
            Some(NumberCheck::Format) => "FORMAT",
        };
        writeln!(f, "POPBILL_LINK_ID              {link_id}")?;
        writeln!(f, "POPBILL_SECRET_KEY           {}", set(self.popbill_secret_key.is_some()))?;
        writeln!(f, "POPBILL_API_BASE_URL         {}", self.popbill_api_base_url)?;
        writeln!(f, "POPBILL_AUTH_BASE_URL        {}", self.popbill_auth_base_url)?;
        writeln!(f, "DANGOL_SELLER_*              {}", set(self.seller_business_number.is_some()))?;
        writeln!(f, "DANGOL_TAX_INVOICE_CARD_SLIP {card_slip}")?;
        write!(f, "DANGOL_BUSINESS_NUMBER_CHECK {number_check}")
    }
}

fn complain<T>(complaints: &mut Vec<String>, complaint: &str) -> Option<T> {
    complaints.push(complaint.to_owned());
    None
}

fn invented_seller(number: BusinessNumber) -> Party {
    Party {
        number,
        place: None,
        name: "주식회사 단골".to_owned(),
        representative: "이단골".to_owned().into(),
        address: "서울특별시 마포구 월드컵로 1".to_owned().into(),
        business_type: "정보통신업".to_owned(),
        business_item: "소프트웨어 개발 및 공급".to_owned(),
        contact: Contact { email: "billing@dangol.example".to_owned().into(), ..Contact::default() },
    }
}
