//! What somebody heard of campaigns, as SQL.
//!
//! All of it is said with `exists`: the planner looks into a shop's recipients once for all customers where that is cheaper, and
//! customer by customer where only a few are left. What happened after the moment at which a segment is looked at has not
//! happened, so that a campaign finds the same people on its last page as on its first.

use chrono::NaiveDate;
use kernel::start_of_korean_day;

use super::{
    super::{
        calendar::days_before,
        condition::{CampaignField, Day, DayTest, Known, Membership},
    },
    Look, Sql,
};

/// Which campaigns somebody received, or whose link they followed.
pub(super) fn test(sql: &mut Sql, field: CampaignField, test: &Known<(Membership, Vec<i64>)>, look: Look) {
    let (is, ids) = match test {
        Known::IsSet => (true, None),
        Known::IsNotSet => (false, None),
        Known::Is((Membership::All, ids)) => return each_of(sql, field, ids, look),
        Known::Is((membership, ids)) => (*membership != Membership::None, Some(ids)),
    };
    sql.push(if is { "" } else { "not " });
    exists(sql, field, look, |sql| {
        if let Some(ids) = ids {
            sql.push(" and r.campaign_id = any(").push_bind(ids.clone()).push(")");
        }
    });
}

/// On which day the last message went out of those that somebody received: one on that day or later, and none after it.
pub(super) fn last_day_test(sql: &mut Sql, test: DayTest, look: Look) {
    let on = |day: Day| day.on(look.at.today);
    let next = |day: Day| days_before(on(day), -1);
    let (is, from, until) = match test {
        DayTest::Before(day) => (true, None, Some(on(day))),
        DayTest::OnOrBefore(day) => (true, None, Some(next(day))),
        DayTest::After(day) => (true, Some(next(day)), None),
        DayTest::OnOrAfter(day) => (true, Some(on(day)), None),
        DayTest::On(day) => (true, Some(on(day)), Some(next(day))),
        DayTest::Between(first, last) => (true, Some(on(first)), Some(next(last))),
        DayTest::IsSet => (true, None, None),
        DayTest::IsNotSet => (false, None, None),
    };
    let mut since = |word: &str, day: Option<NaiveDate>| {
        sql.push(word);
        exists(sql, CampaignField::Received, look, |sql| {
            if let Some(day) = day {
                sql.push(" and m.sent_at >= ").push_bind(start_of_korean_day(day));
            }
        });
    };
    since(if is { "" } else { "not " }, from);
    if until.is_some() {
        since(" and not ", until);
    }
}

fn exists(sql: &mut Sql, field: CampaignField, look: Look, narrower: impl FnOnce(&mut Sql)) {
    sql.push("exists (select");
    heard(sql, field, look);
    sql.push(" and r.customer_id = customer_summary.customer_id");
    narrower(sql);
    sql.push(")");
}

/// A campaign has a customer once, so whoever has as many rows as there are campaigns has each of them.
fn each_of(sql: &mut Sql, field: CampaignField, ids: &[i64], look: Look) {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    sql.push("exists (select from (select r.customer_id");
    heard(sql, field, look);
    sql.push(" and r.campaign_id = any(").push_bind(ids);
    sql.push(") group by r.customer_id having count(*) = ").push_bind(count);
    sql.push(") h where h.customer_id = customer_summary.customer_id)");
}

/// The rows of those who received something, or followed a link.
fn heard(sql: &mut Sql, field: CampaignField, look: Look) {
    sql.push(" from crm.campaign_recipient r");
    match field {
        // As in the figures of a campaign: handed to a carrier, and not known to have failed by then.
        CampaignField::Received => {
            sql.push(
                " join messaging_read.message m on m.business_id = r.business_id and m.message_id = r.message_id
                 where m.sent_at <= ",
            );
            sql.push_bind(look.at.now).push(" and (m.status <> 'FAILED' or m.finished_at > ");
            sql.push_bind(look.at.now).push(")");
        }
        // Who followed a link has a message, which is what the index by customer is of.
        CampaignField::Clicked => {
            sql.push(" where r.message_id is not null and r.first_clicked_at <= ").push_bind(look.at.now);
        }
    }
    sql.push(" and r.business_id = ").push_bind(look.business.0);
}
