//! Shops with years of visits, as the product's own generator invents them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Context;
use booking::ShopPlan;
use chrono::NaiveDate;
use gateway::{app::App, database};
use identity::NewBusiness;
use kernel::{BusinessId, SystemClock};
use platform::SystemTx;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::world::configuration;

/// One invents while another one waits for the disk.
const AT_ONCE: usize = 3;

#[derive(Serialize, Deserialize)]
pub(crate) struct Shops {
    pub database_url: String,
    /// How many reservations each has.
    pub sizes: Vec<usize>,
    /// The last day that is over.
    pub until: NaiveDate,
    pub days: u32,
}

/// Answers with their ids, in the order of the sizes.
pub(crate) async fn run(task: Shops) -> anyhow::Result<Vec<i64>> {
    let (config, secrets) = configuration(&[])?;
    let db = database::connect(&task.database_url.as_str().into(), config.database_connections).await?;
    let app = App::new(&config, &secrets, db, Arc::new(SystemClock))?;
    let shops = register(&app, task.sizes.len()).await?;
    let ids = shops.iter().map(|shop| shop.0).collect();
    let (shops, task) = (Arc::new(shops), Arc::new(task));
    let next = Arc::new(AtomicUsize::new(0));
    let mut inventing = JoinSet::new();
    for _ in 0..AT_ONCE {
        inventing.spawn(invent(app.clone(), Arc::clone(&task), Arc::clone(&shops), Arc::clone(&next)));
    }
    while let Some(invented) = inventing.join_next().await {
        invented??;
    }
    Ok(ids)
}

async fn register(app: &App, shops: usize) -> anyhow::Result<Vec<BusinessId>> {
    let mut tx = SystemTx::begin(&app.db).await?;
    let mut ids = Vec::with_capacity(shops);
    for shop in 1..=shops {
        let name = format!("헤어살롱 {shop}");
        let new = [NewBusiness { name: &name, owner: &format!("owner_{shop}") }];
        identity::register_missing(&mut tx, app.clock.now(), &new).await?;
        let id = identity::business_named(&mut tx, &name).await?;
        ids.push(id.with_context(|| format!("{name} is not there"))?);
    }
    tx.commit().await?;
    Ok(ids)
}

async fn invent(
    app: App,
    task: Arc<Shops>,
    shops: Arc<Vec<BusinessId>>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<()> {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let (Some(business), Some(reservations)) = (shops.get(at), task.sizes.get(at)) else { return Ok(()) };
        let Shops { until, days, .. } = *task;
        let shop = u64::try_from(at)?;
        let plan = ShopPlan { seed: 1, shop, reservations: *reservations, until, days };
        app.booking.invent(*business, plan).await?;
    }
}
