//! Lists that are read page by page.

use std::{fmt::Display, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Problem;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// How a list is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

impl PageQuery {
    pub fn limit(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => Err(Problem::bad_request("INVALID_PARAMETER", "limit은 1에서 100 사이여야 합니다.")),
        }
    }

    /// The entry that the page before ended with.
    pub fn after<K: FromStr>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_deref().map(Cursor::read).transpose()
    }
}

/// Opaque to clients: the key of the last entry they have seen.
pub struct Cursor;

impl Cursor {
    fn write(key: &impl Display) -> String {
        URL_SAFE_NO_PAD.encode(key.to_string())
    }

    fn read<K: FromStr>(text: &str) -> Result<K, Problem> {
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|key| key.parse().ok())
            .ok_or_else(|| Problem::bad_request("INVALID_CURSOR", "cursor가 올바르지 않습니다."))
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Ask for this next; null on the last page.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// Makes a page of `limit` entries out of what a query for one entry more returned.
    pub fn cut<K: Display>(mut entries: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next_cursor = entries.last().filter(|_| more).map(|last| Cursor::write(&key(last)));
        Self { data: entries, page: PageInfo { next_cursor } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_a_page_leads_to_the_next_one() {
        let page = List::cut(vec![9, 8, 7], 2, |n| *n);
        assert_eq!(page.data, [9, 8]);
        let query = PageQuery { limit: None, cursor: page.page.next_cursor };
        assert_eq!(query.after::<i64>().unwrap(), Some(8));
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        assert_eq!(List::cut(vec![9, 8], 2, |n| *n).page.next_cursor, None);
    }

    #[test]
    fn an_invented_cursor_is_refused() {
        let query = PageQuery { limit: None, cursor: Some("***".to_owned()) };
        assert_eq!(query.after::<i64>().unwrap_err().code(), "INVALID_CURSOR");
    }
}
