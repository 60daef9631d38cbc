//! What the cases of the contract suites have in common: a database, sample values, and the steps to a situation.

mod webhooks;

use std::ops::Deref;
use std::time::Duration;

use nora_agents::ports::StoredAgent;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, FailureClass, Held, NewIntegration, SyncRecord, Variable,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Clock as _, PageRequest, Reach, Timestamp, Workspace};

use crate::samples::workspace;
use crate::{Fixture, Samples, Stores};

/// How long leases of these suites last.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How long after a success these suites ask a runtime whether it agrees.
pub(crate) const CHECK: Duration = Duration::from_mins(5);
/// How long these suites wait for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Scene<'a> {
    fixture: &'a dyn Fixture,
    pub(crate) samples: Samples,
}

impl<'a> Deref for Scene<'a> {
    type Target = dyn Stores + 'a;

    fn deref(&self) -> &Self::Target {
        self.fixture.here()
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn of(fixture: &'a dyn Fixture) -> Self {
        Self { fixture, samples: Samples::at(fixture.clock().clone()) }
    }

    pub(crate) fn elsewhere(&self) -> &'a dyn Stores {
        self.fixture.elsewhere()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.fixture.clock().now()
    }

    pub(crate) fn advance(&self, by: Duration) -> Timestamp {
        self.fixture.clock().advance(by)
    }

    /// Moves the clock to the last moment before `by` has passed.
    pub(crate) fn almost(&self, by: Duration) -> Timestamp {
        self.advance(by.saturating_sub(Duration::from_micros(1)))
    }

    pub(crate) async fn insert(&self, agent: &StoredAgent) {
        self.agents().insert(agent, &self.samples.line_in(&agent.agent.workspace), None).await.unwrap();
    }

    pub(crate) async fn add_agent(&self) -> StoredAgent {
        let agent = self.samples.agent();
        self.insert(&agent).await;
        agent
    }

    /// An agent whose runtime confirmed its first, empty state.
    pub(crate) async fn add_synced_agent(&self) -> StoredAgent {
        let agent = self.add_agent().await;
        self.sync_once().await;
        agent
    }

    pub(crate) async fn connect(&self, new: &NewIntegration) {
        self.integrations().insert(new, &self.samples.line(), None).await.unwrap();
    }

    pub(crate) async fn add_integration(&self, agent: &StoredAgent) -> NewIntegration {
        let new = self.samples.integration(agent);
        self.connect(&new).await;
        new
    }

    pub(crate) async fn integration(&self, new: &NewIntegration) -> Option<StoredIntegration> {
        let (agent, id) = (new.integration.agent, new.integration.id);
        let found = self.integrations().find(&Reach::Everything, agent, id).await.unwrap();
        found.map(|(stored, _)| stored)
    }

    pub(crate) async fn disconnect(&self, new: &NewIntegration) {
        let (agent, id) = (new.integration.agent, new.integration.id);
        let names = [crate::samples::named("GITHUB_TOKEN")];
        self.integrations().remove(&Reach::Everything, agent, id, &names, &self.samples.line()).await.unwrap();
    }

    pub(crate) async fn request_sync(&self, agent: &StoredAgent) {
        let requested = self.agents().request_sync(&Reach::Everything, agent.agent.id, &self.samples.line()).await;
        assert!(requested.unwrap());
    }

    /// Deletes an agent and returns until when its targets are asked.
    pub(crate) async fn delete(&self, agent: &StoredAgent) -> Timestamp {
        let until = self.now().after(Duration::from_hours(24));
        let deleted = self.agents().delete(&Reach::Everything, agent.agent.id, until, &self.samples.line()).await;
        assert!(deleted.unwrap());
        until
    }

    pub(crate) async fn claim(&self, limit: u16) -> Vec<Claim> {
        self.sync().claim(limit, LEASE, self.now()).await.unwrap()
    }

    /// Claims the one target that is due.
    pub(crate) async fn claim_one(&self) -> Claim {
        let claims = self.claim(10).await;
        let [claim] = claims.as_slice() else { panic!("one target should be due: {claims:?}") };
        claim.clone()
    }

