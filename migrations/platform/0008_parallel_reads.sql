-- Whom a transaction serves is a setting that PostgreSQL hands on to its parallel workers. Until it is told so, it looks through
-- every table behind row-level security with one core alone, however large the table is.
alter function platform.serves_all() parallel safe;
alter function platform.served_business() parallel safe;
