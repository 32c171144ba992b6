//! Money and ratios in whole numbers, so that every language gets the same last digit.

/// Cents of a price as the CSV export writes it: `99.99` is 9999. None when it is not written so.
pub fn cents(text: &str) -> Option<i64> {
    let (units, hundredths) = text.split_once('.')?;
    let is_amount = !units.is_empty()
        && hundredths.len() == 2
        && units
            .bytes()
            .chain(hundredths.bytes())
            .all(|byte| byte.is_ascii_digit());
    is_amount.then(|| format!("{units}{hundredths}").parse().ok())?
}

/// Cents of a JSON number that has at most two decimals.
pub fn to_cents(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}

/// The JSON number for an amount of cents.
pub fn from_cents(amount: i64) -> f64 {
    amount as f64 / 100.0
}

/// The nearest whole number, halves up; 0 when the divisor is 0. For numbers from 0 up.
pub fn divide(dividend: i64, divisor: i64) -> i64 {
    if divisor == 0 {
        return 0;
    }
    (2 * dividend + divisor) / (2 * divisor)
}

/// An amount of cents for people: 384968 is `3849.68`.
pub fn written(amount: i64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_the_export() {
        assert_eq!(cents("99.99"), Some(9999));
        for text in ["", "1", "1.5", ".50", "1.505", "-1.50", "1,50", "x.50"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn halves_go_up() {
        assert_eq!(
            (divide(5, 2), divide(4, 3), divide(5, 3), divide(7, 0)),
            (3, 1, 2, 0)
        );
    }

    #[test]
    fn amounts_for_people() {
        assert_eq!(
            (written(384_968), written(5)),
            ("3849.68".to_string(), "0.05".to_string())
        );
    }
}
