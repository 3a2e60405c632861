-- What businesses can subscribe to. Amounts are whole won and include VAT.

create table billing.plan (
    code           text    primary key check (code ~ '^[A-Z][A-Z0-9_]{0,29}$'),
    name           text    not null,
    -- Order in price lists, cheapest first.
    position       integer not null,
    -- What the plan unlocks, such as EXPORTS. Other contexts ask for a feature, never for a plan.
    features       text[]  not null default '{}',
    -- Dunning: on which days after the due date a declined renewal is tried again ...
    retry_days     integer[] not null default '{3,7}',
    -- ... and what happens when the last of them has failed.
    when_exhausted text    not null default 'DOWNGRADE' check (when_exhausted in ('DOWNGRADE', 'SUSPEND')),
    check (0 < all (retry_days))
);

create table billing.plan_price (
    plan_code text   not null references billing.plan,
    cycle     text   not null check (cycle in ('MONTHLY', 'YEARLY')),
    amount    bigint not null check (amount >= 0),
    primary key (plan_code, cycle)
);

insert into billing.plan (code, name, position, features) values
    ('FREE',       '무료',       0, '{}'),
    ('BASIC',      '베이직',     20, '{}'),
    ('PRO',        '프로',       30, '{EXPORTS,CRM}'),
    ('ENTERPRISE', '엔터프라이즈', 40, '{EXPORTS,CRM,PRIORITY_SUPPORT}');

insert into billing.plan_price (plan_code, cycle, amount) values
    ('FREE',       'MONTHLY', 0),
    ('BASIC',      'MONTHLY', 29000),
    ('BASIC',      'YEARLY',  290000),
    ('PRO',        'MONTHLY', 59000),
    ('PRO',        'YEARLY',  590000),
    ('ENTERPRISE', 'MONTHLY', 149000),
    ('ENTERPRISE', 'YEARLY',  1490000);
