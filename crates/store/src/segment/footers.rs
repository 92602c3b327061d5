//! Footers in memory: read when first asked for, dropped when others need the room.
//!
//! A footer of a few columns is some kilobytes. With thousands of columns and dozens of row groups it is tens of megabytes, and a
//! large store has dozens of such segments; so footers are a cache like decoded columns. Whoever reads with one keeps it alive.

use super::footer::Footer;
use crate::memory::{GivesWay, Memory, MemoryUse};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The footers of a store's segments that are in memory.
pub(crate) struct Footers {
    memory: Memory,
    /// In the order in which they are looked at for removal (second chance, in a ring).
    ring: Mutex<VecDeque<Weak<FooterPlace>>>,
}

/// Where the footer of one segment is, if it is in memory.
pub(crate) struct FooterPlace {
    footers: Arc<Footers>,
    footer: Mutex<Option<Arc<Footer>>>,
    used: AtomicBool,
}

impl Footers {
    /// None yet. They do not give way before [`Footers::give_way_from_now`].
    pub fn new(memory: &Memory) -> Arc<Footers> {
        Arc::new(Footers {
            memory: memory.clone(),
            ring: Mutex::default(),
        })
    }

    /// Whatever was registered before gives way before footers do.
    pub fn give_way_from_now(self: &Arc<Self>) {
        let weak: Weak<Footers> = Arc::downgrade(self);
        self.memory.add_cache(weak);
    }

    /// A place for the footer of one segment.
    pub fn place(self: &Arc<Self>) -> Arc<FooterPlace> {
        Arc::new(FooterPlace {
            footers: self.clone(),
            footer: Mutex::default(),
            used: AtomicBool::new(false),
        })
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Weak<FooterPlace>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FooterPlace {
    /// The footer, read if it is not there. Two who read it at the same time do it twice, once in the life of a footer.
    pub fn get<E>(self: &Arc<Self>, read: impl FnOnce() -> Result<Footer, E>) -> Result<Arc<Footer>, E> {
        if let Some(footer) = &*self.footer() {
            self.used.store(true, Ordering::Relaxed);
            return Ok(footer.clone());
        }
        let footer = Arc::new(read()?);
        // Questions that cannot be answered without it are under way already, so it is held in any case.
        self.footers.memory.add(MemoryUse::Footers, footer.memory_bytes());
        let mut place = self.footer();
        if let Some(earlier) = &*place {
            self.footers.memory.remove(MemoryUse::Footers, footer.memory_bytes());
            return Ok(earlier.clone());
        }
        *place = Some(footer.clone());
        drop(place);
        let mut ring = self.footers.ring();
        // Segments come and go. Looking at all places is little beside the reading of a footer.
        ring.retain(|place| place.strong_count() > 0);
        ring.push_back(Arc::downgrade(self));
        Ok(footer)
    }

    /// Lets go of the footer. Returns its bytes.
    fn clear(&self) -> usize {
        let footer = self.footer().take();
        let bytes = footer.map_or(0, |footer| footer.memory_bytes());
        self.footers.memory.remove(MemoryUse::Footers, bytes);
        bytes
    }

    fn footer(&self) -> MutexGuard<'_, Option<Arc<Footer>>> {
        self.footer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FooterPlace {
    fn drop(&mut self) {
        self.clear();
    }
}

impl GivesWay for Footers {
    fn give_way(&self, bytes: usize) -> usize {
        let mut freed = 0;
        // Each place is looked at twice at most: the first look takes its second chance.
        let looks = 2 * self.ring().len();
        for _ in 0..looks {
            if freed >= bytes {
                break;
            }
            let Some(next) = self.ring().pop_front() else { break };
            // Of a segment that is gone, and its footer with it.
            let Some(place) = next.upgrade() else { continue };
            if place.used.swap(false, Ordering::Relaxed) {
                self.ring().push_back(next);
            } else {
                freed += place.clear();
            }
        }
        freed
    }
}
