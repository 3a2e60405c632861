-- A subscription owes one invoice per period; an invoice is collected by payments (attempts), of
-- which at most one is open and at most one succeeds. The partial unique indexes below are what
-- makes "never charged twice" a property of the database and not of good behaviour.

-- A card that a provider will charge for us.
create table billing.payment_method (
    business_id       bigint      not null,
    payment_method_id uuid        not null,
    provider          text        not null,
    -- The payer's key that the provider's SDK was opened with; every charge must repeat it.
    customer_key      text        not null,
    status            text        not null check (status in ('ISSUING', 'ACTIVE', 'UNUSABLE', 'RELEASING', 'RELEASED')),
    -- What the SDK returned, sealed. Kept only while ISSUING: an answer that got lost is fetched by asking again.
    auth_key          text,
    -- The provider's key, sealed, and its keyed hash.
    billing_key       text,
    billing_key_hash  bytea,
    card_company      text,
    card_number       text,
    -- When the machine must act on this row: fetch a lost answer, or delete the key at the provider.
    due_at            timestamptz,
    tries             integer     not null default 0,
    created_at        timestamptz not null,
    primary key (business_id, payment_method_id),
    check (case status
        when 'ISSUING'   then auth_key is not null and billing_key is null and due_at is not null
        when 'ACTIVE'    then auth_key is null and billing_key is not null and due_at is null
        when 'UNUSABLE'  then auth_key is null and billing_key is not null and due_at is null
        when 'RELEASING' then auth_key is null and billing_key is not null and due_at is not null
        when 'RELEASED'  then auth_key is null and billing_key is null and due_at is null
    end),
    check ((billing_key is null) = (billing_key_hash is null))
);
create index payment_method_due on billing.payment_method (due_at) where due_at is not null;
create index payment_method_by_key on billing.payment_method (billing_key_hash) where billing_key_hash is not null;
call platform.isolate_tenants('billing.payment_method');

create table billing.subscription (
    business_id       bigint      not null,
    subscription_id   uuid        not null,
    plan_code         text        not null references billing.plan,
    cycle             text        not null check (cycle in ('MONTHLY', 'YEARLY')),
    -- The price agreed on. A later change of the price list does not change it.
    price             bigint      not null check (price > 0),
    status            text        not null
        check (status in ('PENDING', 'ACTIVE', 'PAST_DUE', 'NON_RENEWING', 'SUSPENDED', 'ENDED')),
    payment_method_id uuid,
    -- The first day. Every later period begins on its day of the month, or on the month's last.
    anchor_on         date        not null,
    -- The period that is or was last paid for, [from, until).
    period_from       date        not null,
    period_until      date        not null,
    -- When the machine must act on this row: charge, try again, or end it. Null while a charge is
    -- open: its settlement decides when the next action is due.
    due_at            timestamptz,
    cancel_reason     text,
    canceled_at       timestamptz,
    end_reason        text        check (end_reason in ('DECLINED', 'DOWNGRADED', 'CANCELED', 'EXPIRED', 'REFUNDED')),
    ended_at          timestamptz,
    -- The Idempotency-Key of the request that started it, so that one repeated after a crash finds it.
    idempotency_key   text,
    created_at        timestamptz not null,
    primary key (business_id, subscription_id),
    foreign key (business_id, payment_method_id) references billing.payment_method,
    check (period_from < period_until),
    check ((status = 'ENDED') = (ended_at is not null) and (ended_at is null) = (end_reason is null)),
    check (status not in ('ACTIVE', 'PAST_DUE', 'SUSPENDED') or payment_method_id is not null),
    check (status not in ('PENDING', 'SUSPENDED', 'ENDED') or due_at is null)
);
create unique index subscription_one_live on billing.subscription (business_id) where status <> 'ENDED';
create index subscription_due on billing.subscription (due_at) where due_at is not null;
call platform.isolate_tenants('billing.subscription');

-- What is owed for one period.
create table billing.invoice (
    business_id     bigint      not null,
    invoice_id      uuid        not null,
    subscription_id uuid        not null,
    period_from     date        not null,
    period_until    date        not null,
    amount          bigint      not null check (amount > 0),
    supply_amount   bigint      not null,
    vat_amount      bigint      not null,
    status          text        not null check (status in ('OPEN', 'PAID', 'VOID')),
    due_on          date        not null,
    -- How many of the plan's retry days have been used up.
    retries_used    integer     not null default 0 check (retries_used >= 0),
    created_at      timestamptz not null,
    closed_at       timestamptz,
    primary key (business_id, invoice_id),
    foreign key (business_id, subscription_id) references billing.subscription,
    check (period_from < period_until),
    check (supply_amount + vat_amount = amount),
    check ((status = 'OPEN') = (closed_at is null))
);
-- A period is billed once.
create unique index invoice_one_per_period on billing.invoice (business_id, subscription_id, period_from);
create unique index invoice_one_open on billing.invoice (business_id, subscription_id) where status = 'OPEN';
call platform.isolate_tenants('billing.invoice');

