//! The tables of fields in `infra/CONFIGURATION.md` are those of the declarations.

use portpulse_core::definition::Topic;
use portpulse_core::service::Service;
use portpulse_schema::table;

use crate::check_golden;

const DOCUMENT: &str = "../../infra/CONFIGURATION.md";

/// Replaces the text between `<!-- NAME -->` and `<!-- /NAME -->`.
fn with_table(document: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = document.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{table}{end}{after}")
}

#[test]
fn tables_of_fields_are_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let mut document = std::fs::read_to_string(path).unwrap();
    for (name, topic) in [
        ("target", Topic::Target),
        ("check", Topic::Check),
        ("incidents", Topic::Incidents),
        ("display", Topic::Display),
    ] {
        document = with_table(&document, name, &table::fields(topic));
    }
    document = with_table(&document, "windows", &table::windows());
    document = with_table(&document, "http", &table::http());
    check_golden(DOCUMENT, &document);
}

#[test]
fn every_service_is_in_the_table_of_services() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = std::fs::read_to_string(path).unwrap();
    let section = document.split("\n### Services\n").nth(1).unwrap();
    let rows: Vec<_> = section
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .collect();
    for service in Service::ALL {
        let name = format!("`{service}`");
        let cells = rows
            .iter()
            .filter_map(|row| row.strip_prefix("| ")?.split(" | ").next());
        assert_eq!(cells.filter(|cell| cell.contains(&name)).count(), 1, "{name}");
    }
}
