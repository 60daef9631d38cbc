#![doc = include_str!("../README.md")]

mod access;
mod kubeconfig;
mod provider;
mod review;
mod yaml;

pub use provider::Kubernetes;
