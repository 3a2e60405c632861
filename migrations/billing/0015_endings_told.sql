-- A subscription that will not renew is announced to end, once, some days before. If it is paid on after all and ends later,
-- that is another end.
alter table billing.subscription add column told_end_on date;
create index subscription_end_to_be_told on billing.subscription (period_until)
    where status = 'NON_RENEWING' and told_end_on is distinct from period_until;
