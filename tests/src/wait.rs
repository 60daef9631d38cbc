//! Waiting for what another process does.

use std::time::Duration;

use tokio::time::Instant;

/// How long anything is waited for: far longer than it ever takes, so that a slow machine fails nothing.
pub const PATIENCE: Duration = Duration::from_mins(1);

const PAUSE: Duration = Duration::from_millis(15);

/// Asks again and again until there is an answer, and fails with `what` if there never is.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, ask).await
}

/// The same with another patience.
pub async fn eventually_within<T>(patience: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "this never happened: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