-- One attempt to move money in. Written down as PENDING before the provider is asked.
create table billing.payment (
    business_id       bigint      not null,
    -- Small enough to be read aloud on the telephone.
    payment_id        bigint      not null generated always as identity (start with 101),
    -- Our name for the attempt at the provider, and its idempotency key there.
    order_id          text        not null check (order_id ~ '^[A-Za-z0-9_-]{6,64}$'),
    provider          text        not null,
    reason            text        not null
        check (reason in ('FIRST', 'RENEWAL', 'DUNNING', 'MANUAL', 'CARD_REPLACED', 'CHECKOUT')),
    -- Null until a checkout is confirmed: only then is anything owed.
    invoice_id        uuid,
    -- Null for a checkout, which is paid in the provider's window.
    payment_method_id uuid,
    -- The payer's key that a checkout's window is opened with, for a billing key that comes along with it.
    customer_key      text,
    plan_code         text        not null references billing.plan,
    cycle             text        not null check (cycle in ('MONTHLY', 'YEARLY')),
    amount            bigint      not null check (amount > 0),
    refunded_amount   bigint      not null default 0 check (refunded_amount between 0 and amount),
    status            text        not null
        check (status in ('REQUESTED', 'PENDING', 'SUCCESS', 'FAILED', 'EXPIRED', 'PARTIAL_REFUNDED', 'REFUNDED')),
    -- The provider's name for the payment.
    payment_key       text,
    card_company      text,
    card_number       text,
    receipt_url       text,
    failure_class     text        check (failure_class in ('RETRY_LATER', 'NEW_CARD', 'FRAUD', 'TEMPORARY', 'OUR_BUG')),
    failure_code      text,
    failure_message   text,
    -- REQUESTED: when it expires. PENDING: when to ask the provider what became of it.
    due_at            timestamptz,
    -- When the charge was last sent to the provider.
    sent_at           timestamptz,
    checks            integer     not null default 0,
    created_at        timestamptz not null,
    approved_at       timestamptz,
    settled_at        timestamptz,
    primary key (business_id, payment_id),
    foreign key (business_id, invoice_id) references billing.invoice,
    foreign key (business_id, payment_method_id) references billing.payment_method,
    check (case status
        when 'REQUESTED' then due_at is not null and payment_key is null and settled_at is null
        when 'PENDING'   then due_at is not null and invoice_id is not null and sent_at is not null and settled_at is null
        when 'SUCCESS'   then due_at is null and payment_key is not null and approved_at is not null and settled_at is not null
                              and refunded_amount = 0
        when 'PARTIAL_REFUNDED' then due_at is null and approved_at is not null and refunded_amount > 0 and refunded_amount < amount
        when 'REFUNDED'  then due_at is null and approved_at is not null and refunded_amount = amount
        when 'FAILED'    then due_at is null and failure_class is not null and failure_code is not null
                              and failure_message is not null and settled_at is not null
        when 'EXPIRED'   then due_at is null and settled_at is not null
    end)
);
create unique index payment_order on billing.payment (order_id);
-- While one attempt's outcome is unknown there is no other.
create unique index payment_one_open on billing.payment (business_id, invoice_id) where status = 'PENDING';
-- An invoice is paid once.
create unique index payment_one_approved on billing.payment (business_id, invoice_id)
    where status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED');
create index payment_due on billing.payment (due_at) where due_at is not null;
create index payment_by_invoice on billing.payment (business_id, invoice_id);
call platform.isolate_tenants('billing.payment');

-- One attempt to move money back. Written down as PENDING before the provider is asked.
create table billing.refund (
    business_id     bigint      not null,
    -- Also the provider's idempotency key, and the reference that the cancel carries.
    refund_id       uuid        not null,
    payment_id      bigint      not null,
    amount          bigint      not null check (amount > 0),
    reason          text        not null,
    -- What was left of the payment before, refunds that were open then not counted. The guard of
    -- providers that compare it.
    remaining_before bigint     not null check (remaining_before >= amount),
    -- The Idempotency-Key of the request, so that a request repeated after a crash finds its refund.
    idempotency_key text,
    status          text        not null check (status in ('PENDING', 'SUCCESS', 'FAILED')),
    -- The provider's name for the cancel.
    transaction_key text,
    failure_code    text,
    failure_message text,
    due_at          timestamptz,
    checks          integer     not null default 0,
    created_at      timestamptz not null,
    settled_at      timestamptz,
    primary key (business_id, refund_id),
    foreign key (business_id, payment_id) references billing.payment,
    check (case status
        when 'PENDING' then due_at is not null and settled_at is null
        when 'SUCCESS' then due_at is null and transaction_key is not null and settled_at is not null
        when 'FAILED'  then due_at is null and failure_code is not null and settled_at is not null
    end)
);
create unique index refund_one_per_request on billing.refund (business_id, payment_id, idempotency_key)
    where idempotency_key is not null;
-- A cancel at the provider is one refund here.
create unique index refund_one_per_cancel on billing.refund (business_id, payment_id, transaction_key)
    where transaction_key is not null;
create index refund_due on billing.refund (due_at) where due_at is not null;
create index refund_by_payment on billing.refund (business_id, payment_id);
call platform.isolate_tenants('billing.refund');

-- Every webhook that arrived, once per delivery id. Whose it is is known only after reading it, so
-- this table belongs to the system and no tenant sees it.
create table billing.webhook (
    provider    text        not null,
    delivery_id text        not null,
    kind        text        not null,
    -- The body as it came, sealed: it may hold personal data and billing keys.
    body        text        not null,
    order_id    text,
    -- The provider's name for the payment, where the webhook tells.
    payment_key text,
    billing_key_hash bytea,
    received_at timestamptz not null,
    -- When to act on it; null once done.
    due_at      timestamptz,
    tries       integer     not null default 0,
    primary key (provider, delivery_id)
);
create index webhook_due on billing.webhook (due_at) where due_at is not null;
alter table billing.webhook enable row level security;
alter table billing.webhook force row level security;
create policy system on billing.webhook using (current_setting('app.scope', true) = 'system');
