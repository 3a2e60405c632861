-- A renewal is announced some days before it is charged, once for each period.
alter table billing.subscription add column told_renewal_on date;
create index subscription_renewal_to_be_told on billing.subscription (period_until)
    where status = 'ACTIVE' and told_renewal_on is distinct from period_until;
