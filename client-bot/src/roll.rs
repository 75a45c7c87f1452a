//! Who was sent out and is not called back yet, for one process and for many alike. Comes in: who set out and who fell
//! out by themselves. Goes out: how many there are, and who is called back next.

use std::collections::BTreeMap;

/// Bots by number, the newest last, each with what calls it back.
#[derive(Debug)]
pub(crate) struct Roll<T> {
    out: BTreeMap<u32, T>,
    /// Who fell out and is counted still: nobody is sent out in their place.
    fallen: u32,
}

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self { out: BTreeMap::new(), fallen: 0 }
    }
}

impl<T> Roll<T> {
    /// How many there are, with those that fell out: else as many would set out in their place, and fall out too.
    pub(crate) fn there(&self) -> u32 {
        self.out.len() as u32 + self.fallen
    }

    /// Bot `number` sets out.
    pub(crate) fn add(&mut self, number: u32, call: T) {
        self.out.insert(number, call);
    }

    /// Bot `number` is back; if nobody called it, it fell out.
    pub(crate) fn is_back(&mut self, number: u32) {
        self.fallen += u32::from(self.out.remove(&number).is_some());
    }

    /// There is to be one less: who fell out goes first, then the newest. Gives whom to call back, if anybody.
    pub(crate) fn fewer(&mut self) -> Option<(u32, T)> {
        match self.fallen.checked_sub(1) {
            Some(left) => {
                self.fallen = left;
                None
            }
            None => self.out.pop_last(),
        }
    }

    /// Whoever fell out is not counted any longer.
    pub(crate) fn forget_the_fallen(&mut self) {
        self.fallen = 0;
    }

    /// Everybody is called back.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever fell out: as the load falls, as many play as there are to be, if there are as many left.
    #[test]
    fn a_load_that_falls_leaves_as_many_as_it_says() {
        let (oldest, newest) = (0..100, 300..400);
        for fallen in [oldest, newest] {
            let mut roll = Roll::default();
            (0..400).for_each(|number| roll.add(number, ()));
            fallen.clone().for_each(|number| roll.is_back(number));
            assert_eq!(roll.there(), 400, "nobody sets out in their place");
            let mut plays: Vec<_> = (0..400).filter(|number| !fallen.contains(number)).collect();
            while roll.there() > 100 {
                if let Some((number, ())) = roll.fewer() {
                    assert_eq!(plays.pop(), Some(number), "the newest of those that play");
                    roll.is_back(number);
                }
            }
            assert_eq!((plays.len(), roll.there()), (100, 100));
        }
    }

    #[test]
    fn who_is_forgotten_may_be_replaced() {
        let mut roll = Roll::default();
        (0..4).for_each(|number| roll.add(number, ()));
        [1, 3].iter().for_each(|&number| roll.is_back(number));
        roll.forget_the_fallen();
        assert_eq!((roll.there(), roll.fewer()), (2, Some((2, ()))));
    }
}
