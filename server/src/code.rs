//! What names a session to people: ten letters, of which none looks like another. Who has the code of a
//! private session may join it, so it is drawn by chance from so many that nobody guesses it.

use core::fmt;
use core::str::FromStr;

/// Random bits of a code.
const BITS: u32 = 50;
/// Bits of one letter.
const LETTER_BITS: u32 = 5;
/// Letters of a code.
const LETTERS: usize = (BITS / LETTER_BITS) as usize;
/// Letters by their value: Crockford's base 32, which has no I, L, O and U.
const ALPHABET: &[u8; 1 << LETTER_BITS] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of a text that may be a code; a longer one is none.
const TEXT_BYTES_MAX: usize = 32;

/// The first letter of a code. Where several servers are one site each of them has one of its own, so that a code says
/// which server has its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter(u8);

impl Letter {
    fn read(byte: u8) -> Option<Self> {
        let letter = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            letter => letter,
        };
        ALPHABET.iter().position(|&known| known == letter).map(|value| Self(value as u8))
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(ALPHABET[usize::from(self.0)]))
    }
}

impl FromStr for Letter {
    type Err = String;

    /// One letter or digit, as people type it.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            [byte] => Self::read(*byte),
            _ => None,
        }
        .ok_or_else(|| "one letter or digit is needed, but no U".into())
    }
}

/// Names a session: 50 random bits, shown as ten letters and digits in two groups of five. Of a server of a site the first
/// five bits are that server's [`Letter`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionCode(u64);

impl SessionCode {
    /// A code that nobody could have foreseen.
    pub fn random() -> Self {
        Self(rand::random::<u64>() >> (u64::BITS - BITS))
    }

    /// The same, with `letter` as the first one.
    pub fn random_at(letter: Letter) -> Self {
        let rest = BITS - LETTER_BITS;
        Self(u64::from(letter.0) << rest | Self::random().0 & ((1 << rest) - 1))
    }

    /// The first letter.
    pub fn letter(self) -> Letter {
        Letter((self.0 >> (BITS - LETTER_BITS)) as u8)
    }

    /// What may stand in a log: a public session's code, and of a private one, which is a secret, the first
    /// two letters.
    pub fn for_log(self, public: bool) -> String {
        if public { self.to_string() } else { format!("{self:?}") }
    }

    fn letters(self) -> [u8; LETTERS] {
        core::array::from_fn(|place| {
            let shift = LETTER_BITS * (LETTERS - 1 - place) as u32;
            ALPHABET[(self.0 >> shift) as usize % ALPHABET.len()]
        })
    }
}

impl fmt::Display for SessionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.letters().into_iter().enumerate() {
            if place == LETTERS / 2 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SessionCode {
    /// A code is a secret unless its session is public.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.letters();
        write!(f, "{}{}..", char::from(first), char::from(second))
    }
}

/// A text that is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCode;

impl FromStr for SessionCode {
    type Err = NoCode;

    /// As people type it: in small letters, with spaces or hyphens anywhere or nowhere, with an O for a zero
    /// and an I or L for a one.
    fn from_str(text: &str) -> Result<Self, NoCode> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(NoCode);
        }
        let (mut bits, mut letters) = (0_u64, 0);
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let Letter(value) = Letter::read(byte).ok_or(NoCode)?;
            bits = bits << LETTER_BITS | u64::from(value);
            letters += 1;
            if letters > LETTERS {
                return Err(NoCode);
            }
        }
        if letters == LETTERS { Ok(Self(bits)) } else { Err(NoCode) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_as_people_write_it() {
        for _ in 0..1000 {
            let code = SessionCode::random();
            let shown = code.to_string();
            assert_eq!(shown.len(), 11);
            assert_eq!(shown.parse(), Ok(code));
            assert_eq!(shown.to_lowercase().parse(), Ok(code));
            assert_eq!(shown.replace('-', "").parse(), Ok(code));
            assert_eq!(format!(" {} ", shown.replace('-', " ")).parse(), Ok(code));
            let sloppy = shown.replace('0', "o").replace('1', "l");
            assert_eq!(sloppy.parse(), Ok(code));
        }
        assert_eq!(SessionCode(0).to_string(), "00000-00000");
        assert_eq!(SessionCode((1 << BITS) - 1).to_string(), "ZZZZZ-ZZZZZ");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in
            ["", "ABCDE", "ABCDE-FGHJ", "ABCDE-FGHJKM", "ABCDE-FGHJU", "ABCDE/FGHJK", "ÄBCDE-FGHJ"]
        {
            assert_eq!(bad.parse::<SessionCode>(), Err(NoCode), "{bad}");
        }
        assert_eq!(" ".repeat(1000).parse::<SessionCode>(), Err(NoCode));
    }

    #[test]
    fn codes_are_not_each_others_neighbours() {
        let mut codes: Vec<_> = (0..1000).map(|_| SessionCode::random().0).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 1000);
        // Each of the fifty bits is there and is missing about as often.
        for bit in 0..BITS {
            let set = codes.iter().filter(|&code| code >> bit & 1 == 1).count();
            assert!((350..650).contains(&set), "bit {bit}: {set} of 1000");
        }
    }

    #[test]
    fn a_code_begins_with_its_servers_letter() {
        for (said, letter) in [("A", "A"), ("z", "Z"), ("0", "0"), ("o", "0"), ("L", "1")] {
            let letter = (said.parse::<Letter>().unwrap(), letter);
            let codes: Vec<_> = (0..100).map(|_| SessionCode::random_at(letter.0)).collect();
            assert!(codes.iter().all(|code| code.letter() == letter.0));
            assert!(codes.iter().all(|code| code.to_string().starts_with(letter.1)));
            assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
        }
        for bad in ["", "AB", "U", "-", "Ä"] {
            assert!(bad.parse::<Letter>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_shows_two_letters_of_a_secret() {
        let code: SessionCode = "ABCDE-FGHJK".parse().unwrap();
        assert_eq!(code.for_log(true), "ABCDE-FGHJK");
        assert_eq!(code.for_log(false), "AB..");
        assert_eq!(format!("{:?}", Some(code)), "Some(AB..)");
    }
}
