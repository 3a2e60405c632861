//! Which provider carries what, and who a message comes from.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Channel, MessagingError, Purpose, Speaker,
    channel::{MessageChannel, Provider, Sender},
    store::sender::Profile,
};

/// The providers of this installation.
#[derive(Clone, Default)]
pub struct Channels {
    known: BTreeMap<Provider, Arc<dyn MessageChannel>>,
    routes: BTreeMap<Channel, Provider>,
}

impl Channels {
    /// From now on it carries these; what was sent through another is still asked about there.
    pub fn add(&mut self, channel: Arc<dyn MessageChannel>, carries: &[Channel]) {
        let provider = channel.provider();
        self.known.insert(provider, channel);
        self.routes.extend(carries.iter().map(|carried| (*carried, provider)));
    }

    /// Those through which something can be sent.
    pub(crate) fn offered(&self) -> impl Iterator<Item = Channel> {
        self.routes.keys().copied()
    }

    pub(crate) fn for_sending(&self, channel: Channel) -> Result<&dyn MessageChannel, MessagingError> {
        let provider = self.routes.get(&channel).ok_or(MessagingError::ChannelNotOffered)?;
        self.at(*provider)
    }

    pub(crate) fn at(&self, provider: Provider) -> Result<&dyn MessageChannel, MessagingError> {
        self.known.get(&provider).map(|known| &**known).ok_or(MessagingError::ChannelNotOffered)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &dyn MessageChannel> {
        self.known.values().map(|known| &**known)
    }
}

/// Who the platform is when it writes, and who a business is as far as it said nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformSender {
    /// What stands before the address of its mails.
    pub name: String,
    pub phone: Option<String>,
    pub refusal_number: Option<String>,
    pub kakao_channel: Option<String>,
    pub mail_address: Option<String>,
    /// Another than the one for receipts: mail providers judge an address by all that comes from it.
    pub advertising_mail_address: Option<String>,
}

impl PlatformSender {
    /// Who a message comes from.
    pub(crate) fn of(&self, speaker: Speaker, purpose: Purpose, profile: Option<&Profile>) -> Sender {
        let own = profile.filter(|_| speaker == Speaker::Business);
        let mail_address = match purpose {
            Purpose::Information => &self.mail_address,
            Purpose::Advertising | Purpose::Sample => &self.advertising_mail_address,
        };
        Sender {
            name: own.map_or_else(|| self.name.clone(), |own| own.name.clone()),
            phone: own.and_then(|own| own.phone.clone()).or_else(|| self.phone.clone()),
            refusal_number: own
                .and_then(|own| own.refusal_number.clone())
                .or_else(|| self.refusal_number.clone()),
            kakao_channel: own
                .and_then(|own| own.kakao_channel.clone())
                .or_else(|| self.kakao_channel.clone()),
            mail_address: mail_address.clone(),
        }
    }
}
