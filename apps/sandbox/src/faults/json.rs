//! Faults as the control surface writes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, FaultKind, Moment, Operation};
use crate::book::Provider;

/// `{"fault": "delay_ms", "value": 500, "operation": "charge", "times": 1}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultJson {
    fault: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(default)]
    provider: Option<Provider>,
    #[serde(default)]
    operation: Option<Operation>,
    /// Text that the path or the body must contain.
    #[serde(default)]
    containing: Option<String>,
    /// Absent is once, 0 is until it is cleared.
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    probability: Option<f64>,
}

impl TryFrom<FaultJson> for Fault {
    type Error = String;

    fn try_from(json: FaultJson) -> Result<Self, String> {
        let probability = json.probability.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            return Err("probability는 0에서 1 사이여야 합니다.".into());
        }
        Ok(Self {
            kind: kind(&json.fault, json.value.as_ref(), json.provider)?,
            provider: json.provider,
            operation: json.operation,
            containing: json.containing,
            times: match json.times {
                None => Some(1),
                Some(0) => None,
                times => times,
            },
            probability,
        })
    }
}

impl From<Fault> for FaultJson {
    fn from(fault: Fault) -> Self {
        let (name, value) = match fault.kind {
            FaultKind::DropResponse => ("drop_response", None),
            FaultKind::Refuse => ("refuse", None),
            FaultKind::Error500(moment) => ("error_500", Some(json!(moment_name(moment)))),
            FaultKind::Html502(moment) => ("html_502", Some(json!(moment_name(moment)))),
            FaultKind::RateLimited => ("rate_limited", None),
            FaultKind::Truncated => ("truncated", None),
            FaultKind::WrongCharset => ("wrong_charset", None),
            FaultKind::Redirect => ("redirect", None),
            FaultKind::Delay { before, after } => {
                ("delay_ms", Some(json!({"before": milliseconds(before), "after": milliseconds(after)})))
            }
            FaultKind::Decline { code } => ("decline", Some(json!(code))),
        };
        Self {
            fault: name.to_owned(),
            value,
            provider: fault.provider,
            operation: fault.operation,
            containing: fault.containing,
            times: Some(fault.times.unwrap_or(0)),
            probability: Some(fault.probability),
        }
    }
}

fn kind(name: &str, value: Option<&Value>, provider: Option<Provider>) -> Result<FaultKind, String> {
    Ok(match name {
        "drop_response" => FaultKind::DropResponse,
        "refuse" => FaultKind::Refuse,
        "error_500" => FaultKind::Error500(moment(value)?),
        "html_502" => FaultKind::Html502(moment(value)?),
        "rate_limited" => FaultKind::RateLimited,
        "truncated" => FaultKind::Truncated,
        "wrong_charset" => FaultKind::WrongCharset,
        "redirect" => FaultKind::Redirect,
        "delay_ms" => delay(value)?,
        "decline" => match value {
            None => FaultKind::Decline { code: insufficient_funds(provider).into() },
            Some(Value::String(code)) => FaultKind::Decline { code: code.clone() },
            Some(_) => return Err("decline의 value는 오류 코드여야 합니다.".into()),
        },
        other => return Err(format!("{other}은(는) 알 수 없는 fault입니다.")),
    })
}

/// Each provider's word for the commonest refusal; Toss's where the fault names none.
fn insufficient_funds(provider: Option<Provider>) -> &'static str {
    match provider {
        // PortOne passes on what the PG behind it says, which by default is Toss.
        None | Some(Provider::Toss | Provider::PortOne) => "REJECT_CARD_PAYMENT",
        Some(Provider::Kcp) => "CC10",
        // Its codes are not published: the text of the PG is what tells.
        Some(Provider::Bootpay) => "잔액이 부족합니다.",
        // Nobody pays there. The commonest is a certificate that ended.
        Some(Provider::Popbill) => "-11002031",
        // Nothing is paid with a card there. Of each the account that is empty; of a mail server, a full mailbox.
        Some(Provider::Solapi) => "NotEnoughBalance",
        Some(Provider::Nhn) => "-1000",
        Some(Provider::Smtp) => "552 5.2.2",
    }
}

fn moment(value: Option<&Value>) -> Result<Moment, String> {
    match value.map(|value| value.as_str().unwrap_or_default()) {
        None | Some("before") => Ok(Moment::BeforeProcessing),
        Some("after") => Ok(Moment::AfterProcessing),
        Some(_) => Err("value는 \"before\" 또는 \"after\"여야 합니다.".into()),
    }
}

fn moment_name(moment: Moment) -> &'static str {
    match moment {
        Moment::BeforeProcessing => "before",
        Moment::AfterProcessing => "after",
    }
}

/// A plain number is the time after processing, the harder case for a client that gives up early.
fn delay(value: Option<&Value>) -> Result<FaultKind, String> {
    let wrong = || "delay_ms의 value는 밀리초 또는 {\"before\", \"after\"}여야 합니다.".to_owned();
    let part = |value: &Value, name: &str| match value.get(name) {
        None => Ok(0),
        Some(number) => number.as_u64().ok_or_else(wrong),
    };
    let (before, after) = match value {
        Some(Value::Number(number)) => (0, number.as_u64().ok_or_else(wrong)?),
        Some(value @ Value::Object(_)) => (part(value, "before")?, part(value, "after")?),
        _ => return Err(wrong()),
    };
    Ok(FaultKind::Delay { before: Duration::from_millis(before), after: Duration::from_millis(after) })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: Value) -> Result<Fault, String> {
        Fault::try_from(serde_json::from_value::<FaultJson>(json).unwrap())
    }

    #[test]
    fn a_fault_without_times_strikes_once_and_with_nought_until_cleared() {
        assert_eq!(fault(json!({"fault": "refuse"})).unwrap().times, Some(1));
        assert_eq!(fault(json!({"fault": "refuse", "times": 0})).unwrap().times, None);
    }

    #[test]
    fn values_are_read_and_nonsense_is_refused() {
        let delay = fault(json!({"fault": "delay_ms", "value": {"before": 3}})).unwrap().kind;
        assert_eq!(delay, FaultKind::Delay { before: Duration::from_millis(3), after: Duration::ZERO });
        assert!(fault(json!({"fault": "delay_ms"})).is_err());
        assert!(fault(json!({"fault": "error_500", "value": "sometimes"})).is_err());
        assert!(fault(json!({"fault": "flood"})).is_err());
        assert!(fault(json!({"fault": "refuse", "probability": 2})).is_err());
    }

    #[test]
    fn a_listed_fault_can_be_posted_again() {
        for name in
            ["drop_response", "error_500", "truncated", "decline", "html_502", "wrong_charset", "redirect"]
        {
            let original = fault(json!({"fault": name, "times": 3})).unwrap();
            let copy = Fault::try_from(FaultJson::from(original.clone())).unwrap();
            assert_eq!(copy, original);
        }
    }
}
