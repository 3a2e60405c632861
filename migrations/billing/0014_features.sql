-- What other contexts may read here: which features a business may use now, and which plans have them. Row-level security
-- holds for whoever reads the first as for the table behind it; plans are a price list.
create schema billing_read;

-- The statuses are those of `SubscriptionStatus::grants_access`; a test compares the two.
create view billing_read.feature as
    select subscription.business_id, unnest(plan.features) as feature
    from billing.subscription
    join billing.plan on plan.code = subscription.plan_code
    where subscription.status in ('ACTIVE', 'PAST_DUE', 'NON_RENEWING');

create view billing_read.plan_feature as
    select unnest(plan.features) as feature, plan.code as plan_code, plan.name as plan_name, plan.position
    from billing.plan;
