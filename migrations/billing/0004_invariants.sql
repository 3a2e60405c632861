-- What must always be true, as SQL that lists where it is not. Each name is explained in
-- docs/operations.md. `at` is the time on the product's clock.
create function billing.invariant_violations(at timestamptz)
    returns table (invariant text, business_id bigint, subject text)
    language sql stable as $$
    -- Nobody looks at an open attempt whose time came a quarter of an hour ago.
    select 'stuck_attempt', payment.business_id, 'payment ' || payment_id
    from billing.payment where status = 'PENDING' and due_at < at - interval '15 minutes'
    union all
    select 'stuck_refund', refund.business_id, 'refund ' || refund_id
    from billing.refund where status = 'PENDING' and due_at < at - interval '15 minutes'
    union all
    -- Unique indexes refuse these two as well; whoever drops an index finds out here.
    select 'two_approvals_for_an_invoice', payment.business_id, 'invoice ' || invoice_id
    from billing.payment where status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')
    group by payment.business_id, invoice_id having count(*) > 1
    union all
    select 'two_open_attempts_for_an_invoice', payment.business_id, 'invoice ' || invoice_id
    from billing.payment where status = 'PENDING'
    group by payment.business_id, invoice_id having count(*) > 1
    union all
    select 'refunds_differ_from_payment', payment.business_id, 'payment ' || payment_id
    from billing.payment
    left join (
        select refund.business_id, payment_id, sum(amount) as amount
        from billing.refund where status = 'SUCCESS' group by refund.business_id, payment_id
    ) given_back using (business_id, payment_id)
    where refunded_amount <> coalesce(given_back.amount, 0)
    union all
    select 'paid_invoice_without_payment', invoice.business_id, 'invoice ' || invoice.invoice_id
    from billing.invoice
    where invoice.status = 'PAID' and not exists (
        select from billing.payment
        where payment.business_id = invoice.business_id and payment.invoice_id = invoice.invoice_id
          and payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED'))
    union all
    select 'payment_without_paid_invoice', payment.business_id, 'payment ' || payment_id
    from billing.payment
    join billing.invoice on invoice.business_id = payment.business_id and invoice.invoice_id = payment.invoice_id
    where payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED') and invoice.status <> 'PAID'
    union all
    select 'access_without_payment', subscription.business_id, 'subscription ' || subscription.subscription_id
    from billing.subscription
    where subscription.status in ('ACTIVE', 'PAST_DUE', 'NON_RENEWING') and not exists (
        select from billing.invoice
        where invoice.business_id = subscription.business_id
          and invoice.subscription_id = subscription.subscription_id
          and invoice.period_from = subscription.period_from and invoice.status = 'PAID')
    union all
    -- Nothing will ever happen to it: no due time, and no attempt whose settlement would set one.
    select 'stranded_subscription', subscription.business_id, 'subscription ' || subscription.subscription_id
    from billing.subscription
    where subscription.status in ('PENDING', 'ACTIVE', 'PAST_DUE', 'NON_RENEWING') and due_at is null
      and not exists (
        select from billing.invoice
        join billing.payment on payment.business_id = invoice.business_id and payment.invoice_id = invoice.invoice_id
        where invoice.business_id = subscription.business_id
          and invoice.subscription_id = subscription.subscription_id and payment.status = 'PENDING')
    union all
    select 'ledger_imbalance', ledger_entry.business_id, 'transaction ' || transaction_id
    from billing.ledger_entry group by ledger_entry.business_id, transaction_id having sum(amount) <> 0
    union all
    -- What the provider owes us for a payment is what is left of it.
    select 'ledger_differs_from_payment', payment.business_id, 'payment ' || payment_id
    from billing.payment
    left join (
        select ledger_entry.business_id, payment_id, sum(amount) as amount
        from billing.ledger_entry
        where account = 'PROVIDER_RECEIVABLE' and kind in ('APPROVAL', 'REFUND')
        group by ledger_entry.business_id, payment_id
    ) owed using (business_id, payment_id)
    where coalesce(owed.amount, 0) <>
        case when payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')
            then payment.amount - refunded_amount else 0 end
$$;

-- How many violations there were when the worker last looked.
create table billing.invariant_check (
    invariant  text        primary key,
    violations bigint      not null,
    checked_at timestamptz not null
);
alter table billing.invariant_check enable row level security;
alter table billing.invariant_check force row level security;
create policy system on billing.invariant_check using (current_setting('app.scope', true) = 'system');
