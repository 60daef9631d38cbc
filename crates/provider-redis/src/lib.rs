#![doc = include_str!("../README.md")]

mod classify;
mod login;
mod provider;
mod session;

pub use provider::Redis;
