use chrono::TimeDelta;
use sandbox::{BookKind, KcpSwitches};
use serde_json::json;

use crate::kcp_shop::{KcpShop, code, field};

#[tokio::test]
async fn a_whole_cancel_happens_once() {
    let shop = KcpShop::opens().await;
    let tno = shop.paid("ORDER1", 9_900).await;
    let canceled = shop.cancels(&tno, "STSC", json!({"mod_desc": "환불"})).await.json();
    assert_eq!((canceled["res_cd"].as_str(), canceled["amount"].as_str()), (Some("0000"), Some("9900")));
    assert_eq!(canceled.get("mod_pcan_seq_no"), None);
    assert_eq!(code(&shop.cancels(&tno, "STSC", json!({})).await), "8133");
    assert_eq!(code(&shop.takes_back(&tno, 100, 9_900).await), "8133");
    let seen = shop.inquires(&tno).await.json();
    assert_eq!((seen["stat_ca_cd"].as_str(), seen["rem_mny"].as_str()), (Some("STSC"), Some("0")));
    let cancels = shop.merchant.sandbox.book();
    assert_eq!(cancels.iter().filter(|line| line.kind == BookKind::Cancel).count(), 1);
}

#[tokio::test]
async fn a_part_is_taken_back_by_whoever_knows_what_was_left_before() {
    let shop = KcpShop::opens().await;
    let tno = shop.paid("ORDER1", 9_900).await;
    let first = shop.takes_back(&tno, 3_000, 9_900).await;
    assert_eq!(field(&first, "rem_mny"), "6900", "what is left after, under the same name");
    assert_eq!(field(&first, "mod_mny"), "3000");
    let sequence = field(&first, "mod_pcan_seq_no");

    assert_eq!(code(&shop.takes_back(&tno, 3_000, 9_900).await), "8381", "the repeat is refused");
    assert_eq!(code(&shop.takes_back(&tno, 7_000, 6_900).await), "8382");
    assert_eq!(code(&shop.takes_back(&tno, 0, 6_900).await), "8035");
    assert_eq!(code(&shop.cancels(&tno, "STSC", json!({})).await), "CCA9");
    let rest = shop.takes_back(&tno, 6_900, 6_900).await;
    assert_eq!(field(&rest, "rem_mny"), "0");
    assert_ne!(field(&rest, "mod_pcan_seq_no"), sequence);
    let seen = shop.inquires(&tno).await.json();
    assert_eq!((seen["stat_ca_cd"].as_str(), seen["canc_card_yn"].as_str()), (Some("STPC"), Some("Y")));
}

#[tokio::test]
async fn a_signature_covers_site_number_and_mode() {
    let shop = KcpShop::opens().await;
    let tno = shop.paid("ORDER1", 9_900).await;
    let with = |signature: String| json!({"kcp_sign_data": signature, "mod_mny": "100", "rem_mny": "9900"});
    for wrong in [String::new(), "!".into(), "AAAA".into(), shop.sign(&tno, "STSC"), shop.sign("1", "STPC")] {
        assert_eq!(code(&shop.cancels(&tno, "STPC", with(wrong)).await), "8642");
    }
    assert_eq!(code(&shop.cancels(&tno, "STPC", with(shop.sign(&tno, "STPC"))).await), "0000");
    let unsigned = json!({"tno": tno, "pay_type": "PACA"});
    assert_eq!(code(&shop.post("/std/inquery", unsigned).await), "8642");
}

#[tokio::test]
async fn what_does_not_exist_or_is_not_allowed_is_refused() {
    let shop = KcpShop::opens().await;
    assert_eq!(code(&shop.cancels("26112000000001", "STSC", json!({})).await), "8132");
    assert_eq!(code(&shop.inquires("26112000000001").await), "8132");
    let tno = shop.paid("ORDER1", 9_900).await;
    assert_eq!(code(&shop.cancels(&tno, "STRA", json!({})).await), "8024");

    shop.switch(KcpSwitches { cancel_ip_unregistered: true, ..KcpSwitches::default() });
    assert_eq!(code(&shop.cancels(&tno, "STSC", json!({})).await), "8012");
    assert_eq!(code(&shop.inquires(&tno).await), "0000");

    shop.switch(KcpSwitches { no_partial_cancels: true, ..KcpSwitches::default() });
    let whole_only = shop.paid("ORDER2", 9_900).await;
    assert_eq!(code(&shop.takes_back(&whole_only, 100, 9_900).await), "8141");
    assert_eq!(code(&shop.cancels(&whole_only, "STSC", json!({})).await), "0000");
}

#[tokio::test]
async fn the_inquiry_tells_a_payment_late_where_the_switch_says_so() {
    let shop = KcpShop::opens().await;
    shop.switch(KcpSwitches { inquiry_lag_seconds: 60, old_cancel_names: true, ..KcpSwitches::default() });
    let tno = shop.paid("ORDER1", 9_900).await;
    assert_eq!(code(&shop.inquires(&tno).await), "8132");
    shop.merchant.clock.advance(TimeDelta::seconds(61));
    let seen = shop.inquires(&tno).await.json();
    assert_eq!((seen["order_no"].as_str(), seen["stat_ca_cd"].as_str()), (Some("ORDER1"), Some("STSR")));

    let canceled = shop.takes_back(&tno, 900, 9_900).await.json();
    assert_eq!((canceled["panc_rem_mny"].as_str(), canceled.get("rem_mny")), (Some("9000"), None));
    assert_eq!(field(&shop.inquires(&tno).await, "rem_mny"), "9900");
    shop.merchant.clock.advance(TimeDelta::seconds(61));
    assert_eq!(field(&shop.inquires(&tno).await, "rem_mny"), "9000");
}
