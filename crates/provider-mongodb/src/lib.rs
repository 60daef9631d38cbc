#![doc = include_str!("../README.md")]

mod bson;
mod classify;
mod login;
mod provider;
mod scram;
mod session;
mod uri;

pub use provider::Mongodb;
