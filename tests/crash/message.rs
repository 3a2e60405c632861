//! The process dies while messages are sent.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kernel::{BusinessId, SystemClock};
use messaging::{
    Channel, Channels, Content, Mail, Messaging, NewMessage, PlatformSender, Purpose, Recipient, Settings,
    Speaker, Text,
};
use platform::{SystemTx, Vault};
use sandbox::{Fault, FaultKind, Operation, Parcel};
use secrecy::{ExposeSecret, SecretString};
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

pub(crate) const REFUSAL_NUMBER: &str = "0800000000";
const NHN_KEY: &str = "crash-tests";
const NHN_SECRET: &str = "the-nhn-secret-of-the-crash-tests";

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

#[tokio::test]
async fn killed_at_every_named_step_an_advertisement_is_sent_once_whoever_carries_it() {
    for carrier in ["SOLAPI", "NHN"] {
        let world = World::begins(&format!("advertisement-{carrier}")).await;
        opens_an_account(&world).await;
        let author = Author::at(&world).await;
        author.knows_somebody_who_agreed(&world).await;
        let nhn = format!("{}/nhn/sms", world.sandbox.base_url());
        let variables = [
            ("DANGOL_TEXT_CARRIER", carrier),
            ("DANGOL_REFUSAL_NUMBER", REFUSAL_NUMBER),
            ("DANGOL_ADVERTISEMENTS_A_WEEK", "1000"),
            ("NHN_SMS_APP_KEY", NHN_KEY),
            ("NHN_SMS_SECRET_KEY", NHN_SECRET),
            ("NHN_SMS_API_BASE_URL", nhn.as_str()),
        ];
        for step in STEPS {
            for mood in [Mood::Answers, Mood::DropsTheAnswer] {
                let story = format!("{step} {mood:?} {carrier}");
                author.says(&[advertisement(&story)]).await;
                mood.strikes_once(&world.sandbox, Operation::Send);
                world.worker_that_dies_at(step, &variables).aborts().await;
                world.sandbox.clear_faults();
                let mut worker = world.worker_with(&variables);
                settled(&world).await;
                worker.is_killed().await;
                let arrived = world.sandbox.inbox();
                let times = arrived.iter().filter(|parcel| parcel.text.contains(&story)).count();
                assert_eq!(times, 1, "{story}");
                assert_eq!(fates(&world, &story).await, ["DELIVERED"], "{story}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_two_workers_at_random_moments_while_1000_texts_are_said_sends_each_exactly_once() {
    let mut dice = Dice::from_environment();
    let world = World::begins("messages").await;
    opens_an_account(&world).await;
    let author = Author::at(&world).await;
    let story = "a busy day";
    let probably = |kind| Fault::new(kind).on(Operation::Send).until_cleared().with_probability(0.25);
    world.sandbox.set_faults([
        probably(FaultKind::DropResponse),
        probably(FaultKind::Refuse),
        Fault::new(FaultKind::Delay { before: Duration::from_millis(30), after: Duration::from_millis(30) })
            .until_cleared(),
    ]);
    let mut crew = [world.worker(), world.worker()];
    for hour in 0..10 {
        let texts: Vec<_> = (0..100).map(|n| text(story, hour * 100 + n)).collect();
        author.says(&texts).await;
        sleep(dice.millis(300, 1_500)).await;
        let one = usize::try_from(dice.below(2)).expect("small");
        crew[one].is_killed().await;
        minutes_pass(&world).await;
        crew[one] = world.worker();
    }
    world.sandbox.clear_faults();
    settled(&world).await;
    let story_of_it = format!("CRASH_SEED={}", dice.seed);
    let mut times: HashMap<String, usize> = HashMap::new();
    for parcel in world.sandbox.inbox() {
        *times.entry(parcel.reference.expect("ours has a name")).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "sent more than once: {twice:?}; {story_of_it}");
    assert_eq!(times.len(), 1_000, "{story_of_it}");
    assert_eq!(world.count("messaging.delivery where status = 'DELIVERED'").await, 1_000, "{story_of_it}");
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
            refusal_number: Some(REFUSAL_NUMBER.to_owned()),
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
            prices: messaging::Prices::default(),
            concurrency: 1,
        });
        let vault = Vault::new(&ENCRYPTION_KEY.into()).expect("a key");
        let messaging = Messaging {
            db,
            clock: Arc::new(SystemClock),
            vault,
            channels: Channels::default(),
            settings,
            counting: Arc::default(),
        };
        Self { messaging }
    }

    /// By day and by night, whenever this runs.
    async fn knows_somebody_who_agreed(&self, world: &World) {
        let (vault, phone) = (&self.messaging.vault, SecretString::from("01012345678"));
        sqlx::query(
            "insert into booking.customer
                 (business_id, customer_id, name, phone, phone_hash, created_at, changed_at)
             values (1, 1, '김민서', $1, $2, now(), now())",
        )
        .bind(vault.seal("booking.customer.phone:1", &phone))
        .bind(vault.keyed_hash(&phone))
        .execute(&world.superuser)
        .await
        .expect("a customer");
        sqlx::query(
            "insert into messaging.consent
                 (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
             select 1, 1, 'SMS', purpose, 'GIVEN', now() - interval '1 hour', now(), 'PAPER', 'v1'
             from unnest(array['MARKETING', 'MARKETING_NIGHT']) as purpose",
        )
        .execute(&world.superuser)
        .await
        .expect("a consent");
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
        spoken_by: Speaker::Business,
        purpose: Purpose::Information,
        channel: Channel::Sms,
        recipient: Recipient::Contact(format!("0102{n:07}").into()),
        content: Content::Text(Text::new(story)),
        not_before: None,
        not_after: None,
    }
}

fn advertisement(story: &str) -> NewMessage {
    NewMessage { purpose: Purpose::Advertising, recipient: Recipient::Customer(1), ..text(story, 1) }
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
        recipient: Recipient::Contact("owner@misohair.com".into()),
        content: Content::Mail(content),
        ..text(story, 1)
    }
}

fn sent(world: &World, story: &str) -> usize {
    let says = |parcel: &&Parcel| parcel.text.trim() == story;
    world.sandbox.inbox().iter().filter(says).count()
}

async fn fates(world: &World, story: &str) -> Vec<String> {
    let query = "select status from messaging.delivery where batch = $1";
    sqlx::query_scalar(query).bind(story).fetch_all(&world.superuser).await.expect("the rows are read")
}

pub(crate) async fn opens_an_account(world: &World) {
    let url = format!("{}/_sandbox/solapi/accounts", world.sandbox.base_url());
    let account = json!({"apiKey": SOLAPI_KEY, "apiSecret": SOLAPI_SECRET});
    let answer = world.http.put(url).json(&account).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    let url = format!("{}/_sandbox/nhn/accounts", world.sandbox.base_url());
    let account = json!({"appKey": NHN_KEY, "secretKey": NHN_SECRET});
    let answer = world.http.put(url).json(&account).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}

/// Some minutes pass: leases run out, pauses end and reports come.
pub(crate) async fn minutes_pass(world: &World) {
    // What somebody is writing to is theirs this very moment, and so is what was taken in the last three seconds, under a
    // lease of five minutes, or marked: who did so is alive.
    let due = "update messaging.delivery m set due_at = now()
        from (select business_id, message_id from messaging.delivery
              where due_at > now()
                and not (status = 'SENDING' and (due_at > now() + interval '297 seconds'
                                                 or coalesce(asked_at > now() - interval '3 seconds', false)))
              for update skip locked) later
        where m.business_id = later.business_id and m.message_id = later.message_id";
    sqlx::query(due).execute(&world.superuser).await.expect("time passes");
    // Whatever became of it: where it is at the carrier it has to be found, and what is not there is sent again.
    let earlier = "update messaging.delivery m set asked_at = asked_at - interval '21 minutes'
        from (select business_id, message_id from messaging.delivery
              where status = 'UNKNOWN' and provider in ('SOLAPI', 'NHN')
                and asked_at between now() - interval '20 minutes' and now() - interval '3 seconds'
              for update skip locked) lost
        where m.business_id = lost.business_id and m.message_id = lost.message_id";
    sqlx::query(earlier).execute(&world.superuser).await.expect("time passes");
}

async fn settled(world: &World) {
    patiently("every message is settled", async || {
        minutes_pass(world).await;
        let open = "messaging.delivery where status in ('QUEUED', 'SENDING')
            or (status in ('SENT', 'UNKNOWN') and provider <> 'SMTP')";
        world.count(open).await == 0
    })
    .await;
}

impl World {
    pub(crate) async fn count(&self, rows: &str) -> i64 {
        let query = format!("select count(*) from {rows}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&self.superuser)
            .await
            .expect("the rows are counted")
    }
}
