//! What an agent may be called, and how runtimes are named.

use nora_agents::{AgentName, RuntimeKind};

#[test]
fn a_name_is_1_to_200_characters_that_can_be_seen() {
    for accepted in ["a", "Ops agent (Köln), #2", &"é".repeat(200)] {
        assert_eq!(accepted.parse::<AgentName>().unwrap().as_str(), accepted);
    }
    for refused in ["", " ", "\u{a0}\u{2003}", "a\nb", "\u{7f}", "a\0", &"é".repeat(201)] {
        assert!(refused.parse::<AgentName>().is_err(), "{refused:?}");
    }
}

#[test]
fn a_kind_is_one_of_four() {
    for kind in ["nora", "sidecar", "openclaw", "hermes"] {
        assert_eq!(kind.parse::<RuntimeKind>().unwrap().as_str(), kind);
    }
    for refused in ["", "Nora", "nora ", "docker"] {
        assert!(refused.parse::<RuntimeKind>().is_err(), "{refused}");
    }
}
