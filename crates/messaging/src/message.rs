//! A message, and how it may stand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

kernel::id!(
    /// Names a message; it travels with it, and is what a provider is asked about.
    MessageId,
    "msg_"
);

/// By which way somebody is reached.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = MessageChannel)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// A text message: SMS up to 90 bytes, LMS beyond.
    Sms,
    /// KakaoTalk: AlimTalk for information, brand message for advertising.
    Kakao,
    Email,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Sms, Self::Kakao, Self::Email];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Kakao => "KAKAO",
            Self::Email => "EMAIL",
        }
    }
}

/// What a message is for, which decides what the law wants of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// About something that the person did or bought: a booking, a receipt, a notice that the law asks for.
    Information,
    /// Anything else: also greetings, coupons and opening days.
    Advertising,
    /// An advertisement as it will look, sent to whoever writes it. To somebody who refused none is sent, and to a customer only
    /// what they agreed to.
    Sample,
}

impl Purpose {
    /// It looks like an advertisement, and goes the way of one.
    pub(crate) fn is_advertising(self) -> bool {
        match self {
            Self::Advertising | Self::Sample => true,
            Self::Information => false,
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Speaker {
    /// The platform, to the business itself.
    Platform,
    /// The business, to a customer of its own.
    Business,
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageStatus {
    /// Waits to be sent.
    Queued,
    /// Somebody is about to ask for it, or asked and has not heard.
    Sending,
    /// The provider took it. For mail there is nothing more to hear.
    Sent,
    /// It arrived.
    Delivered,
    /// It did not arrive and will not.
    Failed,
    /// It was not sent, because it must not be.
    Excluded,
    /// Nobody knows whether it was sent; it is looked up, and where that is not possible it stays so.
    Unknown,
}

/// What can happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageMove {
    /// It is somebody's turn to send it.
    Claim,
    /// It certainly was not sent; another time.
    PutBack,
    Accept,
    Deliver,
    Fail,
    Exclude,
    /// The answer got lost.
    LoseTrack,
}

/// A move that a message's status does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message that is {from:?} cannot {wanted:?}")]
pub struct IllegalMove {
    pub from: MessageStatus,
    pub wanted: MessageMove,
}

impl MessageStatus {
    /// The one place that says how a message may change. News may skip steps: what was taken may be heard of first when
    /// it has arrived.
    pub fn after(self, wanted: MessageMove) -> Result<Self, IllegalMove> {
        use MessageMove::{Accept, Claim, Deliver, Exclude, Fail, LoseTrack, PutBack};
        match (self, wanted) {
            (Self::Queued, Claim) => Ok(Self::Sending),
            (Self::Sending | Self::Unknown, PutBack) => Ok(Self::Queued),
            (Self::Sending | Self::Unknown | Self::Sent, Accept) => Ok(Self::Sent),
            (Self::Sending | Self::Unknown | Self::Sent, Deliver) => Ok(Self::Delivered),
            (Self::Queued | Self::Sending | Self::Unknown | Self::Sent, Fail) => Ok(Self::Failed),
            // Also right before it goes out: somebody may have refused while it waited for its turn.
            (Self::Queued | Self::Sending, Exclude) => Ok(Self::Excluded),
            (Self::Sending | Self::Unknown, LoseTrack) => Ok(Self::Unknown),
            (Self::Queued, PutBack | Accept | Deliver | LoseTrack)
            | (Self::Sending, Claim)
            | (Self::Unknown, Claim | Exclude)
            | (Self::Sent, Claim | PutBack | Exclude | LoseTrack)
            | (Self::Delivered | Self::Failed | Self::Excluded, _) => Err(IllegalMove { from: self, wanted }),
        }
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Exclusion {
    /// Nobody ever agreed to advertising by this channel.
    NoConsent,
    /// The consent was taken back.
    ConsentWithdrawn,
    /// The consent is older than two years and was not confirmed anew.
    ConsentExpired,
    /// The number or address is on the list of those who refused.
    Refused,
    /// Another message of the same campaign went to this number or address: somebody is written down twice.
    SameContact,
    /// Enough advertising for this week.
    FrequencyCap,
    /// Nothing can be delivered there.
    DeadContact,
    /// It came to its turn after it was of any use.
    TooLate,
    /// Whoever wanted it said no longer so: a campaign was cancelled.
    Cancelled,
    /// The business has no number to send from, or no line to refuse at.
    SenderNotReady,
    /// The customer left no number or address of this kind.
    NoContact,
    /// The customer was erased, or is reached elsewhere by now.
    ContactGone,
}

impl Exclusion {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoConsent => "NO_CONSENT",
            Self::ConsentWithdrawn => "CONSENT_WITHDRAWN",
            Self::ConsentExpired => "CONSENT_EXPIRED",
            Self::Refused => "REFUSED",
            Self::SameContact => "SAME_CONTACT",
            Self::FrequencyCap => "FREQUENCY_CAP",
            Self::DeadContact => "DEAD_CONTACT",
            Self::TooLate => "TOO_LATE",
            Self::Cancelled => "CANCELLED",
            Self::SenderNotReady => "SENDER_NOT_READY",
            Self::NoContact => "NO_CONTACT",
            Self::ContactGone => "CONTACT_GONE",
        }
    }
}

/// Why a message did not arrive: what providers' codes come down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureClass {
    /// No such number or mailbox.
    BadNumber,
    /// No Kakao user there, or one who cannot be reached.
    NoSuchUser,
    /// The person, or the carrier for them, refuses us.
    Blocked,
    /// The provider would not have advertising at this hour.
    QuietHours,
    /// The text is not the approved template's, or the template is gone.
    Template,
    /// The sender number or channel is not registered, or stopped.
    Sender,
    TooLong,
    /// A character that the channel cannot carry.
    Charset,
    /// The account is empty: an operator fills it, and the message goes out.
    NoBalance,
    /// Our account at the provider is not in order (keys, a stop): an operator puts it in order, and the message goes out.
    Account,
    /// Taken for spam on its way.
    SpamFilter,
    /// Switched off, no coverage, inbox full: it was tried for long enough.
    Unreachable,
    /// The provider's or the carrier's trouble, worth another try.
    Temporary,
    /// We asked wrongly, or are set up wrongly.
    OurBug,
    /// It failed, in a word that nobody explains.
    Unexplained,
}

impl FailureClass {
    pub const ALL: [Self; 15] = [
        Self::BadNumber,
        Self::NoSuchUser,
        Self::Blocked,
        Self::QuietHours,
        Self::Template,
        Self::Sender,
        Self::TooLong,
        Self::Charset,
        Self::NoBalance,
        Self::Account,
        Self::SpamFilter,
        Self::Unreachable,
        Self::Temporary,
        Self::OurBug,
        Self::Unexplained,
    ];

    /// As it is stored.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadNumber => "BAD_NUMBER",
            Self::NoSuchUser => "NO_SUCH_USER",
            Self::Blocked => "BLOCKED",
            Self::QuietHours => "QUIET_HOURS",
            Self::Template => "TEMPLATE",
            Self::Sender => "SENDER",
            Self::TooLong => "TOO_LONG",
            Self::Charset => "CHARSET",
            Self::NoBalance => "NO_BALANCE",
            Self::Account => "ACCOUNT",
            Self::SpamFilter => "SPAM_FILTER",
            Self::Unreachable => "UNREACHABLE",
            Self::Temporary => "TEMPORARY",
            Self::OurBug => "OUR_BUG",
            Self::Unexplained => "UNEXPLAINED",
        }
    }

