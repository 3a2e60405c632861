//! Customers, one at a time.

use axum::{extract::State, http::StatusCode};
use chrono::NaiveDate;
use kernel::{BusinessId, KoreanTime};
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path,
    Permission, Principal, Problem, Query, TenantBooking, TenantTx, Vault, VaultError,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::given::{parameter, stated};
use crate::{
    Booking, BookingError,
    change::Change,
    customer::{CustomerId, CustomerText, Gender},
    desk::customers::{CustomerChange, one_customer, read_memo},
    field::{self, Checked},
    store::{
        self,
        customer::{CustomerFilter, SealedCustomer},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerPath {
    customer_id: CustomerId,
}

/// A customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    #[schema(example = 1)]
    customer_id: CustomerId,
    /// The feeding system's name for the row, where it comes from there.
    #[schema(example = "C-1001")]
    external_id: Option<String>,
    #[schema(example = "김민서")]
    name: String,
    /// Masked for who lacks `tenant:personal-data`.
    #[schema(example = "010-****-5678")]
    phone: Option<String>,
    /// Masked for who lacks `tenant:personal-data`.
    #[schema(example = "m***@misohair.com")]
    email: Option<String>,
    birthday: Option<NaiveDate>,
    gender: Option<Gender>,
    #[schema(example = json!(["단골"]))]
    tags: Vec<String>,
    memo: Option<String>,
    /// May be sent advertisements.
    marketing_consent: bool,
    /// When the shop got to know the customer.
    created_at: KoreanTime,
}

impl CustomerView {
    fn of(sealed: SealedCustomer, vault: &Vault, shown: Shown) -> Result<Self, VaultError> {
        let phone = sealed.phone(vault)?;
        let email = sealed.email(vault)?;
        let (phone, email) = match shown {
            Shown::Whole => (phone.map(|phone| phone.shown()), email.map(|email| email.shown())),
            Shown::Masked => (phone.map(|phone| phone.masked()), email.map(|email| email.masked())),
        };
        Ok(Self {
            customer_id: sealed.id,
            phone,
            email,
            memo: sealed.memo(vault)?.map(|memo| memo.expose_secret().to_owned()),
            external_id: sealed.external_id,
            name: sealed.name,
            birthday: sealed.birthday,
            gender: sealed.gender,
            tags: sealed.tags,
            marketing_consent: sealed.marketing_consent,
            created_at: KoreanTime(sealed.created_at),
        })
    }
}

/// How telephone numbers and addresses are shown.
#[derive(Clone, Copy)]
enum Shown {
    Whole,
    Masked,
}

impl Shown {
    fn to(caller: &Principal, business: BusinessId) -> Self {
        if caller.may(Permission::TenantPersonalData, business) { Self::Whole } else { Self::Masked }
    }
}

/// Which customers are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomerQuery {
    /// The beginning of the name.
    #[param(example = "김")]
    q: Option<String>,
    /// Exactly this number, however it is written.
    #[param(example = "010-1234-5678")]
    phone: Option<String>,
    /// Exactly this address.
    #[param(example = "minseo@misohair.com")]
    email: Option<String>,
    /// Those with this tag.
    #[param(example = "단골")]
    tag: Option<String>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// A new customer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com", "birthday": "1994-05-08",
    "gender": "FEMALE", "tags": ["단골"], "memo": "암모니아 알레르기", "marketingConsent": true,
}))]
pub(crate) struct CustomerBody {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    phone: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<NaiveDate>)]
    birthday: Option<String>,
    gender: Option<Gender>,
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    #[schema(max_length = 2000)]
    memo: Option<String>,
    marketing_consent: Option<bool>,
}

/// What is to be otherwise; what is left out stays as it is, and null takes it away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"phone": "010-8765-4321", "tags": ["단골", "염색"]}))]
pub(crate) struct CustomerPatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    birthday: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<Gender>)]
    gender: Change<Gender>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Vec<String>, required = false, max_items = 20)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    memo: Change<String>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = bool, required = false)]
    marketing_consent: Option<bool>,
}

