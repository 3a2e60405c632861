-- With what payments from before 0008 were paid. It found none: it did not say that it works for everybody, and row-level
-- security showed it nobody's. `dangol migrate` says so now.
update billing.payment set paid_with = 'CARD'
where approved_at is not null and card_number is not null and paid_with is null;
