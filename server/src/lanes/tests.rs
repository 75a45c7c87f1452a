use super::*;
use std::sync::mpsc::channel;

#[test]
fn sessions_are_spread_and_places_come_back() {
    let lanes = Lanes::start(2);
    let places: Vec<_> = (0..4).map(|_| lanes.place()).collect();
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
    let number = |place: LanePlace| place.lane().number;
    let _two = [lanes.place(), lanes.place()];
    lanes.were_busy(&[0.05, 0.09]);
    let third = lanes.place();
    let busier = third.lane().number;
    assert_ne!(number(lanes.place()), busier, "about as much: by their number");
    let loads = if busier == 0 { [0.2, 0.7] } else { [0.7, 0.2] };
    lanes.were_busy(&loads);
    assert_eq!(number(lanes.place()), busier);
}

#[test]
fn a_lane_tells_for_how_long_it_was_at_work() {
    let lanes = Lanes::start(2);
    let place = lanes.place();
    let mut clock = place.clock();
    let (tell, told) = channel();
    place.spawn(async move {
        let start = Instant::now();
        clock.until(start).await;
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
    let place = lanes.place();
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
    lanes.place().spawn(async move { tell.send(7).unwrap() });
    assert_eq!(told.recv(), Ok(7));
}

#[test]
fn a_lane_ends_with_its_process_and_drops_its_tasks() {
    let lanes = Lanes::start(1);
    let place = lanes.place();
    let (tell, told) = channel::<()>();
    place.spawn(async move {
        let _tell = tell;
        std::future::pending::<()>().await;
    });
    drop(lanes);
    assert!(told.recv().is_err());
}
