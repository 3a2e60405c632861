//! `dangol generate`: shops with a history that nobody had.

use anyhow::Context;
use booking::{ShopPlan, uneven_sizes};
use chrono::NaiveDate;
use clap::Args;
use identity::NewBusiness;
use indicatif::{ProgressBar, ProgressStyle};
use platform::SystemTx;

use crate::app::App;

/// The largest shop has at most so many reservations a year.
const MOST_A_YEAR: usize = 200_000;

/// The same seed invents the same shops. Those that are there already are left alone.
#[derive(Args)]
pub(crate) struct Generate {
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    businesses: usize,
    /// Of all of them together
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    reservations: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day that is over; two weeks after it are partly booked
    #[arg(long, value_name = "DAY")]
    until: NaiveDate,
    /// How many days of visits
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
}

impl Generate {
    #[expect(clippy::print_stdout, reason = "printing is what the command is for")]
    pub(crate) async fn run(self, app: &App) -> anyhow::Result<()> {
        let most = MOST_A_YEAR * usize::try_from(self.days)? / 365;
        let sizes = uneven_sizes(self.businesses, self.reservations, most.max(1));
        let style =
            ProgressStyle::with_template("{wide_bar} {pos}/{len} reservations · {per_sec} · {eta} left");
        let bar = ProgressBar::new(u64::try_from(self.reservations)?);
        bar.set_style(style.context("the progress bar")?);
        for (shop, reservations) in (1..).zip(sizes) {
            let name = format!("헤어살롱 {}-{shop}", self.seed);
            let mut tx = SystemTx::begin(&app.db).await?;
            let new = [NewBusiness { name: &name, owner: &format!("owner_{}_{shop}", self.seed) }];
            identity::register_missing(&mut tx, app.clock.now(), &new).await?;
            let business = identity::business_named(&mut tx, &name).await?;
            tx.commit().await?;
            let business = business.with_context(|| format!("{name} is not there"))?;
            if !app.booking.has_staff(business).await? {
                let plan =
                    ShopPlan { seed: self.seed, shop, reservations, until: self.until, days: self.days };
                app.booking.invent(business, plan).await?;
            }
            bar.inc(u64::try_from(reservations)?);
        }
        bar.finish_and_clear();
        println!("{} shops with {} reservations", self.businesses, self.reservations);
        Ok(())
    }
}
