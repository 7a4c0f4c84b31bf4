//! The allocator: the system's own, but huge buffers are mapped without reserving memory.
//!
//! **Fault**: tiny_http reads the rest of a body into a zeroed buffer of the announced size. If a client
//! announces a hundred gigabytes, the system's allocator fails, and Rust ends the process.
//! **Cure**: such a buffer is mapped without a reservation, so it costs only the memory that is written to.
#![allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one only chooses between two")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Buffers of this size in bytes (64 MiB) and more are mapped. No buffer of our own is so large.
const HUGE: usize = 64 * 1024 * 1024;

/// The alignment that a map always has, in bytes.
const PAGE: usize = 4096;

struct Allocator;

fn is_huge(layout: Layout) -> bool {
    layout.size() >= HUGE && layout.align() <= PAGE
}

// SAFETY: the layout alone decides between the system's allocator and a map. So a buffer is freed by the
// one that made it.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_huge(layout) {
            // SAFETY: the caller's promises are passed on.
            return unsafe { System.alloc(layout) };
        }
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: the kernel chooses the address, so the new map overlaps no other memory.
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
