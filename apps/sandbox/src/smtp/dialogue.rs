//! What is said on one connection.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::letter;
use crate::{
    book::Provider,
    faults::{FaultKind, Interference, Moment, Operation, Struck},
    post::Fate,
    world::World,
};

const LONGEST_LINE: u64 = 2_000;
const LARGEST_MAIL: usize = 10 * 1024 * 1024;

/// Who a mail is from and to, as the envelope says.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

struct Dialogue {
    stream: BufReader<TcpStream>,
    envelope: Envelope,
}

pub(super) async fn hold(world: &Arc<World>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut dialogue = Dialogue { stream: BufReader::new(stream), envelope: Envelope::default() };
    dialogue.say("220 sandbox.dangol.example ESMTP").await?;
    while let Some(line) = dialogue.hear().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                dialogue.say("250-sandbox.dangol.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN").await?;
            }
            "HELO" => dialogue.say("250 sandbox.dangol.example").await?,
            "AUTH" => dialogue.authenticate(&line).await?,
            "MAIL" => {
                dialogue.envelope = Envelope { from: Some(path(&line)), to: Vec::new() };
                dialogue.say("250 2.1.0 OK").await?;
            }
            "RCPT" => dialogue.recipient(world, &line).await?,
            "DATA" => {
                if !dialogue.data(world).await? {
                    return Ok(());
                }
            }
            "RSET" => {
                dialogue.envelope = Envelope::default();
                dialogue.say("250 2.0.0 OK").await?;
            }
            "NOOP" => dialogue.say("250 2.0.0 OK").await?,
            "QUIT" => return dialogue.say("221 2.0.0 Bye").await,
            _ => dialogue.say("502 5.5.1 Command not implemented").await?,
        }
    }
    Ok(())
}

impl Dialogue {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    async fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    async fn authenticate(&mut self, line: &str) -> io::Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let prompts: &[&str] = match words.as_slice() {
            [_, mechanism] if mechanism.eq_ignore_ascii_case("login") => {
                &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]
            }
            [_, mechanism, _] if mechanism.eq_ignore_ascii_case("login") => &["334 UGFzc3dvcmQ6"],
            [_, _] => &["334 "],
            _ => &[],
        };
        for prompt in prompts {
            self.say(prompt).await?;
            self.hear().await?;
        }
        self.say("235 2.7.0 Authentication successful").await
    }

    async fn recipient(&mut self, world: &World, line: &str) -> io::Result<()> {
        if self.envelope.from.is_none() {
            return self.say("503 5.5.1 Need MAIL before RCPT").await;
        }
        let to = path(line).to_lowercase();
        let fate = world.store().post.fate(&to);
        match fate {
            Fate::NoSuchNumber => self.say("550 5.1.1 No such mailbox here").await,
            Fate::Blocked => self.say("550 5.7.1 Not wanted here").await,
            Fate::Delivered | Fate::NoKakao | Fate::Nothing | Fate::PhoneOff | Fate::NeverReported => {
                self.envelope.to.push(to);
                self.say("250 2.1.5 OK").await
            }
        }
    }

    /// False: the connection is to be closed.
    async fn data(&mut self, world: &Arc<World>) -> io::Result<bool> {
        if self.envelope.to.is_empty() {
            self.say("503 5.5.1 Need RCPT before DATA").await?;
            return Ok(true);
        }
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let Some(mail) = self.mail().await? else { return Ok(false) };
        let envelope = std::mem::take(&mut self.envelope);
        let path = envelope.to.join(",");
        let struck =
            Struck { provider: Provider::Smtp, operation: Operation::Send, path: &path, body: &mail };
        let wire = world.faults.on_the_wire(&struck);
        let declined = world.faults.decline(&struck);
        pause(wire.before).await;
        if let Some(answer) = refusal(&wire, declined) {
            match answer {
                Some(answer) => self.say(&answer).await?,
                None => return Ok(false),
            }
            return Ok(true);
        }
        if letter::keep(world, &envelope.from.unwrap_or_default(), &envelope.to, &mail).is_err() {
            return Ok(false);
        }
        pause(world.latency + wire.after).await;
        // It lies in the mailbox; only the answer is lost.
        if wire.breakage.is_some() {
            return Ok(false);
        }
        self.say("250 2.0.0 OK").await?;
        Ok(true)
    }

    /// Up to the line that is a dot; `None` for one that is too large or breaks off.
    async fn mail(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut mail = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await? == 0 || mail.len() + line.len() > LARGEST_MAIL
            {
                return Ok(None);
            }
            if line == b".\r\n" || line == b".\n" {
                return Ok(Some(mail));
            }
            // A line that begins with a dot was given another one.
            mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
}

/// What the client gets in place of an acceptance; `Some(None)` is a closed connection.
#[expect(clippy::option_option, reason = "no refusal, one in words, or one in silence")]
fn refusal(wire: &Interference, declined: Option<String>) -> Option<Option<String>> {
    if let Some(code) = declined {
        // Such as `552 5.3.4`; a code of somebody else's is no reply.
        let is_reply = code.len() >= 3 && code.as_bytes()[0].is_ascii_digit();
        return Some(Some(if is_reply { format!("{code} Refused") } else { "554 5.0.0 Refused".to_owned() }));
    }
    match &wire.breakage {
        Some(FaultKind::Refuse | FaultKind::Html502(Moment::BeforeProcessing)) => Some(None),
        Some(FaultKind::Error500(Moment::BeforeProcessing) | FaultKind::Redirect) => {
            Some(Some("451 4.3.0 Local error in processing".to_owned()))
        }
        Some(FaultKind::RateLimited) => Some(Some("450 4.2.1 Too many mails, try again later".to_owned())),
        _ => None,
    }
}

/// What stands in angle brackets.
fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path);
    inner.unwrap_or_default().to_owned()
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_in_brackets() {
        assert_eq!(path("RCPT TO:<kim@misohair.com> ORCPT=x"), "kim@misohair.com");
        assert_eq!(path("MAIL FROM:<>"), "");
        assert_eq!(path("RCPT"), "");
    }
}
