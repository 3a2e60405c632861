//! Screens: what is told over WebSocket and as server-sent events, and how a connection ends.

use std::{net::SocketAddr, time::Duration};

use chrono::TimeDelta;
use notifications::{Hub, Limits};
use serde_json::json;
use testkit::{EventSource, Screen, TestApp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{all_is_told, cut_at, notice, reserves, told, unread};

/// The same process with other limits.
async fn limited(limits: Limits) -> TestApp {
    let mut app = TestApp::start().await;
    app.restarts(|app| app.notifications.hub = Hub::new(limits));
    app
}

#[tokio::test]
async fn a_new_reservation_is_on_the_shops_screen_the_moment_it_is_made() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let mut shop = Screen::open(address, &app.owner(), "").await;
    let mut kim = Screen::open(address, &app.customer(1, "C-1001"), "").await;
    let mut other_shop = Screen::open(address, &app.owner_of(2), "").await;
    for screen in [&mut shop, &mut kim, &mut other_shop] {
        assert_eq!(screen.connected().await, 0);
    }
    let id = reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    let frame = shop.next().await;
    let told = told(&app.owner()).await;
    assert_eq!(
        frame,
        json!({"type": "NOTIFICATION", "data": {
            "id": told[0]["id"],
            "notificationType": "RESERVATION_NEW",
            "title": "새 예약",
            "message": "김민서님이 2월 14일(토) 10:00 여성 컷 예약을 했습니다.",
            "link": format!("/reservations/{id}"),
            "createdAt": told[0]["createdAt"],
        }})
    );
    kim.tells("RESERVATION_CONFIRM").await;
    other_shop.is_silent().await;
    shop.is_silent().await;
}

#[tokio::test]
async fn who_comes_back_is_told_what_they_missed_in_order_and_then_what_is_new() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let mut screen = Screen::open(address, &app.owner(), "").await;
    screen.connected().await;
    notice(&app, "공지 0").await;
    let seen = screen.notification().await["id"].clone();
    drop(screen);
    // More than are read at once.
    for n in 1..=450 {
        notice(&app, &format!("공지 {n}")).await;
    }
    all_is_told(&app).await;
    let mut screen = Screen::open(address, &app.owner(), &format!("?lastId={seen}")).await;
    assert_eq!(screen.connected().await, 451);
    for n in 1..=450 {
        assert_eq!(screen.notification().await["title"], format!("공지 {n}"));
    }
    notice(&app, "공지 451").await;
    assert_eq!(screen.notification().await["title"], "공지 451");
    screen.is_silent().await;
}

#[tokio::test]
async fn a_number_that_was_never_told_silences_nothing() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let mut screen = Screen::open(address, &app.owner(), "?lastId=9223372036854775807").await;
    screen.connected().await;
    notice(&app, "공지").await;
    screen.tells("SYSTEM").await;
}

#[tokio::test]
async fn reading_and_asking_whether_somebody_is_there() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    notice(&app, "공지 1").await;
    notice(&app, "공지 2").await;
    all_is_told(&app).await;
    let owner = app.owner();
    let mut screen = Screen::open(address, &owner, "?lastId=0").await;
    assert_eq!(screen.connected().await, 2);
    let first = screen.notification().await["id"].clone();
    screen.notification().await;
    screen.says(json!({"type": "READ", "id": first})).await;
    assert_eq!(screen.next().await, json!({"type": "READ", "id": first, "unreadCount": 1}));
    screen.says(json!({"type": "PING"})).await;
    assert_eq!(screen.next().await, json!({"type": "PONG"}));
    screen.says(json!({"type": "READ", "id": 999_999})).await;
    assert_eq!(screen.next().await["code"], "NOT_FOUND");
    for nonsense in
        [json!({"type": "DROP"}), json!([]), json!({"type": "READ"}), json!("PING"), json!({"id": 1})]
    {
        screen.says(nonsense).await;
        let frame = screen.next().await;
        assert_eq!((&frame["type"], &frame["code"]), (&json!("ERROR"), &json!("UNKNOWN_FRAME")));
    }
    screen.says(json!({"type": "x".repeat(10_000)})).await;
    assert_eq!(screen.closed().await, (1009, "FRAME_TOO_LARGE".to_owned()));
    let mut screen = Screen::open(address, &owner, "").await;
    assert_eq!(screen.connected().await, 1);
    screen.says_what_is_no_text().await;
    assert_eq!(screen.closed().await, (1007, "NOT_UTF8".to_owned()));
}

