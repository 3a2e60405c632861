-- What the machine could not settle by itself, for a person to decide. One case a finding, however
-- often it is found; a resolved one stays and explains it from then on. The system's, no tenant's.
create table billing.operator_case (
    case_id         uuid        primary key,
    kind            text        not null check (kind in (
        'CHARGE_UNKNOWN', 'REFUND_UNKNOWN', 'AMOUNT_DIFFERS', 'LATE_APPROVAL', 'UNKNOWN_CHARGE', 'UNKNOWN_CANCEL',
        'MISSING_AT_PROVIDER')),
    -- What was found, so that finding it again is the same case.
    fingerprint     text        not null unique,
    provider        text        not null,
    business_id     bigint,
    payment_id      bigint,
    refund_id       uuid,
    order_id        text,
    payment_key     text,
    our_amount      bigint,
    their_amount    bigint,
    -- How it was found, in the words of the machine.
    evidence        text        not null,
    status          text        not null default 'OPEN' check (status in ('OPEN', 'RESOLVED')),
    resolution      text        check (resolution in ('ADOPT', 'REFUND', 'WRITE_OFF')),
    resolution_note text,
    resolved_by     text,
    opened_at       timestamptz not null,
    resolved_at     timestamptz,
    check (case status
        when 'OPEN'     then num_nonnulls(resolution, resolution_note, resolved_by, resolved_at) = 0
        when 'RESOLVED' then num_nulls(resolution, resolution_note, resolved_by, resolved_at) = 0
    end)
);
create index operator_case_open on billing.operator_case (case_id) where status = 'OPEN';
alter table billing.operator_case enable row level security;
alter table billing.operator_case force row level security;
create policy system on billing.operator_case using (current_setting('app.scope', true) = 'system');
