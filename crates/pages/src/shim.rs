//! The place between SQLite and the operating system's files where checksums are made and compared.
//!
//! SQLite reaches files through a table of functions, its VFS. Ours is a copy of the default one in which opening a database
//! file is replaced, and every database file so opened has a copy of its own table of functions in which reading and writing
//! are replaced. Everything else (locks, shared memory, syncs, journals, the write-ahead log) is SQLite's own, untouched.
//!
//! **Why this is sound.** SQLite allocates `szOsFile` bytes for a file, zeroed or not, and never moves them while it is open. The real
//! VFS uses the first of them, [`Extra`] the ones behind, at a multiple of its alignment. The real functions are only ever called with
//! the pointers that SQLite passed to ours. A connection is used by one thread at a time, and so is a file.

#![allow(unsafe_code)]

use crate::page;
use rusqlite::ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};
use std::cell::RefCell;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;
use std::slice;
use std::sync::{Once, OnceLock};

/// The VFS that was the default one before ours, and ours.
struct Tables {
    real: *mut sqlite3_vfs,
    ours: *mut sqlite3_vfs,
}
// SAFETY: both tables live as long as the process; the first is never changed, the second by SQLite under a lock of its own.
unsafe impl Send for Tables {}
// SAFETY: as above.
unsafe impl Sync for Tables {}

static TABLES: OnceLock<Tables> = OnceLock::new();
static REGISTERED: Once = Once::new();

/// What an open database file has beyond what the real VFS keeps of it.
struct Extra {
    /// The real table with our reading and writing. The file points here.
    methods: sqlite3_io_methods,
    real: *const sqlite3_io_methods,
    path: PathBuf,
    /// Whether its pages have checksums; `None` while it has no first page.
    sealed: Option<bool>,
    /// Pages written before the first one was: they get their checksums with it.
    early: Vec<(u64, usize)>,
}

