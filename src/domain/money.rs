//! Money: integer minor units with their currency.

use super::Invalid;
use std::fmt;

/// An ISO 4217 code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub fn parse(text: &str) -> Result<Currency, Invalid> {
        let refused = || Invalid::new("Three letters, such as USD or IQD");
        let code: [u8; 3] = text
            .trim()
            .to_ascii_uppercase()
            .as_bytes()
            .try_into()
            .map_err(|_| refused())?;
        if code.iter().all(u8::is_ascii_uppercase) {
            Ok(Currency(code))
        } else {
            Err(refused())
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point (ISO 4217). Dinars of the Gulf have three, a few have none.
    pub fn decimals(&self) -> u32 {
        match &self.0 {
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            _ => 2,
        }
    }
}

/// An amount in the smallest unit of its currency; negative amounts are debts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    /// Reads `12`, `12.5` or `12.50`. More decimals than the currency has are refused, never rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, Invalid> {
        let refused = || Invalid::new(format!("Not an amount in {}", currency.as_str()));
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(refused());
        }
        let decimals = currency.decimals();
        let width = usize::try_from(decimals).map_err(|_| refused())?;
        if fraction.len() > width {
            return Err(Invalid::new(format!(
                "{} has {decimals} decimals",
                currency.as_str()
            )));
        }
        let scaled = format!("{whole}{fraction:0<width$}");
        let minor = scaled
            .parse::<i64>()
            .map_err(|_| Invalid::new("The amount is too large"))?;
        Ok(Money { minor, currency })
    }
}

impl fmt::Display for Money {
    /// `12.50 USD`; readable back by [`Money::parse`] without the currency.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency.as_str())
    }
}

impl Money {
    /// The amount alone, `12.50`, as a form field shows it.
    pub fn amount(&self) -> String {
        let decimals = self.currency.decimals();
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        let scale = 10u64.pow(decimals);
        match decimals {
            0 => format!("{sign}{magnitude}"),
            3 => format!("{sign}{}.{:03}", magnitude / scale, magnitude % scale),
            _ => format!("{sign}{}.{:02}", magnitude / scale, magnitude % scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_printed() {
        for (text, currency, minor, printed) in [
            ("12", "USD", 1200, "12.00 USD"),
            ("12.5", "usd", 1250, "12.50 USD"),
            ("0.005", "IQD", 5, "0.005 IQD"),
            ("700", "JPY", 700, "700 JPY"),
        ] {
            let money = Money::parse(text, Currency::parse(currency).unwrap()).unwrap();
            assert_eq!((money.minor, money.to_string().as_str()), (minor, printed));
            assert_eq!(Money::parse(&money.amount(), money.currency), Ok(money));
        }
    }

    #[test]
    fn refuses_what_would_need_rounding_or_is_no_number() {
        let usd = Currency::parse("USD").unwrap();
        for text in [
            "",
            ".",
            ".5",
            "1.234",
            "-1",
            "1,5",
            "1e3",
            "99999999999999999999",
        ] {
            assert!(Money::parse(text, usd).is_err(), "{text}");
        }
        for text in ["", "US", "USDX", "U$D", "١٢٣"] {
            assert!(Currency::parse(text).is_err(), "{text}");
        }
    }
}
