//! `/gw/enc/v1/payment` with the data of a payment window: approve what the payer authenticated.

use super::{
    call::{Call, Decision},
    charge::{Order, check_amount, check_order_no, settle},
    codes::Refusal,
    state::Record,
    window::{self, Purpose, WindowAuth},
};

pub(super) fn confirm(call: &Call<'_>) -> Decision {
    let fields = call.fields;
    let auth = window::presented(call.state(), fields, call.switches.used_window_data, call.now)?;
    let Purpose::Payment { order_no, amount, good_name } = &auth.purpose else {
        return Err(Refusal::new("8024"));
    };
    if fields.given("pay_type").is_some_and(|kind| kind != "PACA") {
        return Err(Refusal::new("8024"));
    }
    // The server's own amount and number. KCP takes requests without them, and then checks nothing.
    if fields.given("ordr_mony").is_some() && fields.won("ordr_mony")? != *amount {
        return Err(Refusal::new("8059"));
    }
    // Invented: which code another order's number gets.
    if fields.given("ordr_no").is_some_and(|number| number != order_no) {
        return Err(Refusal::new("8101"));
    }
    check_amount(*amount)?;
    check_order_no(order_no)?;
    call.check_order_is_new(order_no)?;
    let order = Order { order_no, good_name, amount: *amount, quota: "00" };
    let mut change = settle(call, &order, &auth.card);
    change.records.push(Record::Window(Box::new(WindowAuth { used: true, ..auth })).into());
    Ok(change)
}