#[tokio::test]
async fn a_browser_connects_with_a_ticket_that_is_good_once_for_half_a_minute() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let ticket = async || {
        let answer = app.owner().post("/api/notifications/ticket", json!(null)).await;
        assert_eq!(answer.data()["expiresInSeconds"], 30);
        format!("?ticket={}", answer.data()["ticket"].as_str().expect("a ticket"))
    };
    let good = ticket().await;
    // Whoever sends a token means it, and leaves the ticket as it is.
    let with_both = Screen::try_open(address, Some(app.owner().token()), &good).await;
    with_both.expect("the token is good").connected().await;
    let with_none = Screen::try_open(address, Some("none"), &good).await;
    assert_eq!(with_none.err().expect("no token").as_u16(), 401);
    let mut screen = Screen::open_in_browser(address, &good).await.expect("the ticket is good");
    screen.connected().await;
    notice(&app, "공지").await;
    screen.tells("SYSTEM").await;
    assert_eq!(Screen::open_in_browser(address, &good).await.err().expect("used").as_u16(), 401);

    let late = ticket().await;
    app.pass(TimeDelta::seconds(31));
    let invented = format!("?ticket={}", "0".repeat(64));
    for ticket in [late.as_str(), invented.as_str(), ""] {
        assert_eq!(Screen::open_in_browser(address, ticket).await.err().expect("no ticket").as_u16(), 401);
    }
    let refused = app.anonymous().get(&format!("/api/notifications/stream{invented}")).await;
    refused.problem(401, "TICKET_INVALID");
    app.app.notifications.sweep().await.expect("a sweep");
    assert_eq!(app.count("notifications.ticket").await, 0, "nothing of it is kept");
}

#[tokio::test]
async fn a_ticket_of_one_server_is_good_at_another() {
    let app = TestApp::start().await;
    app.listens().await;
    let (_other, address) = app.another_server().await;
    let answer = app.owner().post("/api/notifications/ticket", json!(null)).await;
    let ticket = answer.data()["ticket"].as_str().expect("a ticket").to_owned();
    let screen = Screen::open_in_browser(address, &format!("?ticket={ticket}")).await;
    screen.expect("the ticket is good").connected().await;
}

#[tokio::test]
async fn the_same_comes_as_server_sent_events() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let mut source = EventSource::open(address, &app.owner(), None).await;
    let connected = source.next().await;
    assert_eq!(connected.name, "CONNECTED");
    assert_eq!(connected.data["unreadCount"], 0);
    let position = connected.id.expect("where a browser would go on");

    notice(&app, "공지 1").await;
    let told = source.next().await;
    assert_eq!((told.name.as_str(), &told.data["type"]), ("NOTIFICATION", &json!("NOTIFICATION")));
    assert_eq!(told.data["data"]["title"], "공지 1");
    assert_eq!(json!(told.id), told.data["data"]["id"]);
    drop(source);

    notice(&app, "공지 2").await;
    all_is_told(&app).await;
    for (from, expected) in [(told.id, &["공지 2"][..]), (Some(position), &["공지 1", "공지 2"])] {
        let mut source = EventSource::open(address, &app.owner(), from).await;
        source.next().await;
        for title in expected {
            assert_eq!(source.next().await.data["data"]["title"], *title);
        }
        notice(&app, "하나 더").await;
        assert_eq!(source.next().await.data["data"]["title"], "하나 더");
        // So that the next one starts from the same.
        app.sql("delete from notifications.notification where title = '하나 더'").await;
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    // It ran out, and is good for some seconds more, as it is for any request.
    let short = app.owner_for(1, TimeDelta::milliseconds(-27_500));
    let mut screen = Screen::open(address, &short, "").await;
    let mut source = EventSource::open(address, &short, None).await;
    screen.connected().await;
    source.next().await;
    assert_eq!(screen.closed().await, (4401, "TOKEN_EXPIRED".to_owned()));
    let closed = source.next().await;
    assert_eq!(closed.data, json!({"type": "CLOSED", "code": 4401, "reason": "TOKEN_EXPIRED"}));
}

/// Connects and never says another word; answers with all that it heard.
async fn says_nothing(address: SocketAddr, token: String) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let hello = format!(
        "GET /ws/notifications HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(hello.as_bytes()).await.expect("it is sent");
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.expect("the server hangs up");
    heard
}

#[tokio::test]
async fn who_is_silent_for_too_long_is_gone() {
    let limits = Limits {
        heartbeat: Duration::from_millis(50),
        idle: Duration::from_millis(300),
        ..Limits::default()
    };
    let app = limited(limits).await;
    let address = app.listens().await;
    let mut alive = Screen::open(address, &app.owner(), "").await;
    alive.connected().await;
    let mut silent = tokio::spawn(says_nothing(address, app.owner().token().to_owned()));
    let heard = loop {
        tokio::select! {
            heard = &mut silent => break heard.expect("the server hangs up"),
            // Its library answers the signs of life.
            () = alive.pinged() => {}
        }
    };
    let farewell = [&[0x88, 6][..], &4408_u16.to_be_bytes(), b"IDLE"].concat();
    assert!(heard.ends_with(&farewell), "{}", String::from_utf8_lossy(&heard));
    alive.is_silent().await;
}

