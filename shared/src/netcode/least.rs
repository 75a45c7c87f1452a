//! The least of the last while: what a round trip takes when nothing is in its way.

/// The least of the samples of the last while; of between one span and two, as spans are forgotten whole. So
/// a line that has become longer is believed after a while.
#[derive(Clone, Copy, Debug)]
pub struct Least {
    span: f64,
    began: f64,
    now: f64,
    before: f64,
}

impl Least {
    /// Nothing yet; forgets by spans of so much time, in any unit.
    pub const fn new(span: f64) -> Self {
        Self { span, began: 0.0, now: f64::INFINITY, before: f64::INFINITY }
    }

    /// One more sample, taken at `at`; the least with it.
    pub fn add(&mut self, sample: f64, at: f64) -> f64 {
        if at - self.began >= self.span {
            (self.before, self.now, self.began) = (self.now, f64::INFINITY, at);
        }
        self.now = self.now.min(sample);
        self.get()
    }

    /// The least; infinite before the first sample.
    pub fn get(&self) -> f64 {
        self.now.min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_line_is_believed_after_two_spans() {
        let mut least = Least::new(10.0);
        assert_eq!((least.get(), least.add(3.0, 5.0)), (f64::INFINITY, 3.0));
        assert_eq!(least.add(8.0, 14.0), 3.0);
        assert_eq!(least.add(9.0, 20.0), 3.0);
        assert_eq!(least.add(9.0, 24.0), 8.0);
    }
}
