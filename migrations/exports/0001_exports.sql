-- What shops take away as files. The files lie in object storage; here stands which there are, or will be.

-- A business that has asked for something.
create table exports.shop (
    business_id bigint      primary key,
    -- The last number that it was given, so that one that was removed is not given again.
    asked_on    date        not null,
    last_number integer     not null check (last_number > 0),
    -- When it last had its turn: whoever waits longest for theirs is next.
    served_at   timestamptz
);
call platform.isolate_tenants('exports.shop');

create table exports.export (
    business_id    bigint      not null,
    -- The Korean day, and the how manieth of it: exp_20260214_001.
    asked_on       date        not null,
    number         integer     not null check (number > 0),
    type           text        not null check (type in ('RESERVATIONS', 'CUSTOMERS', 'REVENUE', 'STAFFS')),
    format         text        not null check (format in ('EXCEL', 'CSV')),
    -- Korean days, both included. Only of customers one may want all there ever were.
    start_on       date,
    end_on         date,
    of_status      text        check (of_status in ('PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
    of_staff       bigint,
    -- Telephone numbers and addresses in full: whoever asked may see them.
    whole_contacts boolean     not null,
    asked_by       text        not null,
    asked_at       timestamptz not null,
    status         text        not null check (status in ('PROCESSING', 'COMPLETED', 'FAILED', 'EXPIRED')),
    -- A worker has it, and is not taken for dead before due_at.
    running        boolean     not null default false,
    -- When the machine must act on this row. PROCESSING: begin, or begin anew; COMPLETED: delete the file.
    due_at         timestamptz,
    -- Counts the workers that took it. What one writes counts only while no other has taken it over.
    attempt        integer     not null default 0,
    -- How often it came to nothing because of the storage or the database.
    failures       integer     not null default 0,
    rows_expected  bigint      not null check (rows_expected >= 0),
    rows_written   bigint      not null default 0,
    finished_at    timestamptz,
    file_size      bigint,
    error          text,
    primary key (business_id, asked_on, number),
    check ((start_on is null) = (end_on is null) and start_on <= end_on),
    check (type = 'CUSTOMERS' or start_on is not null),
    check (type = 'RESERVATIONS' or of_status is null and of_staff is null),
    check (case status
        when 'PROCESSING' then due_at is not null and finished_at is null and file_size is null and error is null
        when 'COMPLETED'  then due_at is not null and finished_at is not null and file_size is not null and error is null
        when 'FAILED'     then due_at is null and finished_at is not null and file_size is null and error is not null
        when 'EXPIRED'    then due_at is null and finished_at is not null and file_size is not null and error is null
    end),
    check (status = 'PROCESSING' or not running)
);
create index export_due on exports.export (due_at) where due_at is not null;
create index export_processing on exports.export (business_id) where status = 'PROCESSING';
call platform.isolate_tenants('exports.export');

-- Each file that a worker may have begun to write, in the transaction in which it took the export, and until it is certainly
-- gone. So nothing is ever left lying about, whoever dies when.
create table exports.file (
    business_id bigint      not null,
    asked_on    date        not null,
    number      integer     not null,
    attempt     integer     not null,
    -- Nobody wants it from here on. Null: it is being written, or served.
    remove_at   timestamptz,
    primary key (business_id, asked_on, number, attempt)
);
create index file_unwanted on exports.file (remove_at) where remove_at is not null;
call platform.isolate_tenants('exports.file');
