//! Prints the schema: `cargo run -q -p portpulse-schema --example print > infra/monitors.schema.json`.
#![expect(clippy::print_stdout, reason = "the program prints the schema")]

fn main() {
    println!("{:#}", portpulse_schema::definitions());
}
