use super::*;
use std::sync::mpsc::channel;

#[test]
fn sessions_are_spread_and_places_come_back() {
    let lanes = Lanes::start(2);
    let places: Vec<_> = (0..4).map(|_| lanes.place(0)).collect();
    let on = |place: &LanePlace| place.lane().sessions.load(Ordering::Relaxed);
    assert!(places.iter().all(|place| on(place) == 2));
    assert!(!Arc::ptr_eq(places[0].lane(), places[1].lane()));
    let first = Arc::clone(places[0].lane());
    drop(places);
    assert_eq!(first.sessions.load(Ordering::Relaxed), 0);
}

#[test]
fn a_session_goes_to_where_less_is_done_whatever_the_number_of_sessions() {
    let lanes = Lanes::start(2);
    let number = |place: &LanePlace| place.lane().number;
    let places: Vec<_> = (0..9).map(|_| lanes.place(0)).collect();
    let idle = number(&places[1]);
    drop(places);
    let _four = [(); 4].map(|()| lanes.place(0));
    let mut loads = [0.7; 2];
    loads[idle] = 0.6;
    let many: Vec<_> = (0..5)
        .map(|_| {
            lanes.were_busy(&loads, 4000);
            lanes.place(10)
        })
        .collect();
    assert!(many.iter().all(|place| number(place) == idle));
}

#[test]
fn where_a_tick_does_not_end_nothing_more_is_placed_as_long_as_there_is_another_lane() {
    let lanes = Lanes::start(2);
    let place = |stuck: [bool; 2]| {
        lanes.are_stuck(&stuck);
        lanes.were_busy(&[0.0, 0.9], 1);
        lanes.place(1).lane().number
    };
    assert_eq!(place([false, false]), 0);
    assert_eq!((place([true, false]), lanes.stuck()), (1, 1));
    assert_eq!((place([true, true]), lanes.stuck()), (0, 2));
    assert_eq!((place([false, false]), lanes.stuck()), (0, 0));
}

/// How many of `people`'s sessions came to each of two lanes that are this busy, with so many people in all.
fn spread(loads: [f64; 2], people_there: u32, people: &[u32]) -> [usize; 2] {
    let lanes = Lanes::start(2);
    lanes.were_busy(&loads, people_there);
    let places: Vec<_> = people.iter().map(|&people| lanes.place(people)).collect();
    [0, 1].map(|lane| places.iter().filter(|place| place.lane().number == lane).count())
}

#[test]
fn sessions_that_come_together_are_spread_by_what_they_will_need() {
    // Each is expected to need 2 % of a lane, so the first ones make up for what one does less, and then they take turns.
    assert_eq!(spread([0.2, 0.31], 510, &[20; 40]), [22, 18]);
    // Empty ones as well.
    let [less, more] = spread([0.2, 0.31], 510, &[0; 40]);
    assert!(less > more && more > 10, "{less} {more}");
    // After a start nothing is known of what people cost.
    assert_eq!(spread([0.0, 0.0], 0, &[100, 100]), [1, 1]);
    assert_eq!(spread([0.0, 0.0], 0, &[400, 90, 90, 90]), [1, 3]);
}

#[test]
fn what_was_expected_is_forgotten_once_it_could_be_measured() {
    let lanes = Lanes::start(2);
    let first = lanes.place(1000).lane().number;
    assert!((0..9).all(|_| lanes.place(1).lane().number != first));
    // None of them came.
    (0..120).for_each(|_| lanes.were_busy(&[0.0, 0.0], 1000));
    let _there = (lanes.place(1000), lanes.place(1));
    lanes.were_busy(&[0.0, 0.0], 0);
    let mut loads = [0.3; 2];
    loads[first] = 0.2;
    lanes.were_busy(&loads, 5000);
    assert_eq!(lanes.place(1).lane().number, first);
}

#[test]
fn a_lane_tells_for_how_long_it_was_at_work() {
    let lanes = Lanes::start(2);
    let place = lanes.place(0);
    let mut clock = place.clock();
    let (tell, told) = channel();
    place.spawn(async move {
        clock.until(Instant::now()).await;
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(20) {}
        clock.until(start + Duration::from_millis(21)).await;
        tell.send(()).unwrap();
    });
    assert_eq!(told.recv(), Ok(()));
    let busy: Vec<_> = lanes.busy().collect();
    let (worked, slept) = (place.lane().number, 1 - place.lane().number);
    assert!(busy[worked] >= Duration::from_millis(19), "{busy:?}");
    assert!(busy[slept] < busy[worked], "{busy:?}");
}

#[test]
fn what_ticks_is_woken_in_time_and_again_though_it_is_late() {
    let lanes = Lanes::start(1);
    let place = lanes.place(0);
    let mut clock = place.clock();
    let (tell, told) = channel();
    place.spawn(async move {
        let start = Instant::now();
        for n in 1..=20_u32 {
            // Every second deadline has passed by now.
            let due = start + Duration::from_millis(3) * (n / 2);
            clock.until(due).await;
            tell.send(Instant::now() >= due).unwrap();
        }
    });
    assert_eq!(told.iter().filter(|&in_time| in_time).count(), 20);
}

#[test]
fn where_nothing_ticks_tasks_run_all_the_same() {
    let lanes = Lanes::start(1);
    let (tell, told) = channel();
    lanes.place(0).spawn(async move { tell.send(7).unwrap() });
    assert_eq!(told.recv(), Ok(7));
}

#[test]
fn a_lane_ends_with_its_process_and_drops_its_tasks() {
    let lanes = Lanes::start(1);
    let place = lanes.place(0);
    let (tell, told) = channel::<()>();
    place.spawn(async move {
        let _tell = tell;
        std::future::pending::<()>().await;
    });
    drop(lanes);
    assert!(told.recv().is_err());
}
