//! Samples of webhook channels and events.

use std::time::Duration;

use bytes::Bytes;
use nora_agents::ports::StoredAgent;
use nora_kernel::{ChannelId, ChannelSecretId, Clock as _, EventId, IdSource as _, Sealed};
use nora_webhooks::ports::{ChannelUpdate, NewEvent, SecretsUpdate};
use nora_webhooks::{
    Channel, HANDLER_VERSION, Headers, OrderingKey, SecretRole, StoredChannel, StoredSecret, Verdict, Verification,
};
use serde_json::json;

use super::{Samples, config, named};

/// The lane of this name.
pub fn ordering_key(text: &str) -> OrderingKey {
    OrderingKey::new(text.to_owned()).unwrap()
}

impl Samples {
    /// A GitHub channel with a secret.
    pub fn channel(&self, agent: &StoredAgent) -> StoredChannel {
        let id = ChannelId::from_uuid(self.ids.next());
        let now = self.clock.now();
        let channel = Channel {
            id,
            agent: agent.agent.id,
            kind: named("github"),
            name: named("A channel"),
            config: config(&json!({"events": ["push"]})),
            verification: Verification::Secret,
            enabled: true,
            paused: false,
            created_at: now,
            updated_at: now,
        };
        let workspace = agent.agent.workspace.clone();
        StoredChannel { channel, workspace, revision: 1, enrol_until: None, secrets: vec![self.channel_secret()] }
    }

    /// A channel without a secret that takes anything.
    pub fn open_channel(&self, agent: &StoredAgent) -> StoredChannel {
        let mut stored = self.channel(agent);
        stored.channel.verification = Verification::None;
        stored.secrets.clear();
        stored
    }

    /// A channel that waits an hour for the handshake which brings its secret.
    pub fn unkeyed_channel(&self, agent: &StoredAgent) -> StoredChannel {
        let mut stored = self.open_channel(agent);
        stored.channel.verification = Verification::Handshake;
        stored.enrol_until = Some(self.clock.now().after(Duration::from_hours(1)));
        stored
    }

    /// A signing secret of a channel.
    pub fn channel_secret(&self) -> StoredSecret {
        let id = ChannelSecretId::from_uuid(self.ids.next());
        let sealed = Sealed(format!("sealed for {id}").into_bytes());
        StoredSecret { id, role: SecretRole::Signing, sealed, created_at: self.clock.now(), expires_at: None }
    }

    /// A change of a channel's name from the state it was read in, a second later.
    pub fn channel_update(&self, stored: &StoredChannel) -> ChannelUpdate {
        let channel = &stored.channel;
        ChannelUpdate {
            agent: channel.agent,
            id: channel.id,
            from_revision: stored.revision,
            name: named("Renamed"),
            config: channel.config.clone(),
            verification: channel.verification,
            enrol_until: stored.enrol_until,
            enabled: channel.enabled,
            paused: channel.paused,
            secrets: SecretsUpdate::Keep,
            updated_at: channel.updated_at.after(Duration::from_secs(1)),
        }
    }

    /// A verified event that is like no other, in its channel's own lane.
    pub fn event(&self, channel: &StoredChannel) -> NewEvent {
        let id = EventId::from_uuid(self.ids.next());
        let mut dedupe_key = [0; 32];
        dedupe_key[..16].copy_from_slice(id.as_uuid().as_bytes());
        NewEvent {
            id,
            channel: channel.channel.id,
            received_at: self.clock.now(),
            verdict: Verdict::Verified,
            verified_by: channel.secrets.first().map(|secret| secret.id),
            handler: HANDLER_VERSION,
            delivery_id: Some(format!("delivery of {id}")),
            dedupe_key: Some(dedupe_key),
            event_type: Some("push".to_owned()),
            ordering_key: OrderingKey::default(),
            query: String::new(),
            headers: Headers::from_iter([("x-github-event".to_owned(), b"push".to_vec())]),
            body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        }
    }

    /// The same in a lane of this name.
    pub fn event_in(&self, channel: &StoredChannel, lane: &str) -> NewEvent {
        NewEvent { ordering_key: ordering_key(lane), ..self.event(channel) }
    }
}
