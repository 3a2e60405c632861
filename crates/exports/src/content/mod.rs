//! What is in a file: the columns of each type, and what a row has in them.

mod contacts;
mod customers;
mod reservations;
mod revenue;
mod staffs;

pub(crate) use self::{
    contacts::Contacts,
    customers::CustomerRow,
    reservations::ReservationRow,
    revenue::{Figures, RevenueDocument},
    staffs::StaffRow,
};

use crate::sheet::{Cell, Column, SheetError};

/// A row of a table that a file has.
pub(crate) trait Record: Send + Sized + 'static {
    /// Of the sheet.
    const NAME: &'static str;
    const COLUMNS: &'static [Column];

    /// A cell a column.
    fn cells<'a>(&'a self, contacts: &Contacts, cells: &mut Vec<Cell<'a>>) -> Result<(), SheetError>;
}
