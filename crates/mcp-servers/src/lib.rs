#![doc = include_str!("../README.md")]

mod digest;
mod feeding;
mod forms;
mod lines;
mod look;
pub mod ports;
mod redeploy;
mod resolve;
mod servers;
mod shown;
mod status;

pub use forms::{Form, UnknownForm, references};
pub use redeploy::{RedeployStep, Redeployer};
pub use resolve::{Omitted, ResolveError};
pub use servers::{McpServers, Parts, Selection, ServerView};
pub use shown::{Shown, ShownHow, ShownServer, ShownValue};
pub use status::{DeploymentState, DeploymentStatus, DeploymentView};
