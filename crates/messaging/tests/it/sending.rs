//! What holds for every channel.

use std::time::Duration;

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};
use kernel::Clock;
use messaging::{
    AlimTalk, Brand, Content, FailureClass, Text,
    channel::{Fate, Found, Kind, Leave, Outbound, Sent},
};
use sandbox::{Fate as Destiny, FaultKind, Moment};

use crate::carriers::{ALL, Carrier, World};

#[tokio::test]
async fn what_was_taken_has_a_name_and_was_marked_before() {
    for carrier in ALL {
        let world = World::of(carrier).await;
        let messages = [world.message("하나"), world.message("둘")];
        let sent = world.sends(&messages).await;
        assert!(
            sent.iter().all(|sent| matches!(sent, Sent::Accepted(id) if !id.is_empty())),
            "{carrier:?}: {sent:?}"
        );
        let marked = world.marked().concat();
        let once = |message: &Outbound| marked.iter().filter(|id| **id == message.reference).count() == 1;
        assert!(messages.iter().all(once), "{carrier:?}: {marked:?}");
        assert!(messages.iter().all(|message| world.times(message) == 1), "{carrier:?}");
    }
}

#[tokio::test]
async fn what_is_held_back_at_the_last_moment_does_not_go() {
    for carrier in ALL {
        let world = World::of(carrier).await;
        let messages = [world.message("가지 마"), world.message("가")];
        let held = messages[0].reference;
        let sent = world.sends_unless(&messages, |id| *id != held).await;
        assert_eq!(sent[0], Sent::HeldBack, "{carrier:?}");
        assert!(matches!(sent[1], Sent::Accepted(_)), "{carrier:?}: {sent:?}");
        assert_eq!((world.times(&messages[0]), world.times(&messages[1])), (0, 1), "{carrier:?}");
    }
}

