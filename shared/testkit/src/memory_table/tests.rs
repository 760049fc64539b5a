use super::*;

fn item(sk: &str, value: &str) -> Item {
    let pairs = [(PK, "p"), (SK, sk), ("value", value)];
    let pairs = pairs.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned())));
    Item::from(pairs)
}

#[test]
fn dropped_put_takes_effect_after_two_polls() {
    for (polls, present, answered) in [
        (0, false, false),
        (1, false, false),
        (2, true, false),
        (3, true, true),
    ] {
        let table = MemoryTable::new();
        let answer = poll(table.put(item("a", ""), Condition::Always), polls);
        assert_eq!(answer.is_some(), answered, "{polls}");
        assert_eq!(!table.snapshot().is_empty(), present, "{polls}");
    }
}

#[test]
fn fault_fails_put_before_or_after_effect() {
    for (fault, present) in [(Fault::Before, false), (Fault::After, true)] {
        let table = MemoryTable::new();
        table.set_faults(move |_| fault);
        let answer = poll(table.put(item("a", ""), Condition::Always), 3).unwrap();
        assert_eq!(answer.unwrap_err().to_string(), "cannot put `p/a`");
        assert_eq!(!table.snapshot().is_empty(), present, "{fault:?}");
    }
}

#[test]
fn stale_fault_affects_eventual_reads_only() {
    let table = MemoryTable::new();
    table.overwrite(item("a", "old"));
    table.overwrite(item("a", "new"));
    table.overwrite(item("b", "new"));
    table.set_faults(|_| Fault::Stale);
    let query = |read| poll(table.query("p", read), 3).unwrap().unwrap();
    assert_eq!(query(Read::Eventual), [item("a", "old")]);
    assert_eq!(query(Read::Strong), [item("a", "new"), item("b", "new")]);
    let get = |read| poll(table.get("p", "b", read), 3).unwrap().unwrap();
    assert_eq!(get(Read::Eventual), None);
    assert_eq!(get(Read::Strong), Some(item("b", "new")));
}

#[test]
fn fault_plan_receives_calls_in_order() {
    let table = MemoryTable::new();
    table.set_faults(|call| match (call.number, call.operation, call.sk) {
        (1, Operation::Put, Some("b")) => Fault::Before,
        _ => Fault::None,
    });
    let put = |sk| {
        poll(table.put(item(sk, ""), Condition::Always), 3)
            .unwrap()
            .is_ok()
    };
    assert_eq!(["a", "b", "b"].map(put), [true, false, true]);
    table.clear_faults();
    assert_eq!((put("c"), table.calls()), (true, 4));
}
