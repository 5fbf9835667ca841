//! Doing the same for many, some at a time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many integrations are asked at the same time, unless they are followed.
pub(crate) const AT_ONCE: usize = 4;

/// Acts on every item on threads of its own, so many at a time; the results come in the order of the
/// items.
pub(crate) fn side_by_side<I: Sync, T: Send>(
    items: &[I],
    at_once: usize,
    act: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..items.len()).collect());
    let done: Mutex<Vec<(usize, T)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let Some(number) = held(&waiting).pop_front() else {
                        return;
                    };
                    let result = act(&items[number]);
                    held(&done).push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What a lock guards; it is held for a moment only and left whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, Condvar};

    use super::*;

    #[test]
    fn results_come_in_order_and_no_more_work_than_allowed_at_once() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let items: Vec<usize> = (0..40).collect();
        let doubled = side_by_side(&items, 3, |&item| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(doubled, (0..40).map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= 3);
        let none: Vec<usize> = side_by_side(&[], 3, |&item: &usize| item);
        assert_eq!(none, [0_usize; 0]);
    }

    #[test]
    fn as_many_as_allowed_really_run_at_once() {
        // Each waits for the other: one after the other would never end.
        let both = Barrier::new(2);
        side_by_side(&[(), ()], 2, |()| both.wait());
    }

    #[test]
    fn a_slow_one_does_not_keep_the_others_waiting() {
        let others = (Mutex::new(0), Condvar::new());
        let (count, changed) = &others;
        side_by_side(&[0, 1, 2, 3], 2, |&item| {
            let mut done = held(count);
            if item == 0 {
                while *done < 3 {
                    done = changed.wait(done).unwrap();
                }
            } else {
                *done += 1;
                changed.notify_all();
            }
        });
    }
}
