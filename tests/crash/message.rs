//! The process dies while messages are sent.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use kernel::{BusinessId, SystemClock};
use messaging::{
    Channel, Channels, Content, Mail, Messaging, NewMessage, PlatformSender, Purpose, Settings, Speaker, Text,
};
use platform::{SystemTx, Vault};
use sandbox::{Fault, FaultKind, Operation, Parcel};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::PgPool;
use tokio::time::sleep;

use crate::{
    dice::Dice,
    mood::Mood,
    process::{ENCRYPTION_KEY, SOLAPI_KEY, SOLAPI_SECRET},
    world::{World, patiently},
};

/// Between the mark and the answer lies the one moment that no mail server can be asked about: there a mail is lost
/// rather than sent twice, and stays unknown. A text is looked up.
const STEPS: [&str; 4] = ["message::claimed", "message::marked", "message::answered", "message::settled"];

#[tokio::test]
async fn killed_at_every_named_step_a_text_and_a_mail_are_sent_once() {
    let world = World::begins("message").await;
    opens_an_account(&world).await;
    let author = Author::at(&world).await;
    for step in STEPS {
        for mood in [Mood::Answers, Mood::DropsTheAnswer, Mood::BreaksBeforeProcessing] {
            let story = format!("killed at {step} while the carrier {mood:?}");
            author.says(&[text(&story, 1)]).await;
            // Only what happens before the process dies can strike it.
            mood.strikes_once(&world.sandbox, Operation::Send);
            world.worker_that_dies_at(step, &[]).aborts().await;
            world.sandbox.clear_faults();
            let mut worker = world.worker();
            settled(&world).await;
            worker.is_killed().await;
            assert_eq!(sent(&world, &story), 1, "{story}");
            assert_eq!(fates(&world, &story).await, ["DELIVERED"], "{story}");
        }
        let story = format!("killed at {step} with a mail");
        author.says(&[mail(&story)]).await;
        world.worker_that_dies_at(step, &[]).aborts().await;
        let mut worker = world.worker();
        settled(&world).await;
        worker.is_killed().await;
        let (mails, fate) = match step {
            // Not handed over for certain: handed over now.
            "message::claimed" | "message::settled" => (1, "SENT"),
            "message::answered" => (1, "UNKNOWN"),
            _ => (0, "UNKNOWN"),
        };
        assert_eq!(sent(&world, &story), mails, "{story}");
        assert_eq!(fates(&world, &story).await, [fate], "{story}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_two_workers_at_random_moments_while_1000_texts_wait_sends_each_exactly_once() {
    let mut dice = Dice::from_environment();
    let world = World::begins("messages").await;
    opens_an_account(&world).await;
    let author = Author::at(&world).await;
    let story = "a busy day";
    let texts: Vec<_> = (0..1_000).map(|n| text(story, n)).collect();
    author.says(&texts).await;
    let probably = |kind| Fault::new(kind).on(Operation::Send).until_cleared().with_probability(0.25);
    world.sandbox.set_faults([
        probably(FaultKind::DropResponse),
        probably(FaultKind::Refuse),
        Fault::new(FaultKind::Delay { before: Duration::from_millis(30), after: Duration::from_millis(30) })
            .until_cleared(),
    ]);
    let mut crew = [world.worker(), world.worker()];
    let mut kills = 0;
    while world.count("messaging.message where status in ('QUEUED', 'SENDING')").await > 0 && kills < 40 {
        sleep(dice.millis(300, 1_500)).await;
        let one = usize::try_from(dice.below(2)).expect("small");
        crew[one].is_killed().await;
        kills += 1;
        minutes_pass(&world).await;
        crew[one] = world.worker();
    }
    world.sandbox.clear_faults();
    settled(&world).await;
    let story_of_it = format!("CRASH_SEED={} after {kills} kills", dice.seed);
    assert!(kills >= 3, "the day was too short: {story_of_it}");
    let mut times: HashMap<String, usize> = HashMap::new();
    for parcel in world.sandbox.inbox() {
        *times.entry(parcel.reference.expect("ours has a name")).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "sent more than once: {twice:?}; {story_of_it}");
    assert_eq!(times.len(), 1_000, "{story_of_it}");
    assert_eq!(world.count("messaging.message where status = 'DELIVERED'").await, 1_000, "{story_of_it}");
}

/// Whoever has something to say; the processes send it.
struct Author {
    messaging: Messaging,
}

impl Author {
    async fn at(world: &World) -> Self {
        let db = PgPool::connect(world.database.url.expose_secret()).await.expect("the database answers");
        let sender = PlatformSender {
            name: "단골".to_owned(),
            phone: None,
            refusal_number: None,
            kakao_channel: None,
            mail_address: None,
            advertising_mail_address: None,
        };
        let settings = Arc::new(Settings {
            public_url: String::new(),
            shop_url: String::new(),
            sender,
            advertising_hours: messaging::AdvertisingHours::default(),
            advertisements_a_week: 3,
            concurrency: 1,
        });
        let vault = Vault::new(&ENCRYPTION_KEY.into()).expect("a key");
        let messaging =
            Messaging { db, clock: Arc::new(SystemClock), vault, channels: Channels::default(), settings };
        Self { messaging }
    }

    async fn says(&self, messages: &[NewMessage]) {
        let mut tx = SystemTx::begin(&self.messaging.db).await.expect("a transaction");
        self.messaging.enqueue(&mut tx, messages).await.expect("messages are written down");
        tx.commit().await.expect("a commit");
    }
}

fn text(story: &str, n: u32) -> NewMessage {
    NewMessage {
        business: BusinessId(1),
        dedup_key: format!("{story} {n}"),
        batch: Some(story.to_owned()),
        customer: None,
        spoken_by: Speaker::Business,
        purpose: Purpose::Information,
        channel: Channel::Sms,
        recipient: format!("0102{n:07}").into(),
        content: Content::Text(Text::new(story)),
        not_before: None,
        not_after: None,
    }
}

fn mail(story: &str) -> NewMessage {
    let content = Mail {
        subject: story.to_owned(),
        text: story.to_owned(),
        html: story.to_owned(),
        unsubscribe_url: None,
    };
    NewMessage {
        spoken_by: Speaker::Platform,
        channel: Channel::Email,
        recipient: "owner@misohair.com".into(),
        content: Content::Mail(content),
        ..text(story, 1)
    }
}

fn sent(world: &World, story: &str) -> usize {
    let says = |parcel: &&Parcel| parcel.text.trim() == story;
    world.sandbox.inbox().iter().filter(says).count()
}

async fn fates(world: &World, story: &str) -> Vec<String> {
    let query = "select status from messaging.message where batch = $1";
    sqlx::query_scalar(query).bind(story).fetch_all(&world.superuser).await.expect("the rows are read")
}

async fn opens_an_account(world: &World) {
    let url = format!("{}/_sandbox/solapi/accounts", world.sandbox.base_url());
    let account = json!({"apiKey": SOLAPI_KEY, "apiSecret": SOLAPI_SECRET});
    let answer = world.http.put(url).json(&account).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}

/// Some minutes pass: leases run out, pauses end and reports come.
async fn minutes_pass(world: &World) {
    let due = "update messaging.message set due_at = now() where due_at is not null";
    sqlx::query(due).execute(&world.superuser).await.expect("time passes");
    // What never arrived is looked for at the time at which it was sent. Of that alone it can be said that it was earlier.
    let unknown: Vec<(uuid::Uuid,)> = sqlx::query_as(
        "select message_id from messaging.message
         where status = 'UNKNOWN' and provider = 'SOLAPI' and checks >= 1
           and asked_at between now() - interval '20 minutes' and now() - interval '3 seconds'",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the rows are read");
    let arrived: HashSet<String> =
        world.sandbox.inbox().into_iter().filter_map(|parcel| parcel.reference).collect();
    let is_absent = |id: &uuid::Uuid| !arrived.contains(&format!("msg_{}", id.simple()));
    let absent: Vec<uuid::Uuid> = unknown.into_iter().map(|(id,)| id).filter(is_absent).collect();
    let earlier =
        "update messaging.message set asked_at = asked_at - interval '21 minutes' where message_id = any($1)";
    sqlx::query(earlier).bind(absent).execute(&world.superuser).await.expect("time passes");
}

async fn settled(world: &World) {
    patiently("every message is settled", async || {
        minutes_pass(world).await;
        let open = "messaging.message where status in ('QUEUED', 'SENDING')
            or (status in ('SENT', 'UNKNOWN') and provider = 'SOLAPI')";
        world.count(open).await == 0
    })
    .await;
}

impl World {
    async fn count(&self, rows: &str) -> i64 {
        let query = format!("select count(*) from {rows}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&self.superuser)
            .await
            .expect("the rows are counted")
    }
}
