//! A server that is away for a while, such as one that is started again: who waits for a task anyway goes on waiting.

use std::thread;
use std::time::{Duration, Instant};

use super::ClientError;

/// How long a server may be away.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What one wait knows of its server's absence.
pub(super) struct Absence {
    /// When the wait is over.
    end: Option<Instant>,
    begun: Option<Instant>,
    pause: Duration,
}

impl Absence {
    pub(super) fn new(end: Option<Instant>) -> Absence {
        let (begun, pause) = (None, PAUSE_MIN);
        Absence { end, begun, pause }
    }

    /// Pauses before the server is asked again. The error again if it does not pass, or has lasted for too long.
    pub(super) fn outlast(&mut self, error: ClientError) -> Result<(), ClientError> {
        let now = Instant::now();
        let over = *self.begun.get_or_insert(now) + PATIENCE;
        let over = self.end.map_or(over, |end| end.min(over));
        if !error.may_pass() || now >= over {
            return Err(error);
        }
        let wish = match &error {
            ClientError::Refused(problem) => problem.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        thread::sleep(self.pause.max(wish).min(over - now));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }

    /// The server has answered.
    pub(super) fn ended(&mut self) {
        (self.begun, self.pause) = (None, PAUSE_MIN);
    }
}
