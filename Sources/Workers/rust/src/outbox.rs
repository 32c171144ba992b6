//! What waits to be sent to the engine.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A handler that logs faster than the engine reads must wait from so many messages on.
const BACKLOG_MAX: usize = 1000;

/// One message that waits.
pub(crate) struct Letter {
    /// In which session the attempt was given out; 0 for what belongs to no attempt.
    pub session: u64,
    /// Whether it ends its attempt.
    pub is_last: bool,
    /// The JSON text.
    pub text: String,
}

struct State {
    letters: VecDeque<Letter>,
    is_stopped: bool,
}

/// A queue that many fill and one empties, as much at a time as there is.
pub(crate) struct Outbox {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

impl Outbox {
    pub fn new() -> Outbox {
        Outbox {
            state: Mutex::new(State {
                letters: VecDeque::new(),
                is_stopped: false,
            }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
        }
    }

    /// Adds a message.
    pub fn push(&self, letter: Letter) {
        let mut state = self.lock();
        state.letters.push_back(letter);
        if state.letters.len() == 1 {
            self.filled.notify_one();
        }
    }

    /// Adds a message when not too many wait already. Returns without it when `is_over` says so.
    pub fn push_patiently(&self, letter: Letter, is_over: impl Fn() -> bool) {
        let mut state = self.lock();
        while state.letters.len() >= BACKLOG_MAX {
            if is_over() {
                return;
            }
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.letters.push_back(letter);
        if state.letters.len() == 1 {
            self.filled.notify_one();
        }
    }

    /// Lets those who wait in `push_patiently` look again whether it is over.
    pub fn wake(&self) {
        let _state = self.lock();
        self.emptied.notify_all();
    }

    /// Takes what waits, the first message always; None when the outbox is stopped.
    pub fn take(&self, count_max: usize, bytes_max: usize) -> Option<Vec<Letter>> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if !state.letters.is_empty() {
                break;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut bytes = 0;
        let count = state
            .letters
            .iter()
            .take(count_max)
            .take_while(|letter| {
                let fits = bytes == 0 || bytes + letter.text.len() <= bytes_max;
                bytes += letter.text.len();
                fits
            })
            .count();
        let taken = state.letters.drain(..count).collect();
        self.emptied.notify_all();
        Some(taken)
    }

    /// Puts back what could not be sent.
    pub fn put_back(&self, letters: Vec<Letter>) {
        let mut state = self.lock();
        for letter in letters.into_iter().rev() {
            state.letters.push_front(letter);
        }
    }

    /// Makes `take` return None until `open`.
    pub fn stop(&self) {
        self.lock().is_stopped = true;
        self.filled.notify_all();
    }

    /// Undoes `stop`.
    pub fn open(&self) {
        self.lock().is_stopped = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str) -> Letter {
        Letter {
            session: 1,
            is_last: false,
            text: text.to_string(),
        }
    }

    fn texts(letters: Option<Vec<Letter>>) -> Vec<String> {
        letters.unwrap().into_iter().map(|letter| letter.text).collect()
    }

    #[test]
    fn all_that_waits_is_taken_within_the_limits() {
        let outbox = Outbox::new();
        for text in ["aaaa", "bb", "cc", "d"] {
            outbox.push(letter(text));
        }
        assert_eq!(texts(outbox.take(10, 3)), ["aaaa"]);
        assert_eq!(texts(outbox.take(1, 100)), ["bb"]);
        assert_eq!(texts(outbox.take(10, 100)), ["cc", "d"]);
    }

    #[test]
    fn what_was_put_back_comes_first() {
        let outbox = Outbox::new();
        outbox.push(letter("c"));
        outbox.put_back(vec![letter("a"), letter("b")]);
        assert_eq!(texts(outbox.take(10, 100)), ["a", "b", "c"]);
    }

    #[test]
    fn a_stopped_outbox_keeps_what_it_has() {
        let outbox = Outbox::new();
        outbox.push(letter("a"));
        outbox.stop();
        assert!(outbox.take(1, 1).is_none());
        outbox.open();
        assert_eq!(texts(outbox.take(1, 1)), ["a"]);
    }

    #[test]
    fn who_talks_too_much_waits() {
        let outbox = Outbox::new();
        for _ in 0..BACKLOG_MAX {
            outbox.push(letter("x"));
        }
        outbox.push_patiently(letter("dropped"), || true);
        std::thread::scope(|scope| {
            scope.spawn(|| outbox.push_patiently(letter("last"), || false));
            assert_eq!(outbox.take(BACKLOG_MAX, usize::MAX).unwrap().len(), BACKLOG_MAX);
            assert_eq!(texts(outbox.take(10, 100)), ["last"]);
        });
    }
}