    /// Refused now, but the same message may pass later: it waits for its next try.
    pub const fn is_worth_another_try(self) -> bool {
        match self {
            Self::Temporary | Self::NoBalance | Self::Account | Self::QuietHours => true,
            Self::BadNumber
            | Self::NoSuchUser
            | Self::Blocked
            | Self::Template
            | Self::Sender
            | Self::TooLong
            | Self::Charset
            | Self::SpamFilter
            | Self::Unreachable
            | Self::OurBug
            | Self::Unexplained => false,
        }
    }

    /// Somebody who runs this has to do something about it.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Template | Self::Sender | Self::NoBalance | Self::Account | Self::OurBug)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        MessageMove::{Accept, Claim, Deliver, Exclude, Fail, LoseTrack, PutBack},
        *,
    };

    const MOVES: [MessageMove; 7] = [Claim, PutBack, Accept, Deliver, Fail, Exclude, LoseTrack];

    #[test]
    fn what_is_over_stays_as_it_is() {
        for status in [MessageStatus::Delivered, MessageStatus::Failed, MessageStatus::Excluded] {
            assert!(MOVES.iter().all(|wanted| status.after(*wanted).is_err()), "{status:?}");
        }
    }

    #[test]
    fn what_was_taken_is_never_sent_again() {
        for wanted in [Claim, PutBack, LoseTrack] {
            assert!(MessageStatus::Sent.after(wanted).is_err());
        }
    }

    #[test]
    fn late_news_are_news_all_the_same() {
        assert_eq!(MessageStatus::Unknown.after(Deliver), Ok(MessageStatus::Delivered));
        assert_eq!(MessageStatus::Sending.after(Deliver), Ok(MessageStatus::Delivered));
        assert_eq!(MessageStatus::Unknown.after(PutBack), Ok(MessageStatus::Queued));
    }
}