/// List the customers
///
/// The newest first. Telephone numbers and addresses are masked for who lacks `tenant:personal-data`.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/customers", operation_id = "listCustomers", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), CustomerQuery),
    responses(
        (status = 200, description = "A page of customers", body = List<CustomerView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_customers(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<CustomerQuery>,
) -> Result<Json<List<CustomerView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let phone = parameter("phone", query.phone.as_deref(), field::phone)?;
    let email = parameter("email", query.email.as_deref(), field::email)?;
    let filter = CustomerFilter {
        name: parameter("q", query.q.as_deref(), field::name)?,
        phone_hash: phone.map(|phone| booking.vault.keyed_hash(phone.number())),
        email_hash: email.map(|email| booking.vault.keyed_hash(email.address())),
        tag: parameter("tag", query.tag.as_deref(), |tag| field::line(tag, 30))?,
        only: None,
        before: page.after()?.map(CustomerId),
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    store::plan_for_each_value(&mut tx).await?;
    let sealed = store::customer::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    let shown = Shown::to(&caller.caller, caller.business);
    let customers = sealed.into_iter().map(|sealed| CustomerView::of(sealed, &booking.vault, shown));
    let customers: Vec<_> = customers.collect::<Result<_, _>>().map_err(BookingError::Vault)?;
    Ok(Json(List::cut(customers, limit, |customer| customer.customer_id)))
}

/// Get a customer
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/customers/{customerId}", operation_id = "getCustomer", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The customer", body = Data<CustomerView>),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_customer(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Path(path): Path<CustomerPath>,
) -> Result<Json<Data<CustomerView>>, Problem> {
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let sealed = one_customer(&mut tx, caller.business, path.customer_id).await?;
    tx.commit().await?;
    booking.shown(sealed, &caller.caller, caller.business)
}

/// Add a customer
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/customers", operation_id = "addCustomer", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = CustomerBody,
    responses(
        (status = 201, description = "Added", body = Data<CustomerView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn add_customer(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<CustomerBody>,
) -> Result<(StatusCode, Json<Data<CustomerView>>), Problem> {
    let text = CustomerText {
        name: body.name,
        phone: body.phone,
        email: body.email,
        birthday: body.birthday,
        gender: body.gender,
        tags: body.tags.unwrap_or_default(),
        marketing_consent: body.marketing_consent.unwrap_or_default(),
    };
    let mut checked = Checked::default();
    let facts = text.read(&mut checked);
    let memo = read_memo(&mut checked, body.memo);
    let facts = checked.finish(facts).map_err(BookingError::Invalid)?;
    let sealed = booking.add_customer(caller.business, facts, memo).await?;
    Ok((StatusCode::CREATED, booking.shown(sealed, &caller.caller, caller.business)?))
}

/// Change a customer
///
/// Who is fed from another system becomes again what that system says, the next time it says it; the memo stays.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/customers/{customerId}", operation_id = "changeCustomer", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1)),
    request_body = CustomerPatch,
    responses(
        (status = 200, description = "Changed", body = Data<CustomerView>),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_customer(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<CustomerPath>,
    Json(body): Json<CustomerPatch>,
) -> Result<Json<Data<CustomerView>>, Problem> {
    let change = CustomerChange {
        name: body.name,
        phone: body.phone,
        email: body.email,
        birthday: body.birthday,
        gender: body.gender,
        tags: body.tags,
        memo: body.memo,
        marketing_consent: body.marketing_consent,
    };
    let sealed = booking.change_customer(caller.business, path.customer_id, change).await?;
    booking.shown(sealed, &caller.caller, caller.business)
}

/// Erase a customer
///
/// Everything that says who they are is erased for good; that somebody came stays. Another system that feeds them again
/// does not bring them back.
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/customers/{customerId}", operation_id = "eraseCustomer", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1)),
    responses(
        (status = 204, description = "Erased"),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn erase_customer(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<CustomerPath>,
) -> Result<StatusCode, Problem> {
    booking.erase_customer(caller.business, path.customer_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Booking {
    /// A customer as this caller may see them.
    fn shown(
        &self,
        sealed: SealedCustomer,
        caller: &Principal,
        business: BusinessId,
    ) -> Result<Json<Data<CustomerView>>, Problem> {
        let view = CustomerView::of(sealed, &self.vault, Shown::to(caller, business));
        Ok(Data::json(view.map_err(BookingError::Vault)?))
    }
}