    pub(crate) async fn nothing_is_due(&self) -> bool {
        self.claim(10).await.is_empty()
    }

    pub(crate) fn completion(&self, generation: u64) -> Completion {
        self.completion_with(generation, Vec::new())
    }

    pub(crate) fn completion_with(&self, generation: u64, variables: Vec<Variable>) -> Completion {
        Completion { generation, variables, at: self.now(), next_check_at: self.now().after(CHECK) }
    }

    /// Records that a runtime agreed.
    pub(crate) async fn checked(&self, claim: &Claim, next_check_at: Timestamp) -> Held {
        let agreed = Agreed { claim: claim.clone(), next_check_at };
        self.sync().checked(&[agreed]).await.unwrap()[0]
    }

    pub(crate) async fn target(&self, claim: &Claim) -> Option<CheckedTarget> {
        self.sync().targets(std::slice::from_ref(claim)).await.unwrap().remove(0)
    }

    pub(crate) async fn complete(&self, claim: &Claim, generation: u64) -> Held {
        self.sync().complete(claim, &self.completion(generation), &self.samples.line()).await.unwrap()
    }

    /// Claims the one target that is due, and has its runtime confirm what it should have.
    pub(crate) async fn sync_once(&self) -> u64 {
        let claim = self.claim_one().await;
        let snapshot = self.sync().snapshot(&claim, &self.samples.line()).await.unwrap().unwrap();
        assert_eq!(self.complete(&claim, snapshot.generation).await, Held::Yes);
        snapshot.generation
    }

    /// A failure that is tried again after `wait`, or permanently if there is none.
    pub(crate) fn failure(&self, wait: Option<Duration>) -> Failure {
        let class = if wait.is_some() { FailureClass::Timeout } else { FailureClass::Auth };
        Failure { class, at: self.now(), next_attempt_at: wait.map(|wait| self.now().after(wait)) }
    }

    pub(crate) async fn fail(&self, claim: &Claim, wait: Option<Duration>, pushed: Option<u64>) -> Held {
        self.sync().fail(claim, &self.failure(wait), pushed).await.unwrap()
    }

    /// Claims the one target that is due and lets it fail for good.
    pub(crate) async fn block(&self) {
        let claim = self.claim_one().await;
        assert_eq!(self.fail(&claim, None, None).await, Held::Yes);
    }

    pub(crate) async fn state(&self, agent: &StoredAgent) -> SyncRecord {
        self.sync().state(&Reach::Everything, agent.agent.id).await.unwrap().unwrap()
    }

    pub(crate) async fn desired(&self, agent: &StoredAgent) -> u64 {
        self.state(agent).await.desired
    }

    pub(crate) async fn found(&self, agent: &StoredAgent) -> Option<StoredAgent> {
        self.agents().find(&Reach::Everything, agent.agent.id).await.unwrap()
    }

    /// Agents whose data key is still there, deleted ones too.
    pub(crate) async fn kept_keys(&self) -> Vec<AgentId> {
        let keys = self.custody().agent_keys(None, 500).await.unwrap();
        keys.into_iter().map(|(agent, _, _)| agent).collect()
    }

    /// The newest lines of the common workspace's trail.
    pub(crate) async fn lines(&self) -> Vec<AuditLine> {
        self.lines_of(&workspace()).await
    }

    pub(crate) async fn lines_of(&self, workspace: &Workspace) -> Vec<AuditLine> {
        self.audit().list(workspace, PageRequest::default()).await.unwrap().items
    }

    pub(crate) async fn has_line(&self, line: &AuditLine) -> bool {
        self.lines_of(&line.workspace).await.contains(line)
    }
}

/// Only `workspace` exists.
pub(crate) fn within(workspace: &Workspace) -> Reach {
    Reach::Workspace(workspace.clone())
}

/// Only a workspace exists in which nothing lies.
pub(crate) fn foreign() -> Reach {
    Reach::Workspace(crate::samples::named("elsewhere"))
}
