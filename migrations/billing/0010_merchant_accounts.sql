-- A business may have a contract with a provider of its own, beside the platform's, whose credentials
-- are configuration and in no table. Everything that a provider was asked under a contract can only be
-- asked about under that contract, so whatever remembers a provider remembers the account as well;
-- null is the platform's.
create table billing.merchant_account (
    business_id         bigint      not null,
    merchant_account_id uuid        not null,
    provider            text        not null,
    -- By field of the provider, sealed as a whole.
    credentials         text        not null,
    -- Counts the changes of the credentials, so that a process knows when its connection is outdated.
    version             integer     not null default 1,
    -- RETIRED: no new card or order; the cards and payments that it has stay with it.
    status              text        not null default 'ACTIVE' check (status in ('ACTIVE', 'RETIRED')),
    created_by          text        not null,
    created_at          timestamptz not null,
    changed_by          text        not null,
    changed_at          timestamptz not null,
    primary key (business_id, merchant_account_id)
);
-- A webhook and a case name the account alone.
create unique index merchant_account_id on billing.merchant_account (merchant_account_id);
create unique index merchant_account_one_active on billing.merchant_account (business_id, provider)
    where status = 'ACTIVE';
call platform.isolate_tenants('billing.merchant_account');

alter table billing.payment_method add column merchant_account_id uuid,
    add foreign key (business_id, merchant_account_id) references billing.merchant_account;
alter table billing.payment add column merchant_account_id uuid,
    add foreign key (business_id, merchant_account_id) references billing.merchant_account;
create index payment_by_account on billing.payment (merchant_account_id, approved_at)
    where merchant_account_id is not null;
create index payment_method_by_account on billing.payment_method (merchant_account_id)
    where merchant_account_id is not null;
alter table billing.webhook add column merchant_account_id uuid;
alter table billing.operator_case add column merchant_account_id uuid;

-- Each account has a list of its own. Part of the key, so the platform's is the nil id here.
alter table billing.reconciliation
    add column merchant_account_id uuid not null default '00000000-0000-0000-0000-000000000000',
    drop constraint reconciliation_pkey,
    add primary key (provider, merchant_account_id, day);
alter table billing.reconciliation_line
    add column merchant_account_id uuid not null default '00000000-0000-0000-0000-000000000000',
    drop constraint reconciliation_line_pkey,
    add primary key (provider, merchant_account_id, day, transaction_key);

drop function billing.reconciliation_differences(text, date, timestamptz, timestamptz);

-- Where an account's list and our books differ on a day. A resolved case explains its order.
create function billing.reconciliation_differences(
        of_provider text, of_account uuid, of_day date, since timestamptz, until timestamptz)
    returns table (
        side text, kind text, order_id text, payment_key text, transaction_key text, amount bigint, refund_id uuid)
    language sql stable as $$
    with line as not materialized (
        select * from billing.reconciliation_line
        where provider = of_provider and merchant_account_id = of_account and day = of_day
    ), explained as materialized (
        select order_id from billing.operator_case
        where status = 'RESOLVED' and provider = of_provider and order_id is not null
          and coalesce(merchant_account_id, '00000000-0000-0000-0000-000000000000') = of_account
    ), ours as not materialized (
        select * from billing.payment
        where provider = of_provider
          and coalesce(merchant_account_id, '00000000-0000-0000-0000-000000000000') = of_account
    )
    -- Theirs, and not ours.
    select 'THEIRS', line.kind, line.order_id, line.payment_key, line.transaction_key, line.amount, null::uuid
    from line
    left join ours on ours.order_id = line.order_id
    where not case line.kind
        when 'CHARGE' then coalesce(
            -- By the provider's id as well: a second charge of our order is not ours.
            ours.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED') and ours.amount = line.amount
                and ours.payment_key = line.payment_key, false)
        else exists (
            select from billing.refund
            where refund.business_id = ours.business_id and refund.payment_id = ours.payment_id
              and refund.status = 'SUCCESS' and refund.transaction_key = line.transaction_key
              and refund.amount = line.amount)
        end
      and line.order_id not in (select explained.order_id from explained)
    union all
    -- Ours, and not theirs.
    select 'OURS', 'CHARGE', ours.order_id, ours.payment_key, null, ours.amount, null
    from ours
    where ours.approved_at >= since and ours.approved_at < until
      and ours.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')
      and not exists (
        select from line
        where line.order_id = ours.order_id and line.kind = 'CHARGE' and line.payment_key = ours.payment_key)
      and ours.order_id not in (select explained.order_id from explained)
    union all
    select 'OURS', 'CANCEL', ours.order_id, ours.payment_key, refund.transaction_key, refund.amount,
           refund.refund_id
    from billing.refund
    join ours on ours.business_id = refund.business_id and ours.payment_id = refund.payment_id
    where refund.status = 'SUCCESS'
      and coalesce(refund.canceled_at, refund.settled_at) >= since
      and coalesce(refund.canceled_at, refund.settled_at) < until
      and not exists (
        select from line
        where line.order_id = ours.order_id and line.kind = 'CANCEL'
          and line.transaction_key = refund.transaction_key)
      and ours.order_id not in (select explained.order_id from explained)
$$;
