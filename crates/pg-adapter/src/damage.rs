//! Damage to documents, for tests: structure-aware, so that what comes out is nearly right.

use proptest::prelude::*;
use serde_json::{Value, json};

/// How many damaged answers each rule is tried with.
pub(crate) const CASES: u32 = 10_000;

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
        Just(json!([{"a": [1, 2]}])),
    ]
}

#[derive(Clone, Debug)]
pub(crate) enum Damage {
    /// The field at this place (counted over the whole tree) is gone.
    Drop(usize),
    Replace(usize, Value),
    CutAt(usize),
    Flip(usize, u8),
}

pub(crate) fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<usize>().prop_map(Damage::Drop),
        (any::<usize>(), junk()).prop_map(|(place, value)| Damage::Replace(place, value)),
        any::<usize>().prop_map(Damage::CutAt),
        (any::<usize>(), 1..=u8::MAX).prop_map(|(place, bits)| Damage::Flip(place, bits)),
    ];
    prop::collection::vec(one, 1..4)
}

fn fields(value: &Value, at: &str, into: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, child)| (name.clone(), child)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        fields(child, &pointer, into);
        into.push(pointer);
    }
}

/// The document as it arrives after all of that happened to it.
pub(crate) fn damaged(mut value: Value, damage: &[Damage]) -> Vec<u8> {
    for damage in damage {
        damage_field(&mut value, damage);
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

fn damage_field(value: &mut Value, damage: &Damage) {
    let (Damage::Drop(place) | Damage::Replace(place, _)) = damage else { return };
    let mut pointers = Vec::new();
    fields(value, "", &mut pointers);
    if pointers.is_empty() {
        return;
    }
    let pointer = &pointers[place % pointers.len()];
    if let Damage::Replace(_, junk) = damage {
        *value.pointer_mut(pointer).unwrap() = junk.clone();
    } else {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        if let Some(Value::Object(map)) = value.pointer_mut(parent) {
            map.remove(name);
        }
    }
}
