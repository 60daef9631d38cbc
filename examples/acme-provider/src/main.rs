//! A server with the standard providers and Acme's.

fn main() -> std::process::ExitCode {
    nora_server::Nora::standard().providers(acme_provider::all()).main()
}
