//! What every channel has to do, told of each against its sandbox.

mod carriers;
mod sending;
