//! What the law says about tax invoices, as pure functions of dates and amounts.
//!
//! Sources: the Value-Added Tax Act (부가가치세법, "Act") and its Enforcement Decree ("Decree") as of
//! June 2026. This is how we read them, not tax advice; where a reading is ours, the comment says so.

pub mod refund;
pub mod vat;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc, Weekday};
use kernel::korean_day;

/// The day of the month after the supply by which an invoice must be issued (Act 34(3)).
const DAY_OF_ISSUE: u32 = 10;

/// The 작성일자 of a supply that is paid in advance: the Korean day of the payment.
///
/// Act 17(1): an invoice issued before the supply, for what was received, fixes the time of supply to
/// its own date. A monthly subscription charged ahead is such a one (our reading).
pub fn write_date_of_payment(paid_at: DateTime<Utc>) -> NaiveDate {
    korean_day(paid_at)
}

/// The 작성일자 of one invoice that sums up a month: its last day (Act 34(3)1).
pub fn write_date_of_month(any_day: NaiveDate) -> NaiveDate {
    start_of_next_month(any_day).pred_opt().unwrap_or(NaiveDate::MAX)
}

/// The last day on which an invoice dated `write_date` is in time: the 10th of the following month, or
/// the next business day (Act 34(3)). For modified invoices that follow a cause, too (Decree 70(1)).
///
/// `is_holiday` knows the public holidays and their substitutes; weekends are known here. A calendar
/// with holes gives a day too early, which does no harm.
pub fn issue_by(write_date: NaiveDate, is_holiday: impl Fn(NaiveDate) -> bool) -> NaiveDate {
    let tenth = start_of_next_month(write_date).with_day(DAY_OF_ISSUE).unwrap_or(NaiveDate::MAX);
    business_day_from(tenth, is_holiday)
}

/// Whether an invoice issued on `today` is late: a surcharge of 1 % of the supply for the seller (Act 60).
pub fn is_late(write_date: NaiveDate, today: NaiveDate, is_holiday: impl Fn(NaiveDate) -> bool) -> bool {
    today > issue_by(write_date, is_holiday)
}

/// The day by which an issued invoice has to be with the tax service: the day after issue (Decree 68(7)).
/// Popbill sees to it; an invoice that is still not SENT a business day later deserves a look.
pub fn transmit_by(issued_on: NaiveDate) -> NaiveDate {
    issued_on.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// The first business day on or after `day`.
pub fn business_day_from(day: NaiveDate, is_holiday: impl Fn(NaiveDate) -> bool) -> NaiveDate {
    let is_open =
        |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !is_holiday(*day);
    day.iter_days().find(is_open).unwrap_or(NaiveDate::MAX)
}

fn start_of_next_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

/// How a supply was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaidBy {
    /// Card or a wallet in front of one, through a payment gateway or not.
    Card,
    /// Bank transfer, also to a virtual account.
    Transfer,
}

/// The one tax document of a payment. A second kind beside it is forbidden, so keep one of these under
/// a unique constraint per payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaxDocument {
    /// 신용카드매출전표: the gateway's receipt. The buyer deducts its VAT from it (Act 46(3)).
    CardSlip,
    /// 세금계산서
    TaxInvoice,
    /// 현금영수증
    CashReceipt,
}

/// Which document a payment may have besides the buyer's wish.
///
/// Who issued a card slip must not issue a tax invoice for the same supply (Act 33(2), Decree 71(2)).
/// A buyer who paid by transfer chooses; without a business number there is nothing to address a tax
/// invoice to.
pub fn document_of(paid_by: PaidBy, wants_tax_invoice: WantsTaxInvoice) -> TaxDocument {
    match (paid_by, wants_tax_invoice) {
        (PaidBy::Card, _) => TaxDocument::CardSlip,
        (PaidBy::Transfer, WantsTaxInvoice::Yes) => TaxDocument::TaxInvoice,
        (PaidBy::Transfer, WantsTaxInvoice::No) => TaxDocument::CashReceipt,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WantsTaxInvoice {
    /// And told us a business number.
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn never(_: NaiveDate) -> bool {
        false
    }

    #[test]
    fn an_invoice_is_due_on_the_tenth_of_the_following_month() {
        for (write_date, due) in [
            ("2026-02-14", "2026-03-10"),
            ("2026-01-31", "2026-02-10"),
            ("2026-12-01", "2027-01-11"), // The 10th is a Sunday.
            ("2026-09-30", "2026-10-12"), // A Saturday.
        ] {
            assert_eq!(issue_by(day(write_date), never), day(due), "{write_date}");
        }
    }

    #[test]
    fn a_holiday_on_the_tenth_gives_one_more_day() {
        // Chuseok of 2041 falls on 10 September, a Tuesday, with a holiday on either side.
        let chuseok = |date: NaiveDate| (day("2041-09-09")..=day("2041-09-11")).contains(&date);
        assert_eq!(issue_by(day("2041-08-20"), chuseok), day("2041-09-12"));
        assert!(!is_late(day("2041-08-20"), day("2041-09-12"), chuseok));
        assert!(is_late(day("2041-08-20"), day("2041-09-13"), chuseok));
    }

    #[test]
    fn the_write_date_of_a_payment_is_its_day_in_korea() {
        let half_past_eleven_utc = "2026-01-31T23:30:00Z".parse().unwrap();
        assert_eq!(write_date_of_payment(half_past_eleven_utc), day("2026-02-01"));
    }

    #[test]
    fn a_month_is_dated_its_last_day() {
        assert_eq!(write_date_of_month(day("2028-02-03")), day("2028-02-29"));
        assert_eq!(write_date_of_month(day("2026-12-31")), day("2026-12-31"));
    }

    #[test]
    fn transmission_is_due_the_day_after_issue() {
        assert_eq!(transmit_by(day("2026-02-28")), day("2026-03-01"));
    }

    #[test]
    fn a_card_never_gets_a_tax_invoice() {
        assert_eq!(document_of(PaidBy::Card, WantsTaxInvoice::Yes), TaxDocument::CardSlip);
        assert_eq!(document_of(PaidBy::Transfer, WantsTaxInvoice::Yes), TaxDocument::TaxInvoice);
        assert_eq!(document_of(PaidBy::Transfer, WantsTaxInvoice::No), TaxDocument::CashReceipt);
    }

    #[test]
    fn the_end_of_time_is_survived() {
        let _ = issue_by(NaiveDate::MAX, never);
        let _ = write_date_of_month(NaiveDate::MAX);
        let _ = transmit_by(NaiveDate::MAX);
        assert_eq!(business_day_from(day("2026-01-01"), |_| true), NaiveDate::MAX);
    }

    proptest! {
        #[test]
        fn the_due_day_is_a_business_day_after_the_tenth(days in 0..20_000_u64) {
            let write_date = day("2000-01-01") + Days::new(days);
            let due = issue_by(write_date, never);
            prop_assert!(!matches!(due.weekday(), Weekday::Sat | Weekday::Sun));
            prop_assert!((10..=12).contains(&due.day()));
            let months = (due.year() * 12 + due.month0().cast_signed())
                - (write_date.year() * 12 + write_date.month0().cast_signed());
            prop_assert_eq!(months, 1);
        }
    }
}
