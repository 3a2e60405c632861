use std::collections::HashMap;

use chrono::DateTime;
use kernel::{BusinessId, KoreanTime};
use platform::{Membership, Principal, Role};

use super::{registry::Handed, *};
use crate::{NotificationType, audience::Audience, notification::Notification};

fn owner_of(business: i64) -> Reader {
    let memberships = vec![Membership { business_id: BusinessId(business), role: Role::Owner }];
    let subject = format!("owner_{business}");
    let principal = Principal { subject, memberships, is_platform_admin: false };
    Reader::new(&principal, DateTime::UNIX_EPOCH)
}

fn frame(id: i64) -> Arc<Frame> {
    Arc::new(Frame::notification(&Notification {
        id: NotificationId(id),
        notification_type: NotificationType::ReviewNew,
        title: "새 후기".to_owned(),
        message: "\"줄\n바꿈\"".to_owned(),
        link: None,
        created_at: KoreanTime(DateTime::UNIX_EPOCH),
    }))
}

fn hub(queue: usize, per_person: usize) -> Hub {
    Hub::new(Limits { queue, per_person, ..Limits::default() })
}

/// Somebody who is told what is new, in their place.
struct Connected {
    connection: Connection,
    _place: Place,
}

fn connects(hub: &Hub, reader: &Reader) -> Result<Connected, NotConnected> {
    let place = hub.admit(reader)?;
    Ok(Connected { connection: hub.list(reader, Types::default())?, _place: place })
}

fn hands_out(hub: &Hub, to: &Audience, ids: std::ops::RangeInclusive<i64>) -> Handed {
    let frames: Vec<_> = ids.map(|id| (to.clone(), frame(id))).collect();
    hub.registry().hand_out(&frames)
}

fn received(connected: &mut Connected) -> Vec<i64> {
    let mut ids = Vec::new();
    while let Ok(frame) = connected.connection.queue.try_recv() {
        ids.push(frame.id.0);
    }
    ids
}

#[test]
fn each_is_handed_to_those_whom_it_is_for() {
    let hub = hub(10, 10);
    let mut seven = connects(&hub, &owner_of(7)).unwrap();
    let mut eight = connects(&hub, &owner_of(8)).unwrap();
    hands_out(&hub, &Audience::Admins(BusinessId(7)), 1..=2);
    hands_out(&hub, &Audience::Everyone, 3..=3);
    hands_out(&hub, &Audience::Customer(BusinessId(7), "owner_7".to_owned()), 4..=4);
    assert_eq!(received(&mut seven), [1, 2, 3]);
    assert_eq!(received(&mut eight), [3]);
}

#[test]
fn who_connects_is_told_from_which_position_on() {
    let hub = hub(10, 10);
    hands_out(&hub, &Audience::Everyone, 1..=5);
    let mut late = connects(&hub, &owner_of(7)).unwrap();
    assert_eq!(late.connection.position, NotificationId(5));
    hands_out(&hub, &Audience::Everyone, 6..=7);
    assert_eq!(received(&mut late), [6, 7]);
}

#[test]
fn who_still_catches_up_has_a_place_and_is_told_nothing_yet() {
    let hub = hub(10, 1);
    let owner = owner_of(7);
    let place = hub.admit(&owner).unwrap();
    assert_eq!(hub.admit(&owner).err(), Some(NotConnected::TooMany));
    assert_eq!(hands_out(&hub, &Audience::Everyone, 1..=1), Handed::default());
    assert_eq!(hub.connections(), 1);
    drop(place);
    assert!(hub.registry().knows_nobody());
}

#[test]
fn what_was_turned_off_elsewhere_is_followed() {
    let hub = hub(10, 10);
    let mut seven = connects(&hub, &owner_of(7)).unwrap();
    let mut eight = connects(&hub, &owner_of(8)).unwrap();
    hub.mute("owner_8", Types::default().with(NotificationType::ReviewNew));
    let off = Types::default().with(NotificationType::ReviewNew);
    assert_eq!(hub.registry().users(), ["owner_7", "owner_8"]);
    hub.registry().mute_all(&HashMap::from([("owner_7".to_owned(), off)]));
    hands_out(&hub, &Audience::Everyone, 1..=1);
    assert_eq!([received(&mut seven), received(&mut eight)], [vec![], vec![1]]);
}