/// Lets every database that this process opens from now on compare checksums, if it has them. Others are left as they are.
///
/// # Panics
/// If SQLite has no VFS at all, which no build of it for a system with files lacks.
pub fn register() {
    let tables = TABLES.get_or_init(|| tables().expect("SQLite has a way to open files"));
    REGISTERED.call_once(|| {
        // SAFETY: the table lives for ever, as SQLite asks for, and `open` finds what it needs in `TABLES`, which is filled.
        let code = unsafe { ffi::sqlite3_vfs_register(tables.ours, 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes another way to open files");
    });
}

fn tables() -> Option<Tables> {
    // SAFETY: no name asks for the default; the result is null or a table that stays.
    let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    if real.is_null() {
        return None;
    }
    // SAFETY: it is not null and nobody writes to it. The copy shares its functions, which look at nothing in the table but
    // `pAppData` and `mxPathname`, and these are copied.
    let mut ours = unsafe { *real };
    ours.zName = c"frostpane".as_ptr();
    ours.pNext = ptr::null_mut();
    ours.szOsFile = (extra_offset(real) + size_of::<Extra>()) as c_int;
    ours.xOpen = Some(open);
    let ours = Box::into_raw(Box::new(ours));
    Some(Tables { real, ours })
}

/// Where [`Extra`] begins in the memory of a file.
fn extra_offset(real: *mut sqlite3_vfs) -> usize {
    // SAFETY: callers pass the real VFS.
    let used = unsafe { (*real).szOsFile } as usize;
    used.next_multiple_of(align_of::<Extra>())
}

fn real() -> *mut sqlite3_vfs {
    TABLES
        .get()
        .expect("`register` fills it before SQLite knows of `open`")
        .real
}

/// # Safety
/// `file` was opened by [`open`] as a database file.
unsafe fn extra<'a>(file: *mut sqlite3_file) -> &'a mut Extra {
    // SAFETY: `open` has put it there, and one thread at a time uses a file.
    unsafe { &mut *file.cast::<u8>().add(extra_offset(real())).cast::<Extra>() }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let real = real();
    // SAFETY: SQLite's own arguments, for the VFS they would have gone to.
    let code = unsafe {
        match (*real).xOpen {
            Some(open) => open(real, name, file, flags, flags_out),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    if code != ffi::SQLITE_OK || flags & ffi::SQLITE_OPEN_MAIN_DB == 0 {
        return code;
    }
    // SAFETY: the real VFS has opened the file, so its table is there; behind what it uses there is room for ours.
    unsafe {
        let methods = (*file).pMethods;
        let place = file.cast::<u8>().add(extra_offset(real)).cast::<Extra>();
        place.write(Extra {
            methods: sqlite3_io_methods {
                // Below 3 there is no memory mapping, which would go around us.
                iVersion: (*methods).iVersion.min(2),
                xClose: Some(close),
                xRead: Some(read),
                xWrite: Some(write),
                xDeviceCharacteristics: Some(characteristics),
                ..*methods
            },
            real: methods,
            path: path_of(name),
            sealed: None,
            early: Vec::new(),
        });
        (*file).pMethods = &raw const (*place).methods;
    }
    code
}

/// # Safety
/// `name` is null or ends with a zero, as SQLite's names do.
unsafe fn path_of(name: sqlite3_filename) -> PathBuf {
    if name.is_null() {
        return PathBuf::new();
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    PathBuf::from(OsStr::from_bytes(name.to_bytes()))
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what `open` opened, once. What is behind the real file is dropped; the real function sees its own table.
    unsafe {
        let place = ptr::from_mut(extra(file));
        let methods = (*place).real;
        (*file).pMethods = methods;
        place.drop_in_place();
        (*methods).xClose.map_or(ffi::SQLITE_OK, |close| close(file))
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own arguments; after a read that succeeded all bytes of the buffer are set.
    let (extra, content) = unsafe {
        let extra = extra(file);
        let Some(read) = (*extra.real).xRead else {
            return ffi::SQLITE_IOERR_READ;
        };
        match read(file, buffer, bytes, offset) {
            ffi::SQLITE_OK => {}
            code => return code,
        }
        (extra, slice::from_raw_parts(buffer.cast::<u8>(), bytes as usize))
    };
    if offset == 0 {
        extra.note_header(content);
    }
    if extra.sealed == Some(true) && page::is_page(content.len()) && !page::is_whole(content, offset as u64) {
        extra.note_damage(offset as u64);
        return ffi::SQLITE_IOERR_DATA;
    }
    ffi::SQLITE_OK
}

/// What the disk can do, except that parts of a page must not be read: they have no checksum.
unsafe extern "C" fn characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's own argument.
    let real = unsafe { (*extra(file).real).xDeviceCharacteristics.map_or(0, |ask| ask(file)) };
    real & !ffi::SQLITE_IOCAP_SUBPAGE_READ
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    buffer: *const c_void,
    bytes: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's own arguments.
    let (extra, content) = unsafe { (extra(file), slice::from_raw_parts(buffer.cast::<u8>(), bytes as usize)) };
    if offset == 0 {
        extra.note_header(content);
    }
    if !page::is_page(content.len()) {
        // SAFETY: as it came.
        return unsafe { extra.write_plain(file, content, offset) };
    }
    match extra.sealed {
        Some(true) => {
            let mut page = content.to_vec();
            page::seal(&mut page, offset as u64);
            // SAFETY: the bytes are ours and live until the call is over.
            match unsafe { extra.write_plain(file, &page, offset) } {
                // SAFETY: as above.
                ffi::SQLITE_OK => unsafe { extra.seal_early(file) },
                code => code,
            }
        }
        Some(false) => unsafe { extra.write_plain(file, content, offset) },
        None => {
            extra.early.push((offset as u64, content.len()));
            // SAFETY: as it came.
            unsafe { extra.write_plain(file, content, offset) }
        }
    }
}

thread_local! {
    /// The page that this thread last found damaged. SQLite's error has no room for it.
    static LAST_DAMAGE: RefCell<Option<(PathBuf, u64)>> = const { RefCell::new(None) };
}

pub(crate) fn last_damage() -> Option<(PathBuf, u64)> {
    LAST_DAMAGE.with_borrow(Clone::clone)
}

impl Extra {
    fn note_damage(&self, offset: u64) {
        LAST_DAMAGE.set(Some((self.path.clone(), offset)));
        tracing::error!(file = %self.path.display(), offset, "A page of a database fails its checksum; restore it from a backup");
    }

    /// Learns from the file's first bytes whether it has checksums. Once it has, it stays so: nothing takes them away, and a bit that
    /// flips in the header must not.
    fn note_header(&mut self, header: &[u8]) {
        if self.sealed != Some(true)
            && let Some(sealed) = page::header_is_sealed(header)
        {
            self.sealed = Some(sealed);
        }
    }

    /// # Safety
    /// `file` is the open file that `self` belongs to.
    unsafe fn write_plain(&self, file: *mut sqlite3_file, content: &[u8], offset: sqlite3_int64) -> c_int {
        // SAFETY: the caller's promise; the real function copies the bytes.
        unsafe {
            (*self.real).xWrite.map_or(ffi::SQLITE_IOERR_WRITE, |write| {
                write(file, content.as_ptr().cast::<c_void>(), content.len() as c_int, offset)
            })
        }
    }

    /// Gives pages that were written before the first one (a large transaction spills) their checksums.
    ///
    /// # Safety
    /// `file` is the open file that `self` belongs to.
    unsafe fn seal_early(&mut self, file: *mut sqlite3_file) -> c_int {
        for (offset, bytes) in std::mem::take(&mut self.early) {
            let mut page = vec![0_u8; bytes];
            // SAFETY: the caller's promise, and the buffer has as many bytes as are asked for.
            let code = unsafe {
                let buffer = page.as_mut_ptr().cast::<c_void>();
                (*self.real).xRead.map_or(ffi::SQLITE_IOERR_READ, |read| {
                    read(file, buffer, bytes as c_int, offset as sqlite3_int64)
                })
            };
            if code != ffi::SQLITE_OK {
                return code;
            }
            page::seal(&mut page, offset);
            // SAFETY: the caller's promise.
            match unsafe { self.write_plain(file, &page, offset as sqlite3_int64) } {
                ffi::SQLITE_OK => {}
                code => return code,
            }
        }
        ffi::SQLITE_OK
    }
}

/// Asks SQLite to leave the end of every page to us in a database that has no page yet, and in copies that it makes of one
/// (`VACUUM INTO`). A database that has pages is not changed by it.
pub(crate) fn reserve(connection: &rusqlite::Connection) {
    let mut bytes = page::RESERVED_BYTES as c_int;
    // SAFETY: the handle is open, and the call reads and writes one `int`.
    unsafe {
        let argument = (&raw mut bytes).cast::<c_void>();
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_RESERVE_BYTES,
            argument,
        );
    }
}
