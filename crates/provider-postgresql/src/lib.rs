#![doc = include_str!("../README.md")]

mod classify;
mod login;
mod provider;
mod tls;

pub use provider::Postgresql;
