-- A list of what happened to a subscription passes over reservations, of which there are thousands for each payment.
create index event_noun on platform.event (business_id, (split_part(kind, '.', 1)), event_id);
