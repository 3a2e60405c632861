use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use sandbox::BookStatus;
use serde_json::json;

use crate::merchant::{CUSTOMER, GOOD_CARD, Merchant, SUSPENDED_CARD, charge_body};

#[tokio::test]
async fn book_keys_and_kept_answers_survive_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Merchant::opens_in(folder.path()).await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let bad = format!("/v1/billing/{}", shop.billing_key(SUSPENDED_CARD).await);
    let first = shop.post_once("key-1", &path, charge_body("order-kept", 1_000)).await;
    let refused = shop.post_once("key-2", &bad, charge_body("order-bad", 1_000)).await;
    let payment = first.json()["paymentKey"].as_str().unwrap().to_owned();
    shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": 300})).await;
    let list = "/v1/transactions?startDate=2020-01-01&endDate=2099-01-01";
    let (book, rows) = (shop.sandbox.book(), shop.get(list).await.json());
    assert_eq!((book.len(), rows.as_array().unwrap().len()), (3, 2));

    // Twice, since what was read back has to be written back as well.
    for round in 0..2 {
        shop.sandbox.shutdown().await;
        shop = Merchant::opens_in(folder.path()).await;
        assert_eq!(shop.sandbox.book(), book);
        assert_eq!(shop.get(list).await.json(), rows);
        let again = shop.post_once("key-1", &path, charge_body("order-kept", 1_000)).await;
        assert_eq!(again.text, first.text);
        let again = shop.post_once("key-2", &bad, charge_body("order-bad", 1_000)).await;
        assert_eq!(again.text, refused.text);
        assert_eq!(
            shop.get(&format!("/v1/payments/{payment}")).await.json()["balanceAmount"],
            700,
            "{round}"
        );
    }
    let new = shop.post(&path, charge_body("order-after", 1_000)).await;
    assert_eq!(new.status, 200);
    let double = shop.post(&path, charge_body("order-kept", 1_000)).await;
    assert_eq!(double.refusal(), "400 DUPLICATED_ORDER_ID");
}

#[tokio::test]
async fn a_dropped_sandbox_lets_go_of_its_folder_and_a_torn_line_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Merchant::opens_in(folder.path()).await;
    let key = shop.billing_key(GOOD_CARD).await;
    shop.charges(&key, "order-whole", 1_000).await;
    drop(shop);
    let mut journal = fs::OpenOptions::new().append(true).open(folder.path().join("journal.jsonl")).unwrap();
    journal.write_all(br#"[{"Book":{"provider":"TOSS","orderId":"order-to"#).unwrap();

    let shop = Merchant::opens_in(folder.path()).await;
    assert_eq!(shop.sandbox.book().len(), 1);
    assert_eq!(shop.charges(&key, "order-next", 1_000).await.status, 200);
}

#[tokio::test]
async fn a_taken_port_is_one_clear_sentence() {
    let shop = Merchant::opens().await;
    let config = sandbox::SandboxConfig {
        addr: shop.sandbox.addr(),
        data_dir: None,
        clock: shop.clock.clone(),
        webhook_urls: sandbox::WebhookUrls::default(),
        latency: std::time::Duration::ZERO,
    };
    let error = sandbox::Sandbox::start(config).await.err().unwrap();
    assert!(error.to_string().contains("another program"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_sandbox_remembers_every_charge_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    // The keys are made in process; the charges go to a process that can be killed.
    let shop = Merchant::opens_in(folder.path()).await;
    let key = shop.billing_key(GOOD_CARD).await;
    shop.sandbox.shutdown().await;
    let mut process = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--addr", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .env("NO_COLOR", "1")
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().rsplit_once("url=").expect("the log names the address").1.to_owned();

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let charging = (0..8).map(|worker| {
        let (client, url) = (client.clone(), format!("{url}/toss/v1/billing/{key}"));
        tokio::spawn(async move {
            let mut answered = Vec::new();
            for n in 0.. {
                let order = format!("order-{worker}-{n}");
                let request =
                    client.post(&url).basic_auth("test_sk_story", Some("")).header("idempotency-key", &order);
                match request.json(&charge_body(&order, 1_000)).send().await {
                    Ok(response) if response.status() == 200 => answered.push(order),
                    Ok(response) => panic!("{}", response.status()),
                    Err(_) => break,
                }
            }
            answered
        })
    });
    let charging: Vec<_> = charging.collect();
    tokio::time::sleep(Duration::from_millis(400)).await;
    process.kill().unwrap();
    process.wait().unwrap();

    let shop = Merchant::opens_in(folder.path()).await;
    let book = shop.sandbox.book();
    let mut answered = 0;
    for worker in charging {
        for order in worker.await.unwrap() {
            answered += 1;
            let approved =
                book.iter().filter(|line| line.order_id == order && line.status == BookStatus::Approved);
            assert_eq!(approved.count(), 1, "{order}");
        }
    }
    assert!(answered > 0 && book.len() <= answered + 8, "{answered} answered, {} in the book", book.len());
    let auth_key = shop.sandbox.billing_auth(CUSTOMER, GOOD_CARD);
    assert!(auth_key.is_ok());
}
