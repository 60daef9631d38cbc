//! The fuzz targets of `nora_provider_testkit::fuzz`, by name.

use nora_provider_testkit::fuzz::TARGETS;

/// Runs a target.
///
/// # Panics
///
/// There is no such target, or it found something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("the target is one of the list");
    target(data);
}
