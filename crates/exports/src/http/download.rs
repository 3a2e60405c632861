//! Downloading a file: whole, in part, or only what there is to know of it.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use kernel::BusinessId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform::{
    CommonProblems, InBusinessOrAdmin, Path, Permission, Problem, TenantExports, TenantTx,
    audit::{self, Actor, Origin},
};
use serde_json::json;

use super::{ExportPath, range::Wanted};
use crate::{
    Exports, ExportsError,
    ask::facts,
    export::{Export, ExportStatus, FileKey},
    store,
};

/// What RFC 5987 lets stand as it is.
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Which part of the file.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the handler reads it")]
struct RangeHeaders {
    /// One range of bytes, to go on with a download that was cut off.
    #[param(rename = "Range", required = false, example = "bytes=0-1023")]
    range: Option<String>,
    /// The `ETag` of the file that was begun: the whole file if it is another now.
    #[param(rename = "If-Range", required = false)]
    if_range: Option<String>,
}

/// Download an export
///
/// An attachment under a Korean name. Also in part, and with `HEAD`. Every download is in the audit trail.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/exports/{exportId}/download", operation_id = "downloadExport", tag = "exports",
    security(("bearer" = [])),
    params(
        ("businessId" = i64, Path, example = 1), ("exportId" = String, Path, example = "exp_20260201_001"), RangeHeaders,
    ),
    responses(
        (status = 200, description = "The file", content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (Vec<u8> = "text/csv"),
        )),
        (status = 206, description = "A part of it"),
        (status = 404, description = "`NOT_FOUND`: no such export, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`EXPORT_NOT_READY`: it is being made. `EXPORT_FAILED`: nothing came of it", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`EXPORT_EXPIRED`: the file is deleted", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`RANGE_NOT_SATISFIABLE`: the file is not as long as that", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`STORAGE_UNAVAILABLE`: try again later", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(super) async fn download_export(
    State(exports): State<Exports>,
    tenant: InBusinessOrAdmin<TenantExports>,
    origin: Origin,
    Path(path): Path<ExportPath>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let business = tenant.business;
    let now = exports.clock.now();
    let mut tx = TenantTx::begin(&exports.db, business).await?;
    let export =
        store::export::find(&mut tx, business, path.export_id).await?.ok_or(ExportsError::NotFound)?;
    let may_see = tenant.caller.may(Permission::TenantPersonalData, business);
    let size = match (export.status, export.file_size, export.due_at) {
        (ExportStatus::Processing, ..) => return Err(ExportsError::NotReady.into()),
        (ExportStatus::Failed, ..) => return Err(ExportsError::Failed.into()),
        // Also in the moment before somebody deletes it.
        (ExportStatus::Completed, Some(size), Some(expires_at)) if expires_at > now => size.unsigned_abs(),
        (ExportStatus::Completed | ExportStatus::Expired, ..) => return Err(ExportsError::Expired.into()),
    };
    if export.whole_contacts && !may_see {
        return Err(ExportsError::PersonalData.into());
    }
    let file = FileKey { business, id: export.id, attempt: export.attempt };
    let etag = etag(&file, size);
    let range = match Wanted::of(&headers, &etag, size) {
        Wanted::All => 0..size,
        Wanted::Some(range) => range,
        Wanted::Impossible => return Ok(impossible(size)),
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let name = Actor::new(&tenant.caller, business, origin);
        let mut said = facts(&export);
        if range != (0..size) {
            said["bytes"] = json!([range.start, range.end]);
        }
        // Opened before it is written down, so that nothing stands there that was not to be had.
        let bytes = exports.storage.read(&file, range.clone()).await.map_err(ExportsError::Storage)?;
        audit::record(&mut tx, business, now, &name, "export.downloaded", &said).await?;
        Body::from_stream(bytes.inspect_err(|error| tracing::error!(%error, "a download was cut off")))
    };
    let name = store::export::business_name(&mut tx, business).await?.unwrap_or_default();
    tx.commit().await?;

    let is_whole = range == (0..size);
    let mut response = body.into_response();
    let answered = response.headers_mut();
    let content_type = HeaderValue::from_static(export.format.content_type());
    answered.insert(header::CONTENT_TYPE, content_type);
    answered.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    answered.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answered.insert(header::ETAG, etag);
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answered.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(disposition) = HeaderValue::try_from(disposition(&export, business, &name)) {
        answered.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if !is_whole {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        if let Ok(part) = HeaderValue::try_from(part) {
            answered.insert(header::CONTENT_RANGE, part);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// A file is never changed, so its name says which it is.
fn etag(file: &FileKey, size: u64) -> HeaderValue {
    let tag = format!("\"{}-{}-{size}\"", file.id, file.attempt);
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn impossible(size: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "RANGE_NOT_SATISFIABLE",
        "Range not satisfiable",
        "요청한 범위가 파일 크기를 벗어났습니다.",
    );
    let mut response = problem.into_response();
    if let Ok(whole) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, whole);
    }
    response
}

/// `미소헤어_예약내역_20260101-20260131.xlsx`, and a name in ASCII for whoever cannot read that.
fn disposition(export: &Export, business: BusinessId, name: &str) -> String {
    let days = match export.days {
        Some(days) => format!("{}-{}", days.start.format("%Y%m%d"), days.end.format("%Y%m%d")),
        None => export.id.asked_on.format("%Y%m%d").to_string(),
    };
    let extension = export.format.extension();
    let korean = format!("{}_{}_{days}.{extension}", usable(name), export.kind.korean_name());
    let korean = utf8_percent_encode(&korean, NOT_ATTR_CHAR);
    format!("attachment; filename=\"{business}_{}.{extension}\"; filename*=UTF-8''{korean}", export.id)
}

/// A business's name without what no file may be called.
fn usable(name: &str) -> String {
    let is_forbidden = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    name.trim_start_matches('.').chars().map(|c| if is_forbidden(c) { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn a_business_may_be_called_what_a_file_may_not() {
        assert_eq!(usable("헤어 & 네일: \"미소\"/2호점"), "헤어 & 네일_ _미소__2호점");
        assert_eq!(usable("../../etc"), "_.._etc");
    }
}
