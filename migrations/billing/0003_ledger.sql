-- The double-entry ledger: where the money is, posted in the transaction that moved it. Nothing is
-- ever changed or taken away; what was wrong is put right by further entries.

-- What a provider keeps of each payment, in hundredths of a percent. No row: nothing.
create table billing.provider_terms (
    provider         text    primary key,
    fee_basis_points integer not null default 0 check (fee_basis_points between 0 and 10000)
);

create table billing.ledger_entry (
    business_id    bigint      not null,
    -- The entries of one transaction add up to nothing.
    transaction_id uuid        not null,
    account        text        not null check (account in (
        'PROVIDER_RECEIVABLE', -- asset: what the provider owes us
        'REVENUE',             -- income: value of supply (공급가액)
        'VAT_PAYABLE',         -- liability: VAT (부가세) collected for the tax office
        'PROVIDER_FEES',       -- expense: what the provider keeps
        'WRITE_OFFS'           -- expense: what nobody will pay any more
    )),
    -- Won. Debits are positive, credits negative.
    amount         bigint      not null check (amount <> 0),
    kind           text        not null check (kind in ('APPROVAL', 'REFUND', 'FEE', 'FEE_REFUND', 'WRITE_OFF')),
    provider       text        not null,
    payment_id     bigint      not null,
    refund_id      uuid,
    posted_at      timestamptz not null,
    primary key (business_id, transaction_id, account),
    foreign key (business_id, payment_id) references billing.payment,
    foreign key (business_id, refund_id) references billing.refund,
    check ((kind in ('REFUND', 'FEE_REFUND')) = (refund_id is not null))
);
-- Each approval, each fee, each refund and each write-off is posted once.
create unique index ledger_once_per_payment on billing.ledger_entry (business_id, payment_id, kind, account)
    where refund_id is null;
create unique index ledger_once_per_refund on billing.ledger_entry (business_id, refund_id, kind, account)
    where refund_id is not null;
call platform.isolate_tenants('billing.ledger_entry');

-- A statement posts whole transactions, and they balance.
create function billing.ledger_must_balance() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct business_id, transaction_id from posted) touched
        join billing.ledger_entry using (business_id, transaction_id)
        group by business_id, transaction_id
        having sum(amount) <> 0 or count(*) < 2
    ) then
        raise exception 'a ledger transaction does not balance' using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger ledger_must_balance after insert on billing.ledger_entry
    referencing new table as posted
    for each statement execute function billing.ledger_must_balance();

create function billing.ledger_is_final() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is not changed: post further entries' using errcode = 'restrict_violation';
end $$;
create trigger ledger_is_final before update or delete or truncate on billing.ledger_entry
    for each statement execute function billing.ledger_is_final();