#[test]
fn who_falls_behind_is_given_up_and_holds_up_nobody() {
    let hub = hub(3, 10);
    let mut slow = connects(&hub, &owner_of(7)).unwrap();
    let mut quick = connects(&hub, &owner_of(8)).unwrap();
    assert_eq!(hands_out(&hub, &Audience::Everyone, 1..=3), Handed { delivered: 6, too_slow: 0 });
    assert_eq!(received(&mut quick), [1, 2, 3]);
    assert_eq!(hands_out(&hub, &Audience::Everyone, 4..=4), Handed { delivered: 1, too_slow: 1 });
    assert_eq!(slow.connection.parting(), Some(Parting::Slow));
    assert_eq!(hands_out(&hub, &Audience::Everyone, 5..=5), Handed { delivered: 1, too_slow: 0 });
    assert_eq!(received(&mut slow), [1, 2, 3], "in order, as far as it goes");
    assert!(slow.connection.queue.is_closed());
    assert_eq!(received(&mut quick), [4, 5]);
}

#[test]
fn what_is_turned_off_is_not_handed_out_from_then_on() {
    let hub = hub(10, 10);
    let owner = owner_of(7);
    let mut two = [1, 2].map(|_| connects(&hub, &owner).unwrap());
    let mut other = connects(&hub, &owner_of(8)).unwrap();
    hub.mute(&owner.user, Types::default().with(NotificationType::ReviewNew));
    hands_out(&hub, &Audience::Everyone, 1..=1);
    hub.mute(&owner.user, Types::default().with(NotificationType::System));
    hands_out(&hub, &Audience::Everyone, 2..=2);
    assert_eq!(two.each_mut().map(received), [[2], [2]]);
    assert_eq!(received(&mut other), [1, 2]);
}

#[test]
fn a_person_has_so_many_connections_and_a_free_place_is_free() {
    let hub = hub(10, 2);
    let owner = owner_of(7);
    let first = connects(&hub, &owner).unwrap();
    let _second = connects(&hub, &owner).unwrap();
    assert_eq!(connects(&hub, &owner).err(), Some(NotConnected::TooMany));
    assert!(connects(&hub, &owner_of(8)).is_ok());
    drop(first);
    assert!(connects(&hub, &owner).is_ok());
    assert_eq!(hub.connections(), 1);
}

#[tokio::test]
async fn who_is_sent_away_leaves_and_nobody_comes_any_more() {
    let hub = hub(10, 10);
    let connected = connects(&hub, &owner_of(7)).unwrap();
    let leaving = tokio::spawn(async move {
        let mut connected = connected;
        assert!(connected.connection.queue.recv().await.is_none());
        connected.connection.parting()
    });
    hub.drain(Duration::from_secs(10)).await;
    assert_eq!(leaving.await.unwrap(), Some(Parting::Restart));
    assert_eq!(hub.connections(), 0);
    assert_eq!(connects(&hub, &owner_of(7)).err(), Some(NotConnected::Stopping));
    assert!(hub.registry().knows_nobody());
}

#[test]
fn a_frame_is_one_line_in_either_form() {
    let frame = frame(17);
    let expected = r#"{"type":"NOTIFICATION","data":{"id":17,"notificationType":"REVIEW_NEW","title":"새 후기","message":"\"줄\n바꿈\"","link":null,"createdAt":"1970-01-01T09:00:00+09:00"}}"#;
    assert_eq!(frame.text.as_str(), expected);
    let event = String::from_utf8(frame.event().to_vec()).unwrap();
    assert_eq!(event, format!("event: NOTIFICATION\nid: 17\ndata: {expected}\n\n"));
    assert_eq!(
        connected(5).as_str(),
        r#"{"type":"CONNECTED","message":"알림 서버에 연결되었습니다.","unreadCount":5}"#
    );
    assert_eq!(pong().as_str(), r#"{"type":"PONG"}"#);
    assert_eq!(read(NotificationId(17), 4).as_str(), r#"{"type":"READ","id":17,"unreadCount":4}"#);
}
