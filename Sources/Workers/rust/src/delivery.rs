//! Delivering what waits in the outbox to the server.

use serde_json::json;

use crate::backoff::Backoff;
use crate::ending::too_large;
use crate::http::Http;
use crate::message::Message;
use crate::outbox::Letter;
use crate::problem::Problem;
use crate::remote::{read, End, Session};

const COUNT_MAX: usize = 1000;
const BYTES_MAX: usize = 8 << 20;

/// Sends all that waits in one request, then what has come meanwhile in the next.
pub(crate) struct Deliverer<'a> {
    session: &'a Session,
    http: Http,
    path: String,
    number: u64,
    backoff: Backoff,
}

impl<'a> Deliverer<'a> {
    pub fn new(session: &'a Session, http: Http) -> Deliverer<'a> {
        let path = format!("/v1/workers/{}/messages", session.id);
        Deliverer {
            session,
            http,
            path,
            number: 1,
            backoff: Backoff::default(),
        }
    }

    /// Delivers until the session is over.
    pub fn run(mut self) {
        while !self.session.is_over() {
            let mut letters = match self.session.crew.outbox.take(COUNT_MAX, BYTES_MAX) {
                Some(letters) => letters,
                None => return,
            };
            // Of an earlier session only ends are news: the server says that they came too late.
            let current = self.session.number;
            letters.retain(|letter| letter.is_last || letter.session == current || letter.session == 0);
            let is_end = letters.iter().any(|letter| letter.session == 0 && letter.is_last);
            if let Err(rest) = self.deliver(letters) {
                self.session.crew.outbox.put_back(rest);
                return;
            }
            if is_end {
                self.session.end(End::Drained);
            }
        }
    }

    /// Gives back what could not be delivered because the session is over.
    fn deliver(&mut self, mut letters: Vec<Letter>) -> Result<(), Vec<Letter>> {
        if letters.is_empty() {
            return Ok(());
        }
        let body = body(self.number, &letters);
        loop {
            if self.session.is_over() {
                return Err(letters);
            }
            match self.http.post(&self.path, body.as_bytes(), self.session.limit()) {
                Ok(response) if response.status == 200 => {
                    self.backoff.reset();
                    self.number += 1;
                    let taken = read(&response).and_then(|(_, messages)| {
                        self.session
                            .crew
                            .take(messages.iter().map(|raw| raw.get()), self.session.number)
                    });
                    if let Err(fault) = taken {
                        eprintln!("stepwell: cannot read the server's answer: {fault}");
                    }
                    return Ok(());
                }
                Ok(response) if response.status == 413 => {
                    let second = letters.split_off(letters.len() / 2);
                    if letters.is_empty() {
                        return self.replace(second, &Problem::read(&response));
                    }
                    return match self.deliver(letters) {
                        Ok(()) => self.deliver(second),
                        Err(mut rest) => {
                            rest.extend(second);
                            Err(rest)
                        }
                    };
                }
                Ok(response) => {
                    self.session.judge(&Problem::read(&response), &mut self.backoff);
                    if response.status == 400 {
                        return Ok(()); // what no server can read is not sent again
                    }
                }
                Err(_) => self.session.pause(self.backoff.next(None)),
            }
        }
    }

    /// A single message that is too large fails its attempt; a checkpoint is refused; all else is left out.
    fn replace(&mut self, letters: Vec<Letter>, problem: &Problem) -> Result<(), Vec<Letter>> {
        for letter in letters {
            let lease = Message::read(&letter.text).and_then(|message| message.integer("lease"));
            let lease = match lease {
                Ok(lease) => lease,
                Err(_) => continue,
            };
            let words = format!("{} bytes: {}", letter.text.len(), problem.detail);
            if letter.is_last {
                let text = too_large(lease, &words);
                let is_result = letter.text.starts_with(r#"{"type":"result""#);
                // Should even this be refused, there is nothing more to say.
                if is_result || text.len() < letter.text.len() {
                    self.deliver(vec![Letter { text, ..letter }])?;
                }
            } else if letter.text.starts_with(r#"{"type":"checkpoint""#) {
                let answer = json!({ "type": "checkpointed", "lease": lease, "error": words }).to_string();
                // It is our own message.
                let _ = self
                    .session
                    .crew
                    .take(std::iter::once(answer.as_str()), self.session.number);
            }
        }
        Ok(())
    }
}

fn body(number: u64, letters: &[Letter]) -> String {
    let size: usize = letters.iter().map(|letter| letter.text.len() + 1).sum();
    let mut body = String::with_capacity(size + 48);
    body += &format!("{{\"number\":{number},\"messages\":[");
    for (place, letter) in letters.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        body += &letter.text;
    }
    body += "]}";
    body
}
