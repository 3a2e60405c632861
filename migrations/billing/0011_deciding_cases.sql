-- Whoever decides a case takes it first, until then: two who decide differently at the same moment would
-- otherwise both act before either is written down. A claim that nobody ends, because its process died,
-- ends by itself.
alter table billing.operator_case
    add column claimed_until timestamptz,
    add check (status = 'OPEN' or claimed_until is null);
