#![doc = include_str!("../README.md")]

mod classify;
mod extensions;
mod login;
mod provider;
mod security;
mod session;

pub use provider::Smtp;
