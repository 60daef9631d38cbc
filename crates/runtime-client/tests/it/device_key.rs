//! Device keys.

use nora_agents::ports::DeviceKeys as _;
use nora_kernel::Secret;
use nora_runtime_client::RingDeviceKeys;
use nora_testkit_runtimes::fixtures::{DEVICE_ID, DEVICE_PUBLIC_KEY, DEVICE_SEED};

#[test]
fn a_seed_has_the_id_that_gateways_compute() {
    let keys = RingDeviceKeys;
    for seed in [DEVICE_SEED.to_owned(), DEVICE_SEED.to_uppercase()] {
        let key = keys.read(&Secret::new(seed)).unwrap();
        assert_eq!((key.public.device_id.as_str(), key.seed.expose()), (DEVICE_ID, DEVICE_SEED));
        assert_eq!(key.public.public_key, DEVICE_PUBLIC_KEY);
    }
    for refused in ["", "00", &DEVICE_SEED[2..], &format!("{DEVICE_SEED}00"), &DEVICE_SEED.replace('6', "g")] {
        assert!(keys.read(&Secret::new(refused.to_owned())).is_none(), "{refused}");
    }
}

#[test]
fn a_new_key_is_new_and_can_be_read_back() {
    let keys = RingDeviceKeys;
    let (one, other) = (keys.generate().unwrap(), keys.generate().unwrap());
    assert_ne!(one.public, other.public);
    assert_eq!(keys.read(&one.seed).unwrap().public, one.public);
}
