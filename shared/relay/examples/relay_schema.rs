//! Prints the schema: `cargo run -q -p portpulse-relay --example relay_schema > infra/relay.schema.json`; with the argument
//! `documentation`, the tables in `infra/README.md`.
#![expect(clippy::print_stdout, reason = "the program prints texts of the relay")]

fn main() {
    if std::env::args().nth(1).as_deref() == Some("documentation") {
        print!("{}", portpulse_relay::documentation());
    } else {
        println!("{:#}", portpulse_relay::schema());
    }
}
