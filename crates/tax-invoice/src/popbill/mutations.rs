//! Answers that were damaged on their way: no damage may panic, and none may turn a no into a yes.

use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{
    documents::{Found, found},
    http::{self, Answer},
    issue::{self, FirstWord, Settled},
    mapping, webhook,
};
use crate::{DocumentKey, InvoiceState, Lookup, Outcome, document::sample};

fn key() -> DocumentKey {
    sample::invoice().key.clone()
}

/// The sample invoice as `TaxinvoiceInfo` in this state.
fn info(state: i64) -> Value {
    json!({
        "itemKey": "026021410000000001", "taxType": "과세", "writeDate": "20260214", "regDT": "20260214100000",
        "issueType": "정발행", "issueDT": "20260214100000", "supplyCostTotal": "39000", "taxTotal": "3900",
        "purposeType": "영수", "modifyCode": null, "stateCode": state, "stateDT": "20260214100000",
        "openYN": false, "ntsconfirmNum": sample::CONFIRMATION, "ntssendDT": null, "ntsresultDT": null,
        "ntssendErrCode": null, "invoicerCorpNum": "1234567891", "invoicerMgtKey": "INV-20260214-001",
        "invoiceeCorpName": "헤어살롱", "invoiceeCorpNum": "2222222227",
    })
}

/// What may stand where something else should.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

#[derive(Clone, Debug)]
enum Damage {
    Drop(usize),
    Replace(usize, Value),
    CutAt(usize),
    Flip(usize, u8),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<usize>().prop_map(Damage::Drop),
        (any::<usize>(), junk()).prop_map(|(place, value)| Damage::Replace(place, value)),
        any::<usize>().prop_map(Damage::CutAt),
        (any::<usize>(), 1..=u8::MAX).prop_map(|(place, bits)| Damage::Flip(place, bits)),
    ];
    prop::collection::vec(one, 1..4)
}

/// All answers here are flat objects.
fn damaged(mut value: Value, damage: &[Damage]) -> Vec<u8> {
    for damage in damage {
        let Value::Object(fields) = &mut value else { break };
        let names: Vec<String> = fields.keys().cloned().collect();
        match damage {
            Damage::Drop(place) if !names.is_empty() => {
                fields.remove(&names[place % names.len()]);
            }
            Damage::Replace(place, junk) if !names.is_empty() => {
                fields.insert(names[place % names.len()].clone(), junk.clone());
            }
            _ => {}
        }
    }
    let mut bytes = value.to_string().into_bytes();
    for damage in damage {
        match damage {
            Damage::CutAt(place) => bytes.truncate(place % (bytes.len() + 1)),
            Damage::Flip(place, bits) if !bytes.is_empty() => {
                let place = place % bytes.len();
                bytes[place] ^= bits;
            }
            _ => {}
        }
    }
    bytes
}

fn looked_up(body: Vec<u8>) -> Found {
    found(Answer::Accepted(body), &key())
}

