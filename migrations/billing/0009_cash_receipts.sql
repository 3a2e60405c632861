-- Cash receipts (현금영수증) that somebody asks for after the payment. Those that the payer chose in the
-- provider's window came with the payment, stand there, and are the provider's to adjust.

-- One cash receipt: written down before the provider is asked.
create table billing.cash_receipt (
    business_id     bigint      not null,
    -- Our name of it at the provider, which is its idempotency key there.
    cash_receipt_id uuid        not null,
    payment_id      bigint      not null,
    kind            text        not null check (kind in ('INCOME_DEDUCTION', 'EXPENSE_PROOF')),
    -- What it is about, VAT included, and how much of that was taken back.
    amount          bigint      not null check (amount > 0),
    canceled_amount bigint      not null default 0 check (canceled_amount between 0 and amount),
    status          text        not null check (status in (
        'REQUESTED', 'PROCESSING', 'ISSUED', 'REFUSED', 'CANCELED')),
    -- Somebody's telephone, card or business number, sealed. Whoever has to ask needs it; once the
    -- provider has it, nobody does, and it is gone.
    identity_number text,
    -- The provider's id of it, and the tax service's.
    receipt_key     text,
    issue_number    text,
    receipt_url     text,
    -- Why there is none.
    refusal_code    text,
    refusal_message text,
    -- The Idempotency-Key of the request, so that a request repeated after a crash finds its receipt.
    idempotency_key text,
    -- REQUESTED: when it is asked for again. PROCESSING: when it is looked at.
    due_at          timestamptz,
    checks          integer     not null default 0,
    created_at      timestamptz not null,
    -- When the provider took it: on that day it is in the provider's list.
    taken_at        timestamptz,
    issued_at       timestamptz,
    canceled_at     timestamptz,
    primary key (business_id, cash_receipt_id),
    foreign key (business_id, payment_id) references billing.payment,
    check ((identity_number is not null) = (status = 'REQUESTED')),
    check ((due_at is not null) = (status in ('REQUESTED', 'PROCESSING'))),
    check (case status
        when 'REQUESTED'  then receipt_key is null and taken_at is null
        when 'PROCESSING' then receipt_key is not null and taken_at is not null and issued_at is null
        when 'ISSUED'     then receipt_key is not null and issued_at is not null and canceled_amount < amount
        when 'REFUSED'    then refusal_code is not null and refusal_message is not null and issued_at is null
        when 'CANCELED'   then receipt_key is not null and canceled_at is not null and canceled_amount = amount
    end)
);
-- A payment has one cash receipt that counts. One that was refused or taken back as a whole is void.
create unique index cash_receipt_one_live on billing.cash_receipt (business_id, payment_id)
    where status in ('REQUESTED', 'PROCESSING', 'ISSUED');
create index cash_receipt_by_payment on billing.cash_receipt (business_id, payment_id);
create index cash_receipt_due on billing.cash_receipt (due_at) where due_at is not null;
call platform.isolate_tenants('billing.cash_receipt');

-- What a refund takes back of a cash receipt, written down with the refund.
create table billing.cash_receipt_cancel (
    business_id     bigint      not null,
    cash_receipt_id uuid        not null,
    refund_id       uuid        not null,
    amount          bigint      not null check (amount > 0),
    status          text        not null check (status in ('WAITING', 'PENDING', 'DONE', 'REFUSED', 'VOID')),
    refusal_code    text,
    due_at          timestamptz,
    checks          integer     not null default 0,
    created_at      timestamptz not null,
    -- When the provider was asked first, from which its patience with repeats counts.
    sent_at         timestamptz,
    settled_at      timestamptz,
    primary key (business_id, cash_receipt_id, refund_id),
    foreign key (business_id, cash_receipt_id) references billing.cash_receipt,
    foreign key (business_id, refund_id) references billing.refund,
    -- WAITING: until the tax service has taken the receipt. VOID: it never did, so there is nothing to take back.
    check ((due_at is not null) = (status = 'PENDING')),
    check ((settled_at is not null) = (status in ('DONE', 'REFUSED', 'VOID'))),
    check ((refusal_code is not null) = (status = 'REFUSED'))
);
-- They follow one another: which of two was made, only their order tells.
create unique index cash_receipt_cancel_one_open on billing.cash_receipt_cancel (business_id, cash_receipt_id)
    where status = 'PENDING';
create index cash_receipt_cancel_due on billing.cash_receipt_cancel (due_at) where due_at is not null;
call platform.isolate_tenants('billing.cash_receipt_cancel');

-- Papers get stuck as well. What was there before keeps its SQL, under another name.
alter function billing.invariant_violations(timestamptz) rename to money_invariant_violations;
create function billing.invariant_violations(at timestamptz)
    returns table (invariant text, business_id bigint, subject text)
    language sql stable as $$
    select * from billing.money_invariant_violations(at)
    union all
    -- Nobody looks at it, its answer is lost for a day, or the tax service has not answered for four.
    select 'stuck_tax_invoice', tax_invoice.business_id, 'tax invoice ' || number
    from billing.tax_invoice
    where due_at < at - interval '15 minutes'
       or (status = 'PENDING' and original is null and created_at < at - interval '1 day')
       or (status in ('ISSUED', 'SENT') and issued_at < at - interval '4 days')
    union all
    select 'stuck_cash_receipt', cash_receipt.business_id, 'cash receipt of payment ' || payment_id
    from billing.cash_receipt
    where due_at < at - interval '15 minutes'
       or (status = 'REQUESTED' and created_at < at - interval '1 day')
       or (status = 'PROCESSING' and taken_at < at - interval '4 days')
    union all
    select 'stuck_cash_receipt', cancel.business_id, 'cancel of a cash receipt for refund ' || refund_id
    from billing.cash_receipt_cancel cancel
    where due_at < at - interval '15 minutes' or (status = 'PENDING' and sent_at < at - interval '1 day')
$$;
