//! Device keys.

use nora_agents::ports::DeviceKeys as _;
use nora_kernel::Secret;
use nora_runtime_client::RingDeviceKeys;

const SEED: &str = "67226bb1794c757c738b8823346f9e5ad00926bb5d7a5730d97bcb573bfac268";
const DEVICE_ID: &str = "2ffbc08d9afc4d19f5981b70d41d899763d1b01d635473bed7285918e06efb86";

#[test]
fn a_seed_has_the_id_that_gateways_compute() {
    let keys = RingDeviceKeys;
    for seed in [SEED.to_owned(), SEED.to_uppercase()] {
        let key = keys.read(&Secret::new(seed)).unwrap();
        assert_eq!((key.device_id.as_str(), key.seed.expose()), (DEVICE_ID, SEED));
    }
    for refused in ["", "00", &SEED[2..], &format!("{SEED}00"), &SEED.replace('6', "g")] {
        assert!(keys.read(&Secret::new(refused.to_owned())).is_none(), "{refused}");
    }
}

#[test]
fn a_new_key_is_new_and_can_be_read_back() {
    let keys = RingDeviceKeys;
    let (one, other) = (keys.generate().unwrap(), keys.generate().unwrap());
    assert_ne!(one.device_id, other.device_id);
    assert_eq!(keys.read(&one.seed).unwrap().device_id, one.device_id);
}
