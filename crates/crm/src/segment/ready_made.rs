//! The segments that every shop finds in its list, and may change or delete.

use serde_json::{Value, json};

pub(crate) struct ReadyMade {
    pub name: &'static str,
    pub conditions: Value,
}

/// In the order of their ids.
pub(crate) fn ready_made() -> [ReadyMade; 5] {
    [
        ReadyMade {
            name: "3개월 이상 미방문",
            // Whoever is about to come needs no reminder.
            conditions: json!([
                {"field": "lastVisitDate", "operator": "ON_OR_BEFORE", "value": {"monthsAgo": 3}},
                {"field": "upcomingReservation", "operator": "IS", "value": false},
            ]),
        },
        ReadyMade {
            name: "VIP 고객",
            conditions: json!([{"any": [
                {"field": "visitCount", "operator": "AT_LEAST", "value": 10},
                {"field": "totalSpent", "operator": "AT_LEAST", "value": 1_000_000},
            ]}]),
        },
        ReadyMade {
            name: "생일 이번 달",
            conditions: json!([{"field": "birthdayMonth", "operator": "IS", "value": {"monthsAhead": 0}}]),
        },
        ReadyMade {
            name: "신규 고객",
            conditions: json!([{"field": "firstVisitDate", "operator": "ON_OR_AFTER", "value": {"daysAgo": 30}}]),
        },
        ReadyMade {
            name: "노쇼 주의",
            conditions: json!([{"field": "noShowCount", "operator": "AT_LEAST", "value": 2}]),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::read::Conditions;

    #[test]
    fn the_ready_made_ones_can_be() {
        for ReadyMade { name, conditions } in ready_made() {
            let sent = conditions.as_array().expect("a list");
            assert!(Conditions::read(sent, "2026-02-01".parse().expect("a day")).is_ok(), "{name}");
        }
    }
}