#[tokio::test]
async fn one_that_is_refused_holds_up_nobody_elses() {
    for carrier in ALL {
        let world = World::of(carrier).await;
        let (nobody, class) = world.nobody();
        let messages = [world.message("하나"), world.message_to(nobody, "둘"), world.message("셋")];
        let sent = world.sends(&messages).await;
        assert!(matches!(&sent[1], Sent::Refused(refusal) if refusal.class == class), "{sent:?}");
        assert!(
            matches!((&sent[0], &sent[2]), (Sent::Accepted(_), Sent::Accepted(_))),
            "{carrier:?}: {sent:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_is_unknown_and_a_refusal_is_none() {
    for carrier in ALL {
        for kind in [
            FaultKind::DropResponse,
            FaultKind::Truncated,
            FaultKind::Error500(Moment::AfterProcessing),
            FaultKind::Html502(Moment::AfterProcessing),
        ] {
            let world = World::of(carrier).await;
            world.next_sending_meets(kind.clone());
            let message = world.message("안녕하세요");
            let sent = world.sends(std::slice::from_ref(&message)).await;
            assert!(matches!(sent[0], Sent::Unknown(_)), "{carrier:?} {kind:?}: {sent:?}");
            assert_eq!(world.times(&message), 1, "{carrier:?} {kind:?}");
        }
        let world = World::of(carrier).await;
        world.next_sending_meets(FaultKind::RateLimited);
        let sent = world.sends(&[world.message("안녕하세요")]).await;
        assert!(
            matches!(&sent[0], Sent::Refused(refusal) if refusal.class == FailureClass::Temporary),
            "{carrier:?}: {sent:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    for carrier in ALL {
        let world = World::of(carrier).await;
        let message = world.message("안녕하세요");
        let World { sandbox, channel, clock, .. } = world;
        sandbox.shutdown().await;
        let at = clock.now();
        let before_sending =
            |messages| Box::pin(async move { Leave { messages, at } }) as BoxFuture<'static, _>;
        let sent = channel.send(&[message], &before_sending).await;
        assert!(matches!(sent[0], Sent::NotSent(_)), "{carrier:?}: {sent:?}");
    }
}

#[tokio::test]
async fn a_message_is_found_by_either_name_and_its_fate_is_told() {
    for carrier in [Carrier::Solapi, Carrier::Nhn] {
        let world = World::of(carrier).await;
        for (to, by_us) in [
            ("01012345678", "DELIVERED"),
            ("01000000002", "BAD_NUMBER"),
            ("01000000006", "UNREACHABLE"),
            ("01000000007", "IN_FLIGHT"),
        ] {
            let message = world.message_to(to, "안녕하세요");
            let sent = world.sends(std::slice::from_ref(&message)).await;
            let Sent::Accepted(id) = &sent[0] else { panic!("{carrier:?}: {sent:?}") };
            for name in [None, Some(id.as_str())] {
                let found = world.channel.find(&[world.asked(&message, name)]).await.remove(0);
                let Found::Taken { provider_id, fate } = found else { panic!("{carrier:?} {to}: {found:?}") };
                assert_eq!(&provider_id, id);
                let told = match fate {
                    Fate::Delivered { by: Kind::Sms, .. } => "DELIVERED",
                    Fate::InFlight => "IN_FLIGHT",
                    Fate::Failed(refusal) => refusal.class.as_str(),
                    Fate::Delivered { by, .. } => panic!("{carrier:?}: by {by:?}"),
                };
                assert_eq!(told, by_us, "{carrier:?} {to} {name:?}");
            }
        }
        let never_sent = world.message("아무도 모르는");
        assert_eq!(
            world.channel.find(&[world.asked(&never_sent, None)]).await,
            [Found::Absent],
            "{carrier:?}"
        );
    }
}

#[tokio::test]
async fn among_many_each_is_found_by_our_name() {
    for carrier in [Carrier::Solapi, Carrier::Nhn] {
        let world = World::of(carrier).await;
        let messages: Vec<_> =
            (0..60).map(|n| world.message_to(&format!("010200000{n:02}"), "안녕하세요")).collect();
        world.next_sending_meets(FaultKind::DropResponse);
        let sent = world.sends(&messages).await;
        assert!(sent.iter().all(|sent| matches!(sent, Sent::Unknown(_))), "{carrier:?}");
        let asked: Vec<_> = messages.iter().map(|message| world.asked(message, None)).collect();
        let found = world.channel.find(&asked).await;
        assert!(found.iter().all(|found| matches!(found, Found::Taken { .. })), "{carrier:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_kakao_message_arrives_or_a_text_in_its_place() {
    for carrier in [Carrier::Solapi, Carrier::Nhn] {
        let world = World::of(carrier).await;
        let talk = |falls_back| {
            Content::AlimTalk(AlimTalk {
                template_code: "BOOKED".to_owned(),
                variables: [("이름".to_owned(), "김민서".to_owned())].into(),
                text: "김민서님, 예약이 확정되었습니다.".to_owned(),
                falls_back,
            })
        };
        let brand = Content::Brand(Brand {
            text: "봄 할인".to_owned(),
            buttons: Vec::new(),
            fallback: Some(Text::new("(광고)미소헤어\n봄 할인\n무료수신거부 0800000000")),
        });
        world.sandbox.set_fate("01011110000", Destiny::NoKakao).unwrap();
        world.sandbox.set_fate("01022220000", Destiny::Nothing).unwrap();
        for (to, content, told) in [
            ("01012345678", talk(true), "by AlimTalk"),
            ("01011110000", talk(true), "by Sms"),
            ("01011110000", talk(false), "NO_SUCH_USER"),
            ("01022220000", talk(true), "BAD_NUMBER"),
            ("01012345678", brand.clone(), "by Brand"),
            ("01011110000", brand.clone(), "by Sms"),
        ] {
            let message = world.outbound(to, content);
            let sent = world.sends(std::slice::from_ref(&message)).await;
            let Sent::Accepted(id) = &sent[0] else { panic!("{carrier:?}: {sent:?}") };
            let found = world.channel.find(&[world.asked(&message, Some(id))]).await.remove(0);
            let fate = match found {
                Found::Taken { fate: Fate::Delivered { by, .. }, .. } => format!("by {by:?}"),
                Found::Taken { fate: Fate::Failed(refusal), .. } => refusal.class.as_str().to_owned(),
                other => format!("{other:?}"),
            };
            assert_eq!(fate, told, "{carrier:?} to {to}");
        }
    }
}

#[tokio::test]
async fn odd_answers_are_read_all_the_same() {
    let world = World::of(Carrier::Solapi).await;
    world.sandbox.set_solapi_switches(sandbox::SolapiSwitches {
        odd_types: true,
        unknown_fields: true,
        nameless_replacements: true,
        ..Default::default()
    });
    let message = world.message("안녕하세요");
    world.sends(std::slice::from_ref(&message)).await;
    let found = world.channel.find(&[world.asked(&message, None)]).await;
    assert!(matches!(found[0], Found::Taken { fate: Fate::Delivered { .. }, .. }), "{found:?}");
    let world = World::of(Carrier::Nhn).await;
    world.sandbox.set_nhn_switches(sandbox::NhnSwitches {
        misspelt_keys: true,
        numeric_codes: true,
        unknown_fields: true,
        ..Default::default()
    });
    let message = world.message("안녕하세요");
    assert!(matches!(world.sends(std::slice::from_ref(&message)).await[0], Sent::Accepted(_)));
    let found = world.channel.find(&[world.asked(&message, None)]).await;
    assert!(matches!(found[0], Found::Taken { fate: Fate::Delivered { .. }, .. }), "{found:?}");
    // A list that does not say whose a message is proves nothing.
    world.sandbox.set_nhn_switches(sandbox::NhnSwitches { nameless_lists: true, ..Default::default() });
    let lost = world.message("다른 이야기");
    let found = world.channel.find(&[world.asked(&lost, None)]).await;
    assert!(matches!(found[0], Found::Unknown(_)), "{found:?}");
}

#[tokio::test]
async fn a_wrong_key_is_a_matter_of_the_account_and_not_of_the_message() {
    for carrier in [Carrier::Solapi, Carrier::Nhn] {
        let world = World::with_secret(carrier, "another-secret", "another-secret").await;
        let sent = world.sends(&[world.message("안녕하세요")]).await;
        assert!(
            matches!(&sent[0], Sent::Refused(refusal) if refusal.class == FailureClass::Account),
            "{carrier:?}: {sent:?}"
        );
    }
    let world = World::of(Carrier::Solapi).await;
    world.sandbox.set_solapi_switches(sandbox::SolapiSwitches { no_balance: true, ..Default::default() });
    let sent = world.sends(&[world.message("안녕하세요")]).await;
    assert!(
        matches!(&sent[0], Sent::Refused(refusal) if refusal.class == FailureClass::NoBalance),
        "{sent:?}"
    );
}

/// A request whose signature says the time of the mark is refused when it arrives a quarter of an hour after it: what is
/// looked up then and absent can never follow.
#[tokio::test]
async fn what_arrives_long_after_its_mark_is_not_taken() {
    let world = World::of(Carrier::Solapi).await;
    let message = world.message("늦은 이야기");
    let at = world.now();
    let before_sending = |messages: Vec<Outbound>| {
        // The process stands still between the mark and the request.
        world.clock.advance(TimeDelta::minutes(16));
        async move { Leave { messages, at } }.boxed()
    };
    let sent = world.channel.send(std::slice::from_ref(&message), &before_sending).await;
    assert!(matches!(&sent[0], Sent::Refused(refusal) if refusal.code == "RequestTimeTooSkewed"), "{sent:?}");
    assert_eq!(world.times(&message), 0);
}

#[tokio::test]
async fn a_request_that_is_refused_as_a_whole_is_to_be_made_in_parts() {
    let world = World::of(Carrier::Solapi).await;
    world.next_sending_meets(FaultKind::Decline { code: "ValidationError".to_owned() });
    let sent = world.sends(&[world.message("하나"), world.message("둘")]).await;
    assert!(sent.iter().all(|sent| matches!(sent, Sent::RefusedTogether(_))), "{sent:?}");
}

#[tokio::test]
async fn what_differs_between_people_is_a_request_of_its_own_where_the_carrier_fills_nothing_in() {
    let world = World::of(Carrier::Nhn).await;
    let messages =
        [world.message("민서님"), world.message_to("01087654321", "민서님"), world.message("지우님")];
    let requests: Vec<usize> = world.channel.requests(messages.to_vec()).iter().map(Vec::len).collect();
    assert_eq!(requests.iter().sum::<usize>(), 3);
    assert_eq!(requests.len(), 2);
    world.sends(&messages).await;
    assert_eq!(world.marked().len(), 2, "each request has its mark");
}

#[tokio::test]
async fn advertising_is_found_wherever_it_is_listed() {
    for advertising_among_texts in [false, true] {
        let world = World::of(Carrier::Nhn).await;
        world
            .sandbox
            .set_nhn_switches(sandbox::NhnSwitches { advertising_among_texts, ..Default::default() });
        let said = "(광고)미소헤어\n할인\n무료수신거부 0800000000";
        let message = Outbound { is_advertising: true, ..world.message(said) };
        let sent = world.sends(std::slice::from_ref(&message)).await;
        let Sent::Accepted(id) = &sent[0] else { panic!("{sent:?}") };
        for name in [None, Some(id.as_str())] {
            let found = world.channel.find(&[world.asked(&message, name)]).await;
            let arrived =
                matches!(found[0], Found::Taken { fate: Fate::Delivered { by: Kind::Sms, .. }, .. });
            assert!(arrived, "{advertising_among_texts} {name:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_text_that_is_on_its_way_in_place_of_a_kakao_message_is_waited_for() {
    let world = World::of(Carrier::Nhn).await;
    world.sandbox.set_nhn_switches(sandbox::NhnSwitches { resending_takes_ms: 60_000, ..Default::default() });
    world.sandbox.set_fate("01011110000", Destiny::NoKakao).unwrap();
    let talk = Content::AlimTalk(AlimTalk {
        template_code: "BOOKED".to_owned(),
        variables: [("이름".to_owned(), "김민서".to_owned())].into(),
        text: "김민서님, 예약이 확정되었습니다.".to_owned(),
        falls_back: true,
    });
    let message = world.outbound("01011110000", talk);
    let sent = world.sends(std::slice::from_ref(&message)).await;
    let Sent::Accepted(id) = &sent[0] else { panic!("{sent:?}") };
    let asked = world.asked(&message, Some(id));
    let found = world.channel.find(std::slice::from_ref(&asked)).await;
    assert!(matches!(found[0], Found::Taken { fate: Fate::InFlight, .. }), "{found:?}");
    world.clock.advance(TimeDelta::seconds(61));
    let found = world.channel.find(&[asked]).await;
    assert!(
        matches!(found[0], Found::Taken { fate: Fate::Delivered { by: Kind::Sms, .. }, .. }),
        "{found:?}"
    );
}

#[tokio::test]
async fn late_reports_are_waited_for() {
    let world = World::of(Carrier::Solapi).await;
    world
        .sandbox
        .set_solapi_switches(sandbox::SolapiSwitches { report_after_ms: 60_000, ..Default::default() });
    let message = world.message("안녕하세요");
    world.sends(std::slice::from_ref(&message)).await;
    let asked = world.asked(&message, None);
    let found = world.channel.find(std::slice::from_ref(&asked)).await;
    assert!(matches!(found[0], Found::Taken { fate: Fate::InFlight, .. }), "{found:?}");
    world.clock.advance(TimeDelta::seconds(61));
    let found = world.channel.find(&[asked]).await;
    assert!(matches!(found[0], Found::Taken { fate: Fate::Delivered { .. }, .. }), "{found:?}");
}

#[tokio::test]
async fn nothing_personal_and_no_secret_is_told_to_operators() {
    for carrier in ALL {
        for kind in [
            FaultKind::DropResponse,
            FaultKind::WrongCharset,
            FaultKind::Redirect,
            FaultKind::Delay { before: Duration::ZERO, after: Duration::from_millis(1) },
        ] {
            let world = World::of(carrier).await;
            world.next_sending_meets(kind);
            let message = world.message("비밀 이야기");
            let sent = world.sends(std::slice::from_ref(&message)).await;
            let told = format!("{sent:?} {message:?}");
            for secret in ["01012345678", "kim@misohair.com", "비밀 이야기", "dangol-development"] {
                assert!(!told.contains(secret), "{carrier:?}: {told}");
            }
        }
    }
}
