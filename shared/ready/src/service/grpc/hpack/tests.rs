use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

fn shown(fields: Option<Vec<Field>>) -> String {
    let fields = fields.map(|fields| {
        let lines = fields
            .into_iter()
            .map(|field| format!("{}={}", field.name, field.value));
        lines.collect::<Vec<_>>().join("; ")
    });
    fields.unwrap_or_else(|| "malformed".to_owned())
}

/// RFC 7541, appendix C.6: three responses in one connection, with Huffman codes, a table of 256 bytes and evictions.
#[test]
fn examples_of_rfc_7541_are_decoded() {
    let mut decoder = Decoder::new();
    let rows = [
        (
            "3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 \
             63c7 8f0b 97c8 e9ae 82ae 43d3",
            ":status=302; =private; =Mon, 21 Oct 2013 20:13:21 GMT; =https://www.example.com",
        ),
        (
            "4883 640e ffc1 c0bf",
            ":status=307; =private; =Mon, 21 Oct 2013 20:13:21 GMT; =https://www.example.com",
        ),
    ];
    for (block, expected) in rows {
        assert_eq!(shown(decoder.decode(&hex(block))), expected);
    }
    assert!(decoder.table_bytes <= 256, "{}", decoder.table_bytes);
}

#[test]
fn malformed_blocks_are_rejected() {
    let rows = [
        // Index 0, an entry that does not exist, a table that is too large, and integers that are cut or too large.
        "80",
        "be",
        "3fe2 1f",
        "ff",
        "ffff ffff 7f",
        "00",
        // A string longer than its block, and Huffman codes with wrong, long or endless padding.
        "0005 61",
        "0081 00",
        "0082 1fff",
        "0084 ffff ffff",
        "0085 ffff ffff ff",
    ];
    for block in rows {
        assert_eq!(shown(Decoder::new().decode(&hex(block))), "malformed", "{block}");
    }
}

#[test]
fn repeated_large_entry_is_refused() {
    let mut decoder = Decoder::new();
    // A literal that enters the dynamic table as its only entry, with index 62.
    let mut block = vec![0x40, 1, b'x'];
    string(&mut block, &"y".repeat(4_000));
    assert_eq!(decoder.decode(&block).map(|fields| fields.len()), Some(1));
    assert_eq!(
        decoder.decode(&[0x80 | 62; 4]).map(|fields| fields.len()),
        Some(4)
    );
    assert_eq!(decoder.decode(&[0x80 | 62; 5]), None);
}

proptest! {
    #[test]
    fn encoded_fields_are_decoded(name in "[a-z-]{1,300}", value in "[ -~]{0,300}", index in 1..=61_u8) {
        let mut block = Vec::new();
        encode_named(&mut block, &name, &value);
        encode(&mut block, index, &value);
        let fields = Decoder::new().decode(&block).unwrap();
        prop_assert_eq!(&fields[0], &Field { name, value: value.clone() });
        prop_assert_eq!(&fields[1].value, &value);
    }

    #[test]
    fn no_block_panics(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
        let mut decoder = Decoder::new();
        for block in blocks {
            let _ = decoder.decode(&block);
            prop_assert!(decoder.table_bytes <= MAX_TABLE_BYTES);
        }
    }
}
