-- What a webhook that settles a charge makes us write, row by row: `webhooks.rs` compares what PostgreSQL
-- counted here with what it counted for us. The first transaction is the delivery, answered once it is on
-- disk; the second takes it up (not so soon that our worker would); the third is the money, and that the webhook is done with.
\set turn :turn + 1
\set business :first + :client_id * :each + :turn
\startpipeline
begin;
select set_config('app.scope', 'system', true);
\endpipeline
insert into billing.webhook
    (provider, delivery_id, kind, order_id, payment_key, billing_key_hash, received_at, due_at, is_ours)
values ('TOSS', 'whtrans_' || :business::bigint, 'PAYMENT_STATUS_CHANGED', 'dgbench' || lpad(:business::bigint::text, 8, '0'), 'pay_dgbench' || lpad(:business::bigint::text, 8, '0'), null,
        now(), now() + interval '1 day', true)
on conflict do nothing;
commit;
\startpipeline
begin;
select set_config('app.scope', 'system', true);
\endpipeline
update billing.webhook set due_at = now() + interval '2 days', tries = tries + 1
where provider = 'TOSS' and delivery_id = 'whtrans_' || :business::bigint;
commit;
\startpipeline
begin;
select set_config('app.scope', 'system', true);
\endpipeline
update billing.payment
set status = 'SUCCESS', payment_key = 'pay_dgbench' || lpad(:business::bigint::text, 8, '0'), card_company = '삼성카드',
    card_number = '****-****-****-0001', receipt_url = 'https://dashboard.example/receipt?transactionId=' || :business::bigint,
    approved_at = now(), settled_at = now(), due_at = null, paid_with = 'CARD'
where order_id = 'dgbench' || lpad(:business::bigint::text, 8, '0') and status = 'PENDING'
returning payment_id \gset
insert into billing.ledger_entry
    (business_id, transaction_id, account, amount, kind, provider, payment_id, refund_id, posted_at)
select :business::bigint, id, account, amount, 'APPROVAL', 'TOSS', :payment_id::bigint, null, now()
from gen_random_uuid() as id,
     (values ('PROVIDER_RECEIVABLE', 29000), ('REVENUE', -26364), ('VAT_PAYABLE', -2636)) as entry (account, amount);
update billing.invoice set status = 'PAID', closed_at = now()
where business_id = :business::bigint and status = 'OPEN';
update billing.subscription
set status = 'ACTIVE', period_from = period_until, period_until = (period_until + interval '1 month')::date,
    due_at = now() + interval '1 month'
where business_id = :business::bigint;
insert into platform.event (business_id, kind, occurred_at, data)
values (:business::bigint, 'payment.succeeded', now(), jsonb_build_object(
    'paymentId', :payment_id::bigint, 'subscriptionId', 'sub_00000000000000000000000000000000', 'amount', 29000,
    'reason', 'RENEWAL', 'receiptUrl', 'https://dashboard.example/receipt', 'nextPaymentDate', '2026-12-20'));
update billing.webhook set due_at = null
where provider = 'TOSS' and delivery_id = 'whtrans_' || :business::bigint;
commit;