#[tokio::test]
async fn a_reader_that_cannot_keep_up_is_sent_away_and_catches_up() {
    let limits = Limits { queue: 150, ..Limits::default() };
    let app = limited(limits).await;
    let address = app.listens().await;
    let slow = Screen::open(address, &app.owner(), "").await;
    let mut quick = Screen::open(address, &app.owner_of(2), "").await;
    quick.connected().await;
    // Long ones, until nothing more fits into the network between the two.
    let long = "가".repeat(1_900);
    for round in 1..=40 {
        app.sql(&format!(
            "insert into platform.event (business_id, kind, occurred_at, data)
             select 0, 'notice.published', now(), jsonb_build_object('title', '{round}.' || n, 'message', '{long}')
             from generate_series(1, 100) n"
        ))
        .await;
        all_is_told(&app).await;
        // Whoever reads is not sent away for what comes at once.
        while quick.notification().await["title"] != format!("{round}.100") {}
        if app.app.notifications.hub.connections() == 1 {
            break;
        }
    }
    let mut slow = slow;
    slow.connected().await;
    let mut seen = 0;
    let farewell = loop {
        match slow.next_or_farewell().await {
            Ok(frame) => {
                let id = frame["data"]["id"].as_i64().expect("an id");
                assert!(id > seen, "in order");
                seen = id;
            }
            Err(farewell) => break farewell,
        }
    };
    assert_eq!(farewell, (1013, "SLOW_READER".to_owned()));
    let missed = app.count(&format!("notifications.notification where notification_id > {seen}")).await;
    assert!(missed > 0, "it had something left to be told");
    let mut back = Screen::open(address, &app.owner(), &format!("?lastId={seen}")).await;
    back.connected().await;
    for _ in 0..missed {
        let id = back.notification().await["id"].as_i64().expect("an id");
        assert!(id > seen, "in order");
        seen = id;
    }
    back.is_silent().await;
}

#[tokio::test]
async fn a_stream_that_nobody_reads_gives_its_place_back() {
    let app = limited(Limits { send_within: Duration::from_millis(200), ..Limits::default() }).await;
    let address = app.listens().await;
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let token = app.owner().token().to_owned();
    let hello = format!(
        "GET /api/notifications/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(hello.as_bytes()).await.expect("it is sent");
    stream.readable().await.expect("it begins");
    let hub = &app.app.notifications.hub;
    assert_eq!(hub.connections(), 1);
    let long = "가".repeat(1_900);
    for _ in 0..200 {
        app.sql(&format!(
            "insert into platform.event (business_id, kind, occurred_at, data)
             select 0, 'notice.published', now(), jsonb_build_object('title', 'n', 'message', '{long}')
             from generate_series(1, 50) n"
        ))
        .await;
        all_is_told(&app).await;
        if hub.connections() == 0 {
            return;
        }
    }
    panic!("it has its place for ever");
}

#[tokio::test]
async fn nobody_has_too_many_connections() {
    let limits = Limits { per_person: 2, ..Limits::default() };
    let app = limited(limits).await;
    let address = app.listens().await;
    let owner = app.owner();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut screen = Screen::open(address, &owner, "").await;
        screen.connected().await;
        screen.is_silent().await;
        open.push(screen);
    }
    let mut third = Screen::open(address, &owner, "").await;
    assert_eq!(third.closed().await, (4429, "TOO_MANY_CONNECTIONS".to_owned()));
    owner.get("/api/notifications/stream").await.problem(429, "TOO_MANY_CONNECTIONS");
    let mut somebody_else = Screen::open(address, &app.owner(), "").await;
    somebody_else.connected().await;
    somebody_else.is_silent().await;
    open.pop();
    // The place is free when the server has noticed.
    for _ in 0..200 {
        let mut screen = Screen::open(address, &owner, "").await;
        if screen.next_or_farewell().await.is_ok() {
            screen.is_silent().await;
            return;
        }
    }
    panic!("the place was never free again");
}

