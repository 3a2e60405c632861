-- The papers of a payment: with what it was paid, its cash receipt, its tax invoices.

-- With what it was paid. Null: not paid, or the provider did not say.
alter table billing.payment add column paid_with text
    check (paid_with in ('CARD', 'TRANSFER', 'VIRTUAL_ACCOUNT', 'WALLET', 'MOBILE', 'VOUCHER'));
-- Until now only cards were told apart.
update billing.payment set paid_with = 'CARD' where approved_at is not null and card_number is not null;

-- The cash receipt (현금영수증) that the provider issued.
alter table billing.payment
    add column cash_receipt_kind   text check (cash_receipt_kind in ('INCOME_DEDUCTION', 'EXPENSE_PROOF')),
    add column cash_receipt_number text,
    add column cash_receipt_url    text,
    add check ((cash_receipt_kind is null) = (cash_receipt_number is null));

-- How many tax invoices were written down on each Korean day. The row is locked by whoever writes one
-- down until that is committed or undone, so the numbers of a day have no gaps: 1, 2, 3, also when twenty
-- ask at once. The seller is one, so the count is nobody's and tells only how many there were.
create table billing.tax_invoice_count (
    day   date    primary key,
    count integer not null check (count > 0)
);

-- One tax invoice (세금계산서): what a shop asked for, or the modified one that a refund asks for.
-- Written down before the issuer is asked; never edited and never deleted once issued.
create table billing.tax_invoice (
    business_id         bigint      not null,
    -- INV-20260214-001: the key of the document at the issuer, too.
    number              text        not null check (number ~ '^INV-[0-9]{8}-[0-9]{3,}$'),
    payment_id          bigint      not null,
    -- Of a modified invoice: which one it modifies, for which refund, and why (Popbill's modifyCode).
    original            text,
    refund_id           uuid,
    modify_code         smallint    check (modify_code between 1 and 6),
    status              text        not null check (status in (
        'WAITING', 'PENDING', 'ISSUED', 'SENT', 'ACCEPTED', 'REJECTED', 'WITHDRAWN', 'REFUSED')),
    -- The legal date of the document.
    write_date          date        not null,
    -- Negative on a modified one that takes something back.
    supply_amount       bigint      not null,
    vat_amount          bigint      not null,
    -- Seller, buyer and lines as they were, sealed: names, addresses, mail addresses and the business
    -- numbers of people. Null on a modified one, which repeats its original's.
    content             text,
    confirmation_number text,
    -- Why the issuer would not take it.
    refusal_code        text,
    refusal_message     text,
    -- The tax service's own word, such as SUC001.
    tax_service_code    text,
    -- The Idempotency-Key of the request, so that a request repeated after a crash finds its invoice.
    idempotency_key     text,
    -- PENDING: when it is asked for again. ISSUED, SENT: when its state is looked at.
    due_at              timestamptz,
    checks              integer     not null default 0,
    created_at          timestamptz not null,
    issued_at           timestamptz,
    sent_at             timestamptz,
    answered_at         timestamptz,
    primary key (business_id, number),
    foreign key (business_id, payment_id) references billing.payment,
    foreign key (business_id, original) references billing.tax_invoice,
    foreign key (business_id, refund_id) references billing.refund,
    check (num_nulls(original, refund_id, modify_code) in (0, 3)),
    check ((content is null) = (original is not null)),
    check (original is not null or supply_amount > 0),
    check (case status
        when 'WAITING'  then due_at is null and original is not null and confirmation_number is null
        when 'PENDING'  then due_at is not null and confirmation_number is null
        when 'ISSUED'   then due_at is not null and confirmation_number is not null and issued_at is not null
        when 'SENT'     then due_at is not null and confirmation_number is not null and issued_at is not null
        when 'REFUSED'  then due_at is null and refusal_code is not null and refusal_message is not null
        when 'WITHDRAWN' then due_at is null
        else due_at is null and confirmation_number is not null and issued_at is not null
    end)
);
-- The document key is unique at the issuer, across all businesses.
create unique index tax_invoice_number on billing.tax_invoice (number);
-- A payment has one tax invoice that counts. One that was refused, rejected or taken back is void.
create unique index tax_invoice_one_live on billing.tax_invoice (business_id, payment_id)
    where original is null and status in ('PENDING', 'ISSUED', 'SENT', 'ACCEPTED');
create unique index tax_invoice_one_per_refund on billing.tax_invoice (business_id, original, refund_id)
    where original is not null;
create index tax_invoice_due on billing.tax_invoice (due_at) where due_at is not null;
create index tax_invoice_by_payment on billing.tax_invoice (business_id, payment_id);
call platform.isolate_tenants('billing.tax_invoice');
