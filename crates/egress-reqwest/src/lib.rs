#![doc = include_str!("../README.md")]

mod context;
mod egress;
mod message;
mod stream;

pub use egress::Egress;
