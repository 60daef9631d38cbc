//! The fuzz targets over their corpus, and over random bytes for a while.

use std::path::Path;

use nora_provider_testkit::fuzz::{TARGETS, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Cases of each kind of bytes; all of a target take a few seconds.
const CASES: u32 = 2_000;

fn target(name: &str) -> Target {
    TARGETS.iter().find(|(known, _)| *known == name).unwrap().1
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

/// Runs a target over its corpus, over the corpus with a piece replaced by other bytes, and over bytes of any kind.
fn hold(name: &str) {
    let (run, corpus) = (target(name), corpus(name));
    assert!(!corpus.is_empty(), "{name} has a corpus");
    for data in &corpus {
        run(data);
    }
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let piece =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..4), "[@,.=+/a-fA-Fv01\n ]{0,6}".prop_map(String::into_bytes)];
    let changed = (prop::sample::select(corpus), any::<prop::sample::Index>(), 0..6_usize, piece);
    let outcome = runner.run(&changed, |(mut data, at, length, piece)| {
        let at = at.index(data.len() + 1);
        let end = (at + length).min(data.len());
        data.splice(at..end, piece);
        run(&data);
        Ok(())
    });
    outcome.unwrap();
    let lines = "(@|[ -~]{0,12})\n([ -~]{0,12}\n){0,2}(@|\\PC{0,40})".prop_map(String::into_bytes);
    let outcome = runner.run(&lines, |data| {
        run(&data);
        Ok(())
    });
    outcome.unwrap();
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                hold(stringify!($name));
            }
        )+

        #[test]
        fn every_target_is_run() {
            assert_eq!([$(stringify!($name)),+], TARGETS.map(|(name, _)| name));
        }
    };
}

targets!(hex_mac, base64_mac, signature_list, standard_webhooks, ed25519, jwt, form, json_pointer);
