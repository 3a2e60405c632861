//! Asking for an export, and doing without it.

use kernel::BusinessId;
use platform::{FieldError, TenantTx, audit, audit::Actor, features, features::Feature, jobs};
use serde_json::{Value, json};

use crate::{
    Exports, ExportsError,
    export::{Export, ExportFormat, ExportId, ExportStatus, Selection},
    store::{self, export::NewExport},
    work::MakeExports,
};

/// More than anybody can want to have at once: each of them reads the shop's whole history.
const MOST_WAITING: i64 = 50;

/// What somebody wants to take away.
pub(crate) struct Wanted {
    pub selection: Selection,
    pub format: ExportFormat,
    /// Telephone numbers and addresses in full: the caller may see them.
    pub whole_contacts: bool,
}

/// An export that was written down.
pub(crate) struct Asked {
    pub id: ExportId,
    /// Seconds until it is there, about.
    pub estimated_seconds: i64,
}

impl Exports {
    /// Writes down that somebody wants an export, and that they did.
    pub(crate) async fn ask(&self, wanted: &Wanted, actor: &Actor) -> Result<Asked, ExportsError> {
        let Wanted { selection, format, whole_contacts } = *wanted;
        let business = selection.business;
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        if store::export::business_name(&mut tx, business).await?.is_none() {
            return Err(ExportsError::NoSuchBusiness);
        }
        features::require(&mut tx, business, Feature::Exports)
            .await
            .map_err(ExportsError::PlanUpgradeRequired)?;
        if let Some(staff) = selection.staff
            && !store::export::has_staff(&mut tx, business, staff).await?
        {
            return Err(ExportsError::Invalid(vec![FieldError {
                field: "filters.staffId".to_owned(),
                code: "UNKNOWN_STAFF",
                message: "존재하지 않는 직원입니다.".to_owned(),
            }]));
        }
        let (waiting, rows_before) = store::export::waiting(&mut tx, business).await?;
        if waiting >= MOST_WAITING {
            return Err(ExportsError::TooMany);
        }
        let rows_expected = store::rows::count(&mut tx, &selection).await?;
        let today = self.clock.today();
        let number = store::export::next_number(&mut tx, business, today).await?;
        let id = ExportId { asked_on: today, number };
        let asked_by = actor.subject.as_str();
        let export = NewExport { id, selection, format, whole_contacts, asked_by, rows_expected };
        store::export::insert(&mut tx, &export, now).await?;
        let facts = json!({
            "exportId": id, "type": selection.kind, "format": format,
            "startDate": selection.days.map(|days| days.start), "endDate": selection.days.map(|days| days.end),
            "status": selection.status, "staffId": selection.staff, "contactsInFull": whole_contacts,
            "rows": rows_expected,
        });
        audit::record(&mut tx, business, now, actor, "export.requested", &facts).await?;
        jobs::enqueue(&mut tx, &MakeExports {}).await?;
        tx.commit().await?;
        // Where the worker is this very process.
        self.bell.notify_one();
        let estimated_seconds = 2 + (rows_before + rows_expected) / format.rows_per_second();
        Ok(Asked { id, estimated_seconds })
    }

    /// Nobody wants it any more: whoever is making it stops, and what there is of it is deleted.
    pub(crate) async fn remove(
        &self,
        business: BusinessId,
        id: ExportId,
        actor: &Actor,
    ) -> Result<(), ExportsError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let export = store::export::find(&mut tx, business, id).await?.ok_or(ExportsError::NotFound)?;
        if !store::export::remove(&mut tx, business, id, now).await? {
            return Err(ExportsError::NotFound);
        }
        let action = match export.status {
            ExportStatus::Processing => "export.cancelled",
            ExportStatus::Completed | ExportStatus::Failed | ExportStatus::Expired => "export.removed",
        };
        audit::record(&mut tx, business, now, actor, action, &facts(&export)).await?;
        // The file is deleted by whoever makes files.
        jobs::enqueue(&mut tx, &MakeExports {}).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }
}

/// What the audit trail says of an export.
pub(crate) fn facts(export: &Export) -> Value {
    json!({
        "exportId": export.id, "type": export.kind, "format": export.format,
        "startDate": export.days.map(|days| days.start), "endDate": export.days.map(|days| days.end),
        "contactsInFull": export.whole_contacts, "rows": export.rows_written,
    })
}
