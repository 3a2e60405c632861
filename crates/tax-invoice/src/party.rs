//! Seller and buyer.

use secrecy::SecretString;

use crate::BusinessNumber;

/// One side of the invoice, as its business registration certificate names it.
///
/// The registration number and the name are required by law (Value-Added Tax Act 32(1)), of the buyer
/// the number alone; the rest may be empty.
#[derive(Clone, Debug)]
pub struct Party {
    /// 등록번호
    pub number: BusinessNumber,
    /// 종사업장번호: four digits of one place of a business that has several.
    pub place: Option<String>,
    /// 상호
    pub name: String,
    /// 성명: the representative.
    pub representative: SecretString,
    /// 사업장 주소
    pub address: SecretString,
    /// 업태, such as 서비스업.
    pub business_type: String,
    /// 종목, such as 소프트웨어 개발.
    pub business_item: String,
    pub contact: Contact,
}

/// The person who deals with invoices on one side. The issuer mails the invoice to the buyer's address:
/// in Popbill's test environment too, so never put a real one there.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    pub name: SecretString,
    pub email: SecretString,
    pub phone: SecretString,
}