fn doubt(status: u16, code: i64) -> issue::Doubt {
    match issue::first_word(Answer::Refused { status: StatusCode::from_u16(status).unwrap(), code }) {
        FirstWord::LookUp(doubt) => doubt,
        _ => panic!("a refusal is to be looked up"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_500))]

    #[test]
    fn a_refusal_never_becomes_a_yes(
        damage in damage(),
        status in 300_u16..600,
        code in prop::sample::select(vec![-11_002_031_i64, -11_001_021, -11_000_000, -12_345_678, 1]),
    ) {
        let body = damaged(json!({"code": code, "message": "거절", "ntsConfirmNum": null}), &damage);
        let answer = http::understand(StatusCode::from_u16(status).unwrap(), body);
        prop_assert!(!matches!(issue::first_word(answer), FirstWord::Done(_)));
    }

    #[test]
    fn a_success_is_understood_whole_or_not_at_all(damage in damage()) {
        let body = json!({"code": 1, "message": "발행", "ntsConfirmNum": sample::CONFIRMATION});
        if let Ok(Some(number)) = mapping::issued(&damaged(body, &damage)) {
            prop_assert_eq!(number.as_str().len(), 24);
        }
        // Nor does a code that is not a success become one unless a damage writes that very digit.
        let body = json!({"code": -11_002_031, "message": "거절", "ntsConfirmNum": sample::CONFIRMATION});
        let fields_only: Vec<Damage> =
            damage.into_iter().filter(|it| matches!(it, Damage::Drop(_) | Damage::CutAt(_))).collect();
        prop_assert!(mapping::issued(&damaged(body, &fields_only)).is_err());
    }

    #[test]
    fn what_is_not_issued_never_becomes_issued(
        damage in damage(), state in prop::sample::select(vec![100_i64, 600, 200, 400, 500, 0, -1]),
    ) {
        // A damage that happens to write another state is no damage that anybody could notice.
        let harmless = |it: &Damage| matches!(it, Damage::Drop(_) | Damage::CutAt(_));
        let damage: Vec<Damage> = damage.into_iter().filter(harmless).collect();
        let found = looked_up(damaged(info(state), &damage));
        let settled = issue::settled(&sample::invoice(), &doubt(400, -1), found);
        prop_assert!(!matches!(settled, Settled::Outcome(Outcome::Issued(_))));
    }

    #[test]
    fn an_issued_invoice_is_never_refused_but_for_another_ones_content(damage in damage()) {
        let found = looked_up(damaged(info(304), &damage));
        let is_whole = match &found {
            Found::Document(document) => document.is(&sample::invoice()) && document.standing.state != InvoiceState::Withdrawn,
            Found::Nothing | Found::Unknown(_) => false,
        };
        prop_assert!(!matches!(found, Found::Nothing));
        match issue::settled(&sample::invoice(), &doubt(400, -11_002_031), found) {
            Settled::Outcome(Outcome::Issued(_)) => prop_assert!(is_whole),
            Settled::Outcome(Outcome::Refused(refusal)) => {
                prop_assert!(matches!(refusal.code.as_str(), "KEY_TAKEN" | "WITHDRAWN"), "{}", refusal.code);
            }
            Settled::Outcome(Outcome::Unknown(_)) | Settled::OnlySaved => {}
            Settled::Outcome(Outcome::NotSent(_)) => prop_assert!(false, "a look-up was sent"),
        }
    }

    #[test]
    fn a_withdrawal_is_never_believed_of_a_document_that_stands(damage in damage()) {
        let harmless = |it: &Damage| matches!(it, Damage::Drop(_) | Damage::CutAt(_));
        let damage: Vec<Damage> = damage.into_iter().filter(harmless).collect();
        for state in [300, 303, 304, 305] {
            let outcome = issue::withdrawn(looked_up(damaged(info(state), &damage)), "refused".to_owned());
            prop_assert!(!matches!(outcome, Outcome::Issued(())));
        }
    }

    #[test]
    fn an_answer_cut_short_is_unknown(place in any::<prop::sample::Index>()) {
        let whole = info(304).to_string().into_bytes();
        let found = looked_up(whole[..place.index(whole.len())].to_vec());
        prop_assert!(matches!(found.into_lookup(), Lookup::Unknown(_)));
    }

    #[test]
    fn a_damaged_list_tells_of_no_document_that_was_not_asked_for(damage in damage()) {
        let body = damaged(info(304), &damage);
        let body = [b"[".as_slice(), &body, b"]"].concat();
        for document in mapping::documents(&body, &[key()]).unwrap_or_default() {
            prop_assert_eq!(document.standing.key, key());
        }
    }

    #[test]
    fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300), status in 200_u16..600) {
        let found = looked_up(body.clone());
        prop_assert!(matches!(found, Found::Unknown(_)));
        prop_assert!(mapping::documents(&body, &[key()]).unwrap_or_default().is_empty());
        let _ = http::understand(StatusCode::from_u16(status).unwrap(), body.clone());
        prop_assert!(webhook::read(&HeaderMap::new(), &body, "1234567891".parse().unwrap(), None).is_err());
    }
}