#[tokio::test]
async fn a_server_that_stops_sends_everybody_away_to_come_back_spread_out() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let mut screens = Vec::new();
    for _ in 0..10 {
        let mut screen = Screen::open(address, &app.owner(), "").await;
        screen.connected().await;
        screen.is_silent().await;
        screens.push(screen);
    }
    let mut source = EventSource::open(address, &app.owner(), None).await;
    source.next().await;
    app.app.notifications.hub.drain(Duration::from_secs(5)).await;
    let mut after = Vec::new();
    for mut screen in screens {
        let (code, reason) = screen.closed().await;
        assert_eq!(code, 1012);
        let milliseconds = reason.strip_prefix("RESTARTING ").expect("when to come back");
        after.push(milliseconds.parse::<u64>().expect("milliseconds"));
    }
    assert!(after.iter().all(|after| *after < 10_000), "{after:?}");
    after.sort_unstable();
    after.dedup();
    assert!(after.len() > 5, "they do not all come back at once: {after:?}");
    assert_eq!(source.next().await.data["code"], 1012);
    // Who comes now is told the same.
    let mut late = Screen::open(address, &app.owner(), "").await;
    assert_eq!(late.closed().await.0, 1012);
    app.owner().get("/api/notifications/stream").await.problem(503, "RESTARTING");
}

#[tokio::test]
async fn what_somebody_turns_off_does_not_come_to_their_screens_any_more() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let owner = app.owner();
    let mut screen = Screen::open(address, &owner, "").await;
    screen.connected().await;
    screen.is_silent().await;
    let off = json!({"preferences": [{"notificationType": "RESERVATION_NEW", "channel": "IN_APP", "enabled": false}]});
    owner.put("/api/notifications/preferences", off).await.data();
    reserves(&owner, cut_at("2026-02-14T10:00")).await;
    notice(&app, "공지").await;
    screen.tells("SYSTEM").await;
    let mut again = Screen::open(address, &owner, "?lastId=0").await;
    again.connected().await;
    again.tells("SYSTEM").await;
    again.is_silent().await;
}

#[tokio::test]
async fn what_somebody_turns_off_at_another_server_does_not_come_after_a_while() {
    let app = limited(Limits { heartbeat: Duration::from_millis(20), ..Limits::default() }).await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let owner = app.owner();
    let mut screen = Screen::open(here, &owner, "").await;
    screen.connected().await;
    let off = json!({"preferences": [{"notificationType": "RESERVATION_NEW", "channel": "IN_APP", "enabled": false}]});
    let said = reqwest::Client::new()
        .put(format!("http://{there}/api/notifications/preferences"))
        .bearer_auth(owner.token())
        .json(&off)
        .send()
        .await
        .expect("the server answers");
    assert_eq!(said.status(), 200);
    for _ in 0..100 {
        reserves(&owner, cut_at("2026-02-14T10:00")).await;
        notice(&app, "공지").await;
        if screen.notification().await["notificationType"] == "SYSTEM" {
            return;
        }
        screen.tells("SYSTEM").await;
    }
    panic!("it goes on for ever");
}

#[tokio::test]
async fn what_only_a_later_version_tells_holds_up_nothing() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let superuser = app.superuser().await;
    for statement in [
        "alter table notifications.notification drop constraint notification_type_check",
        "alter table notifications.preference drop constraint preference_type_check",
    ] {
        sqlx::query(statement).execute(&superuser).await.expect("a later version's tables");
    }
    let owner = app.owner();
    let mut screen = Screen::open(address, &owner, "").await;
    screen.connected().await;
    app.sql(
        "insert into notifications.notification (business_id, audience, type, title, message, created_at)
         select 0, 'EVERYONE', 'COUPON_NEW', '쿠폰', '쿠폰', now() from generate_series(1, 3)",
    )
    .await;
    app.sql(&format!(
        "insert into notifications.preference values ('{}', 'COUPON_NEW', 'IN_APP', false)",
        owner.get("/api/me").await.data()["subject"].as_str().expect("a subject"),
    ))
    .await;
    notice(&app, "공지").await;
    screen.tells("SYSTEM").await;
    assert_eq!(unread(&owner).await, 1);
    assert_eq!(told(&owner).await.len(), 1);
    owner.get("/api/notifications/preferences").await.data();
    let mut again = Screen::open(address, &owner, "?lastId=0").await;
    assert_eq!(again.connected().await, 1);
    again.tells("SYSTEM").await;
    again.is_silent().await;
}

#[tokio::test]
async fn the_address_speaks_websocket_only() {
    let app = TestApp::start().await;
    app.owner().get("/ws/notifications").await.problem(426, "UPGRADE_REQUIRED");
    for nobody in ["/ws/notifications", "/ws/notifications?xticket=1"] {
        app.anonymous().get(nobody).await.problem(401, "AUTHENTICATION_REQUIRED");
    }
    app.owner().get("/ws/notifications?lastId=-1").await.problem(400, "INVALID_PARAMETER");
    let stream = app.owner().with_header("last-event-id", "yesterday").get("/api/notifications/stream").await;
    stream.problem(400, "INVALID_PARAMETER");
}
