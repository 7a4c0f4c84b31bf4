//! The system's allocator, but for huge buffers, which take address space and reserve no memory.
//!
//! tiny_http drains the unread body of a request into a zeroed buffer of the announced size. The
//! system's allocator has no hundred gigabytes for a client's lie, and Rust ends the process. Mapped
//! without a reservation the same buffer costs what is really written to it: next to nothing.
#![allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one only chooses between two")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// From this size on, in bytes (64 MiB), a buffer is mapped. Nothing of our own is so large.
const HUGE: usize = 64 * 1024 * 1024;

/// No huge buffer asks for more than a page.
const PAGE: usize = 4096;

struct Allocator;

fn is_huge(layout: Layout) -> bool {
    layout.size() >= HUGE && layout.align() <= PAGE
}

// SAFETY: every call goes to the system's allocator or to the kernel's maps, chosen by the layout
// alone, so that what one gave is given back to the same.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_huge(layout) {
            // SAFETY: the caller's promises are passed on.
            return unsafe { System.alloc(layout) };
        }
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice is nobody else's.
        let map = unsafe {
            mmap_anonymous(ptr::null_mut(), layout.size(), ProtFlags::READ | ProtFlags::WRITE, flags)
        };
        map.map_or(ptr::null_mut(), |map| map.cast())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_huge(layout) {
            // SAFETY: the caller's promises are passed on. A new mapping is zeroed.
            unsafe { self.alloc(layout) }
        } else {
            // SAFETY: the caller's promises are passed on.
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if is_huge(layout) {
            // SAFETY: the layout says that `alloc` mapped it, with this size.
            let _ = unsafe { munmap(pointer.cast(), layout.size()) };
        } else {
            // SAFETY: the layout says that the system's allocator gave it.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size is a valid one for this alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if !is_huge(layout) && !is_huge(new) {
            // SAFETY: the caller's promises are passed on.
            return unsafe { System.realloc(pointer, layout, new_size) };
        }
        // SAFETY: both buffers are as large as what is copied, and they do not overlap.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(pointer, moved, layout.size().min(new_size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}
