//! Customers, one a row, with what their visits came to.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};

use super::{Contacts, Record};
use crate::sheet::{Cell, Column, SheetError};

/// A customer. Times are Korea's.
pub(crate) struct CustomerRow {
    pub id: i64,
    pub external_id: Option<String>,
    pub name: String,
    /// Sealed.
    pub phone: Option<String>,
    /// Sealed.
    pub email: Option<String>,
    pub birthday: Option<NaiveDate>,
    pub gender: Option<String>,
    pub tags: String,
    pub marketing_consent: bool,
    pub created_at: NaiveDateTime,
    /// Completed ones, of all time, as the next four.
    pub visits: i64,
    pub revenue: i64,
    pub first_visit: Option<NaiveDate>,
    pub last_visit: Option<NaiveDate>,
    pub no_shows: i64,
}

impl Record for CustomerRow {
    const NAME: &'static str = "고객목록";
    const COLUMNS: &'static [Column] = &[
        Column::new("고객번호", 11.0),
        Column::new("외부번호", 16.0),
        Column::new("고객명", 14.0),
        Column::new("연락처", 16.0),
        Column::new("이메일", 28.0),
        Column::new("생년월일", 12.0),
        Column::new("성별", 8.0),
        Column::new("태그", 20.0),
        Column::new("광고 수신", 11.0),
        Column::new("등록일시", 17.0),
        Column::new("방문 횟수", 11.0),
        Column::new("누적 매출", 15.0),
        Column::new("첫 방문일", 12.0),
        Column::new("최근 방문일", 13.0),
        Column::new("노쇼 횟수", 11.0),
    ];

    fn cells<'a>(&'a self, contacts: &Contacts, cells: &mut Vec<Cell<'a>>) -> Result<(), SheetError> {
        let phone = self.phone.as_ref().map(|sealed| contacts.phone(self.id, sealed)).transpose()?;
        let email = self.email.as_ref().map(|sealed| contacts.email(self.id, sealed)).transpose()?;
        let owned = |text: Option<String>| text.map_or(Cell::Empty, |text| Cell::Text(Cow::Owned(text)));
        cells.extend([
            Cell::Number(self.id),
            Cell::some_text(self.external_id.as_deref()),
            Cell::text(&self.name),
            owned(phone),
            owned(email),
            Cell::some_date(self.birthday),
            Cell::some_text(self.gender.as_deref().map(gender)),
            if self.tags.is_empty() { Cell::Empty } else { Cell::text(&self.tags) },
            Cell::text(if self.marketing_consent { "동의" } else { "미동의" }),
            Cell::Time(self.created_at),
            Cell::Number(self.visits),
            Cell::Won(self.revenue),
            Cell::some_date(self.first_visit),
            Cell::some_date(self.last_visit),
            Cell::Number(self.no_shows),
        ]);
        Ok(())
    }
}

fn gender(published: &str) -> &str {
    match published {
        "FEMALE" => "여성",
        "MALE" => "남성",
        "OTHER" => "기타",
        unknown => unknown,
    }
}
