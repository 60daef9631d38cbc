//! The binary `nora` with the standard providers.

use std::process::ExitCode;

fn main() -> ExitCode {
    nora_server::Nora::standard().main()
}
