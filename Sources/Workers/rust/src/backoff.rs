//! Waits between tries, longer each time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// 0.1 s, 0.2 s, 0.4 s … up to 5 s, each cut by chance to between half and all of it.
#[derive(Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next wait; what the server asked for wins.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let full = FIRST.saturating_mul(1 << self.tries.min(10)).min(LONGEST);
        self.tries += 1;
        asked.unwrap_or_else(|| full / 2 + full.mul_f64(chance() / 2.0))
    }

    /// Something has worked.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A number from 0 up to 1. The standard library has no other chance than the seeds of its hash tables.
fn chance() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    (number >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let mut backoff = Backoff::default();
        for full in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let wait = backoff.next(None).as_millis();
            assert!((full / 2..=full).contains(&wait), "{wait} of {full}");
        }
        assert_eq!(
            backoff.next(Some(Duration::from_secs(60))),
            Duration::from_secs(60)
        );
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }
}
