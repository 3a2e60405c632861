//! `dangol import`: a shop's history from files.

use std::path::PathBuf;

use anyhow::Context;
use booking::{Booking, ImportKind, ImportProgress};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::BusinessId;

/// CSV with a header, or a row a line as JSON; UTF-8 or code page 949. In this order, since the later ones refer to the
/// earlier ones.
#[derive(Args)]
pub(crate) struct Import {
    /// Whose history it is
    #[arg(long, value_name = "NUMBER")]
    business: i64,
    /// `external_id, name, category, price, duration_minutes`
    #[arg(long, value_name = "FILE")]
    services: Option<PathBuf>,
    /// `external_id, name`
    #[arg(long, value_name = "FILE")]
    staffs: Option<PathBuf>,
    /// `external_id, name, phone, email, birthday, gender, tags (a;b), marketing_consent, created_at`
    #[arg(long, value_name = "FILE")]
    customers: Option<PathBuf>,
    /// `external_id, customer_external_id, staff_external_id, service_external_id, start_at, status, price, created_at`;
    /// a service a row, rows of one reservation follow each other
    #[arg(long, value_name = "FILE")]
    reservations: Option<PathBuf>,
}

impl Import {
    /// Imports the files. Rows that cannot be are written beside them, and are no failure.
    #[expect(clippy::print_stdout, reason = "printing is what the command is for")]
    pub(crate) async fn run(self, booking: &Booking) -> anyhow::Result<()> {
        let files = [
            (ImportKind::Services, self.services),
            (ImportKind::Staffs, self.staffs),
            (ImportKind::Customers, self.customers),
            (ImportKind::Reservations, self.reservations),
        ];
        for (kind, path) in files {
            let Some(path) = path else { continue };
            let bar = progress_bar(kind)?;
            let imported = booking
                .import(BusinessId(self.business), kind, &path, |progress| show(&bar, progress))
                .await
                .with_context(|| format!("importing {}", path.display()))?;
            bar.finish_and_clear();
            let ImportProgress { records, created, updated, unchanged, failed, .. } = imported;
            println!(
                "{kind}: {records} records; {created} created, {updated} updated, {unchanged} unchanged, {failed} refused",
                kind = kind.as_str().to_lowercase(),
            );
            if failed > 0 {
                println!("  see {}", path.with_extension("rejects.csv").display());
            }
        }
        Ok(())
    }
}

fn progress_bar(kind: ImportKind) -> anyhow::Result<ProgressBar> {
    let style = "{prefix} {wide_bar} {percent}% · {msg} · {bytes_per_sec} · {eta} left";
    let style = ProgressStyle::with_template(style).context("the progress bar")?;
    Ok(ProgressBar::no_length().with_style(style).with_prefix(kind.as_str().to_lowercase()))
}

fn show(bar: &ProgressBar, progress: ImportProgress) {
    bar.set_length(progress.of_bytes);
    bar.set_position(progress.bytes);
    let per_second = u128::from(progress.records) * 1_000 / bar.elapsed().as_millis().max(1);
    bar.set_message(format!("{} records, {per_second} a second", progress.records));
}
