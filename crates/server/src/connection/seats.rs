//! How many connections are open, and which of them has to go when another one comes.
//!
//! A connection that waits for a request, or for the rest of its head, costs its sender nothing, so there may be any number
//! of them. When all seats are taken the one that has waited longest makes room; those with a request keep theirs. So a
//! flood of idle connections pushes out idle connections.

use crate::app_state::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// All seats of the listener.
#[derive(Clone)]
pub struct Seats {
    room: Arc<Mutex<Room>>,
    seats_max: usize,
}

#[derive(Default)]
struct Room {
    taken: usize,
    /// Waiting connections by when they began to wait.
    waiting: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// A request of a seat's connection, from its head to the last byte of its answer.
pub struct Work(Arc<Seat>);

/// One connection's seat, free again when dropped.
pub struct Seat {
    room: Arc<Mutex<Room>>,
    leave: Arc<Notify>,
    /// Key in [`Room::waiting`] while no request is being answered.
    waiting_since: Mutex<Option<u64>>,
}

impl Seats {
    pub fn new(seats_max: usize) -> Seats {
        Seats {
            room: Arc::default(),
            seats_max,
        }
    }

    /// A seat for a new connection, which waits for its first request; `None` when all are taken by requests.
    pub fn take(&self) -> Option<Seat> {
        let mut room = lock(&self.room);
        if room.taken >= self.seats_max {
            // It is gone in a moment; until then there is one more than there should be.
            let (_, longest) = room.waiting.pop_first()?;
            longest.notify_one();
        }
        room.taken += 1;
        drop(room);
        let seat = Seat {
            room: self.room.clone(),
            leave: Arc::default(),
            waiting_since: Mutex::default(),
        };
        seat.wait();
        Some(seat)
    }
}

impl Seat {
    /// A request has come.
    pub fn work(self: &Arc<Seat>) -> Work {
        self.stop_waiting();
        Work(self.clone())
    }

    /// Whether no request is being answered.
    pub fn is_waiting(&self) -> bool {
        lock(&self.waiting_since).is_some()
    }

    fn stop_waiting(&self) {
        let since = lock(&self.waiting_since).take();
        if let Some(since) = since {
            lock(&self.room).waiting.remove(&since);
        }
    }

    fn wait(&self) {
        let mut room = lock(&self.room);
        let since = room.next;
        room.next += 1;
        room.waiting.insert(since, self.leave.clone());
        drop(room);
        *lock(&self.waiting_since) = Some(since);
    }

    /// Resolves when the seat is needed for somebody else.
    pub async fn is_needed(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.wait();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.stop_waiting();
        lock(&self.room).taken -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn is_needed(seat: &Seat) -> bool {
        seat.is_needed().now_or_never().is_some()
    }

    fn sit(seats: &Seats) -> Arc<Seat> {
        Arc::new(seats.take().expect("there is a seat"))
    }

    #[test]
    fn who_waits_longest_goes_first_and_who_works_stays() {
        let seats = Seats::new(3);
        let [first, second, third] = [(); 3].map(|()| sit(&seats));
        let work = first.work();
        let fourth = sit(&seats);
        assert!(!is_needed(&first) && is_needed(&second) && !is_needed(&third));
        assert!(!first.is_waiting() && fourth.is_waiting());
        drop((second, work));
        let _fifth = sit(&seats);
        assert!(is_needed(&third) && !is_needed(&first) && !is_needed(&fourth));
    }

    #[test]
    fn nobody_is_sent_away_for_the_sake_of_another_request() {
        let seats = Seats::new(2);
        let [first, second] = [(); 2].map(|()| sit(&seats));
        let work = [first.work(), second.work()];
        assert!(seats.take().is_none());
        drop((first, work));
        assert!(seats.take().is_some());
        assert!(!is_needed(&second));
    }
}
