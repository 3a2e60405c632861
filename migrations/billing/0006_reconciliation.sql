-- The daily comparison of a provider's transactions with our payments and refunds, to the won.
create table billing.reconciliation (
    provider       text        not null,
    -- A Korean day.
    day            date        not null,
    status         text        not null check (status in ('RUNNING', 'MATCHED', 'DIFFERENT', 'FAILED')),
    their_charges  bigint      not null default 0,
    their_charged  bigint      not null default 0,
    their_cancels  bigint      not null default 0,
    their_canceled bigint      not null default 0,
    our_charges    bigint      not null default 0,
    our_charged    bigint      not null default 0,
    our_cancels    bigint      not null default 0,
    our_canceled   bigint      not null default 0,
    -- What differed at first, and what still does after all that could be settled was.
    found          bigint      not null default 0,
    unexplained    bigint      not null default 0,
    failure        text,
    tries          integer     not null default 0,
    -- Compared because its time had come. What somebody asked for by hand is none of the schedule's
    -- business: the day may not have been over, and the days before it not compared.
    scheduled      boolean     not null,
    -- RUNNING: when whoever runs it is taken for dead. FAILED: when it is tried again.
    due_at         timestamptz,
    started_at     timestamptz not null,
    finished_at    timestamptz,
    primary key (provider, day),
    check ((status in ('RUNNING', 'FAILED')) = (due_at is not null)),
    check ((status = 'FAILED') = (failure is not null))
);
alter table billing.reconciliation enable row level security;
alter table billing.reconciliation force row level security;
create policy system on billing.reconciliation using (current_setting('app.scope', true) = 'system');

-- The provider's list while it is being compared: it may be longer than anybody's memory.
create table billing.reconciliation_line (
    provider        text        not null,
    day             date        not null,
    transaction_key text        not null,
    payment_key     text        not null,
    order_id        text        not null,
    kind            text        not null check (kind in ('CHARGE', 'CANCEL')),
    amount          bigint      not null check (amount >= 0),
    primary key (provider, day, transaction_key)
);
create index reconciliation_line_by_order on billing.reconciliation_line (order_id);
alter table billing.reconciliation_line enable row level security;
alter table billing.reconciliation_line force row level security;
create policy system on billing.reconciliation_line using (current_setting('app.scope', true) = 'system');

-- When the provider says that money went back; the day that its list shows it on.
alter table billing.refund add column canceled_at timestamptz;
create index refund_by_day on billing.refund (coalesce(canceled_at, settled_at)) where status = 'SUCCESS';
create index payment_by_day on billing.payment (provider, approved_at) where approved_at is not null;

-- Where the provider's list and our books differ on a day. A resolved case explains its order.
create function billing.reconciliation_differences(of_provider text, of_day date, since timestamptz, until timestamptz)
    returns table (
        side text, kind text, order_id text, payment_key text, transaction_key text, amount bigint, refund_id uuid)
    language sql stable as $$
    -- Theirs, and not ours.
    select 'THEIRS', line.kind, line.order_id, line.payment_key, line.transaction_key, line.amount, null::uuid
    from billing.reconciliation_line line
    left join billing.payment on payment.order_id = line.order_id and payment.provider = line.provider
    where line.provider = of_provider and line.day = of_day
      and not case line.kind
        when 'CHARGE' then coalesce(
            -- By the provider's id as well: a second charge of our order is not ours.
            payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED') and payment.amount = line.amount
                and payment.payment_key = line.payment_key, false)
        else exists (
            select from billing.refund
            where refund.business_id = payment.business_id and refund.payment_id = payment.payment_id
              and refund.status = 'SUCCESS' and refund.transaction_key = line.transaction_key
              and refund.amount = line.amount)
        end
      and not exists (
        select from billing.operator_case
        where operator_case.status = 'RESOLVED' and operator_case.provider = line.provider
          and operator_case.order_id = line.order_id)
    union all
    -- Ours, and not theirs.
    select 'OURS', 'CHARGE', payment.order_id, payment.payment_key, null, payment.amount, null
    from billing.payment
    where payment.provider = of_provider and payment.approved_at >= since and payment.approved_at < until
      and payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')
      and not exists (
        select from billing.reconciliation_line line
        where line.order_id = payment.order_id and line.provider = of_provider and line.day = of_day
          and line.kind = 'CHARGE' and line.payment_key = payment.payment_key)
      and not exists (
        select from billing.operator_case
        where operator_case.status = 'RESOLVED' and operator_case.provider = payment.provider
          and operator_case.order_id = payment.order_id)
    union all
    select 'OURS', 'CANCEL', payment.order_id, payment.payment_key, refund.transaction_key, refund.amount,
           refund.refund_id
    from billing.refund
    join billing.payment on payment.business_id = refund.business_id and payment.payment_id = refund.payment_id
    where refund.status = 'SUCCESS' and payment.provider = of_provider
      and coalesce(refund.canceled_at, refund.settled_at) >= since
      and coalesce(refund.canceled_at, refund.settled_at) < until
      and not exists (
        select from billing.reconciliation_line line
        where line.order_id = payment.order_id and line.provider = of_provider and line.day = of_day
          and line.kind = 'CANCEL' and line.transaction_key = refund.transaction_key)
      and not exists (
        select from billing.operator_case
        where operator_case.status = 'RESOLVED' and operator_case.provider = payment.provider
          and operator_case.order_id = payment.order_id)
$$;
