//! The demo data: three businesses with owners, one more plan, and what happens in the hair salon.

mod salon;

use billing::BillingCycle;
use identity::NewBusiness;
use kernel::{BusinessId, Krw};
use platform::SystemTx;

use crate::app::App;

/// The businesses of the demo, in the order of their ids.
pub(super) const BUSINESSES: [NewBusiness<'static>; 3] = [
    NewBusiness { name: "미소헤어", owner: "owner_1" },
    NewBusiness { name: "바른피부과의원", owner: "owner_2" },
    NewBusiness { name: "튼튼짐", owner: "owner_3" },
];

/// Where they want to be written to about their subscription.
const BILLING_ADDRESSES: [&str; 3] = ["owner@misohair.com", "owner@bareunskin.com", "owner@teunteun.com"];

/// Loads what is missing; what is there already is left alone.
pub async fn load(app: &App) -> anyhow::Result<()> {
    let prices = [(BillingCycle::Monthly, Krw::won(7_900)), (BillingCycle::Yearly, Krw::won(94_800))];
    billing::add_demo_plan(&app.db, "PERSONAL", "퍼스널", &prices).await?;
    let mut tx = SystemTx::begin(&app.db).await?;
    identity::register_missing(&mut tx, app.clock.now(), &BUSINESSES).await?;
    tx.commit().await?;
    for (business, address) in (1..).zip(BILLING_ADDRESSES) {
        app.identity.give_billing_email(BusinessId(business), address).await?;
    }
    salon::load(&app.booking).await?;
    app.crm.load_demo(salon::SALON, salon::FIRST_CUSTOMER).await?;
    Ok(())
}
