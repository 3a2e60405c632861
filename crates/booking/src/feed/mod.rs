//! Feeding: many rows at a time, by the names that another system gave them.
//!
//! Rows are independent: one that cannot be is reported, and the others go in. All of a call is one
//! transaction, and each step is one statement, however many rows there are.

mod customers;
mod report;
mod reservations;
mod services;
mod staffs;

use std::collections::HashSet;

use platform::{FieldError, Problem};
use serde::{Deserialize, de::DeserializeOwned};

pub(crate) use customers::created;
pub use report::{FeedReport, RowError};

use crate::{
    customer::{CustomerRow, FedCustomer},
    reservation::{FedReservation, ReservationRow},
    service::{FedService, ServiceRow},
    staff::{FedStaff, StaffRow},
};

/// A row as the feeding system writes it.
pub trait Row: DeserializeOwned + Send {
    type Fed: Fed;

    fn external_id(&self) -> &str;

    /// The row if it can be, or all that is wrong with it.
    fn read(self) -> Result<Self::Fed, Vec<FieldError>>;
}

/// A row that was read.
pub trait Fed: Send {
    fn external_id(&self) -> &str;
}

/// Whether others hear of what changed. The import of history is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    Changes,
    Nothing,
}

/// The rows of one call, read, and what is known of those that could not be.
pub struct Feed<R: Row> {
    rows: Vec<(usize, R::Fed)>,
    report: FeedReport,
}

impl<R: Row> Default for Feed<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), report: FeedReport::default() }
    }
}

impl<R: Row> Feed<R> {
    /// Takes in a row; `position` is how the sender counts, from 1.
    pub fn push(&mut self, position: usize, row: R) {
        let external_id = row.external_id().to_owned();
        match row.read() {
            Ok(fed) => {
                self.report.received += 1;
                self.rows.push((position, fed));
            }
            Err(errors) => self.refuse(position, Some(&external_id), errors),
        }
    }

    /// Takes in a row that is written as JSON.
    pub fn push_json(&mut self, position: usize, json: &[u8]) {
        match platform::read_object::<R>(json) {
            Ok(row) => self.push(position, row),
            Err(problem) => self.refuse_json(position, json, problem),
        }
    }

    /// A row that cannot be.
    pub fn refuse(&mut self, position: usize, external_id: Option<&str>, errors: Vec<FieldError>) {
        self.report.received += 1;
        self.report.fail(position, external_id, errors);
    }

    fn refuse_json(&mut self, position: usize, json: &[u8], problem: Problem) {
        /// Whatever else is wrong with a row, its name helps to find it.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named {
            external_id: String,
        }
        let named = serde_json::from_slice::<Named>(json).ok().map(|named| named.external_id);
        self.refuse(position, named.as_deref(), problem.into_field_errors());
    }

    /// How many rows were taken in, refused ones included.
    pub fn len(&self) -> usize {
        self.report.received
    }

    /// What is known so far.
    pub fn report(&self) -> &FeedReport {
        &self.report
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Of rows that share a name the last one counts.
fn last_of_each<F: Fed>(rows: Vec<(usize, F)>, report: &mut FeedReport) -> Vec<(usize, F)> {
    let mut seen = HashSet::with_capacity(rows.len());
    let is_last: Vec<bool> =
        rows.iter().rev().map(|(_, row)| seen.insert(row.external_id().to_owned())).collect();
    let mut last = is_last.into_iter().rev();
    let before = rows.len();
    let rows: Vec<_> = rows.into_iter().filter(|_| last.next().unwrap_or_default()).collect();
    report.superseded += before - rows.len();
    rows
}

fn names<F: Fed>(rows: &[(usize, F)]) -> Vec<String> {
    rows.iter().map(|(_, row)| row.external_id().to_owned()).collect()
}

/// The four kinds of rows.
macro_rules! row {
    ($row:ty, $fed:ty) => {
        impl Row for $row {
            type Fed = $fed;

            fn external_id(&self) -> &str {
                &self.external_id
            }

            fn read(self) -> Result<$fed, Vec<FieldError>> {
                <$row>::read(self)
            }
        }

        impl Fed for $fed {
            fn external_id(&self) -> &str {
                &self.external_id
            }
        }
    };
}

row!(CustomerRow, FedCustomer);
row!(StaffRow, FedStaff);
row!(ServiceRow, FedService);
row!(ReservationRow, FedReservation);
