//! The process that imports, as `dangol import` does.

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::ensure;
use booking::ImportKind;
use gateway::{app::App, database};
use kernel::{BusinessId, SystemClock};
use serde::{Deserialize, Serialize};

use crate::{memory, world::configuration};

#[derive(Serialize, Deserialize)]
pub(crate) struct ImportProcess {
    pub database_url: String,
    pub business: i64,
    /// Where the files are, named after what they list.
    pub folder: PathBuf,
}

/// Rows and seconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub customers: (u64, f64),
    pub reservations: (u64, f64),
    pub peak_megabytes: Option<f64>,
}

pub(crate) async fn run(task: ImportProcess) -> anyhow::Result<Imported> {
    let (config, secrets) = configuration(&[])?;
    let db = database::connect(&task.database_url.into(), config.database_connections).await?;
    let app = App::new(&config, &secrets, db, Arc::new(SystemClock))?;
    let import = async |kind: ImportKind, file: &str| -> anyhow::Result<(u64, f64)> {
        let began = Instant::now();
        let path = task.folder.join(file);
        let done = app.booking.import(BusinessId(task.business), kind, &path, |_| {}).await?;
        ensure!(done.failed == 0, "{file}: {done:?}");
        Ok((done.created + done.updated + done.unchanged, began.elapsed().as_secs_f64()))
    };
    import(ImportKind::Services, "services.csv").await?;
    import(ImportKind::Staffs, "staffs.csv").await?;
    let customers = import(ImportKind::Customers, "customers.csv").await?;
    let reservations = import(ImportKind::Reservations, "reservations.csv").await?;
    Ok(Imported { customers, reservations, peak_megabytes: memory::peak_megabytes() })
}
