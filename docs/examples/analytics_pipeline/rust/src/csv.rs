//! Reading a CSV file: as much of it as an export of one line for each row needs.

use std::collections::HashMap;

/// The rows by the names in the first line, each with the number of its line.
pub fn rows(text: &str) -> impl Iterator<Item = (usize, HashMap<String, String>)> + '_ {
    let mut lines = text.lines();
    let names = lines.next().map(fields).unwrap_or_default();
    (2..)
        .zip(lines)
        .map(move |(number, line)| (number, names.iter().cloned().zip(fields(line)).collect()))
}

/// The fields of a line. Those in quotes may hold commas, and quotes that are doubled.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => push(&mut fields, character),
        }
    }
    fields
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_commas() {
        assert_eq!(
            fields("a,\"b, c\",\"say \"\"d\"\"\","),
            ["a", "b, c", "say \"d\"", ""]
        );
    }

    #[test]
    fn rows_have_the_names_of_the_first_line() {
        let found: Vec<_> = rows("a,b\r\n1,2\r\n3,4\r\n").collect();
        assert_eq!((found[0].0, found[0].1["b"].as_str()), (2, "2"));
        assert_eq!((found[1].0, found[1].1["a"].as_str()), (3, "3"));
    }
}
