-- With what payments from before 0008 were paid. It found none: it did not say that it works for everybody, and row-level
-- security showed it nobody's. `dangol migrate` says so now.
update billing.payment set paid_with = 'CARD'
where card_number is not null and paid_with is null
  and approved_at < (select installed_on from billing._sqlx_migrations where version = 8);
