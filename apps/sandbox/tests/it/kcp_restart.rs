use chrono::TimeDelta;
use serde_json::json;

use crate::{
    kcp_shop::{KcpShop, code, field},
    merchant::GOOD_CARD,
};

#[tokio::test]
async fn keys_windows_payments_and_notices_survive_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = KcpShop::opens_in(folder.path()).await;
    let key = shop.batch_key(GOOD_CARD).await;
    let unused = shop.card_window(GOOD_CARD);
    let tno = field(&shop.charges(&key, "ORDER1", 9_900).await, "tno");
    shop.takes_back(&tno, 900, 9_900).await;
    let notice = json!({"txCd": "TX00", "orderNo": "ORDER1"});
    shop.merchant.control(reqwest::Method::POST, "/kcp/notifications", notice).await;
    let (book, seen) = (shop.merchant.sandbox.book(), shop.inquires(&tno).await.text);

    // Twice, since what was read back has to be written back as well.
    for round in 0..2 {
        shop.merchant.sandbox.shutdown().await;
        shop = KcpShop::opens_in(folder.path()).await;
        assert_eq!(shop.merchant.sandbox.book(), book, "{round}");
        assert_eq!(shop.inquires(&tno).await.text, seen);
        assert_eq!(shop.merchant.sandbox.kcp_notices().len(), 1);
        assert_eq!(code(&shop.charges(&key, "ORDER1", 9_900).await), "8338");
    }
    let issued = shop.post("/gw/enc/v1/payment", crate::kcp_shop::window_fields(&unused)).await;
    assert_eq!(code(&issued), "0000");
    shop.merchant.clock.advance(TimeDelta::seconds(1));
    assert_eq!(code(&shop.takes_back(&tno, 9_000, 9_000).await), "0000");
}
