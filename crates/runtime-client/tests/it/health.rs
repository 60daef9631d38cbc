//! What a runtime says it holds.

use nora_integrations::ports::{FailureClass, Health, PushError, RuntimeAddress, RuntimeClient as _};
use nora_kernel::Secret;
use nora_reference_runtime::faults::{Fault, Route};

use crate::support::{Book, address_of, agent, failed, push, runtime, runtimes};

#[tokio::test]
async fn a_runtime_says_what_it_holds() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    assert_eq!(client.health(&address, &[]).await, Ok(Some(Health { agent: None, generation: None })));
    client.apply(&address, &push(7, &[]), &Book::default()).await.unwrap();
    assert_eq!(client.health(&address, &[]).await, Ok(Some(Health { agent: Some(agent()), generation: Some(7) })));
}

#[tokio::test]
async fn what_is_not_said_is_not_assumed() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    let said = async |fault| {
        runtime.handle().faults().next(Route::Health, fault);
        client.health(&address, &[]).await
    };
    assert_eq!(said(Fault::lie(r#"{"status":"ok"}"#)).await, Ok(Some(Health { agent: None, generation: None })));
    for lie in [r#"{"status":"down"}"#, r#"{"status":"ok","agent_id":"x"}"#, r#"{"generation":7}"#, "ok", ""] {
        assert_eq!(said(Fault::lie(lie)).await, Err(failed(FailureClass::BadAnswer)), "{lie}");
    }
    assert_eq!(said(Fault::status(500)).await, Err(failed(FailureClass::ServerError)));
    assert_eq!(said(Fault::Cut).await.map_err(class), Err(Some(FailureClass::Refused)));
    let stranger = RuntimeAddress { token: Some(Secret::new("wrong".to_owned())), ..address_of(&runtime) };
    assert_eq!(client.health(&stranger, &[]).await, Err(failed(FailureClass::Auth)));
}

fn class(error: PushError) -> Option<FailureClass> {
    match error {
        PushError::Failed { class, .. } => Some(class),
        PushError::Superseded { .. } => None,
    }
}
