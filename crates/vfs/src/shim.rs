//! SQLite's file interface, spoken once: a layer of ours over another VFS. All `unsafe` of the workspace is in here.
//!
//! A layer is plain Rust ([`Layer`], [`FileLayer`]). SQLite allocates the memory of an open file; in it lie our [`Head`], with
//! a pointer to the layer's state, and behind it the file of the VFS below, which does the real work.
//!
//! SOURCE: sqlite.org/c3ref/vfs.html, sqlite.org/c3ref/io_methods.html.
#![expect(unsafe_code, reason = "the interface is C")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use rusqlite::ffi as sql;

/// What SQLite uses a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The database.
    Database,
    /// Its write-ahead log.
    Wal,
    /// Journals and temporary files.
    Other,
}

/// What a layer does with names of files.
pub(crate) trait Layer: Send + Sync + 'static {
    /// What it keeps for each open file.
    type File: FileLayer;

    /// A file is about to be opened. An error is a result code of SQLite.
    fn open(&self, path: Option<&CStr>, kind: Kind) -> Result<Self::File, c_int>;

    /// A file is about to be deleted.
    fn delete(&self, _path: &CStr, _synced: bool) -> c_int {
        sql::SQLITE_OK
    }
}

/// What a layer does with one open file. Every answer is a result code of SQLite; what is not `SQLITE_OK` ends the call.
pub(crate) trait FileLayer: Send {
    /// Properties of the file below that are not told to SQLite.
    const HIDDEN: c_int = 0;

    fn before_read(&mut self) -> c_int {
        sql::SQLITE_OK
    }

    /// All bytes asked for were read.
    fn after_read(&mut self, _below: &Below, _bytes: &[u8], _at: i64) -> c_int {
        sql::SQLITE_OK
    }

    fn write(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        below.write(bytes, at)
    }

    fn truncate(&mut self, below: &Below, size: i64) -> c_int {
        below.truncate(size)
    }

    fn sync(&mut self, below: &Below, flags: c_int) -> c_int {
        below.sync(flags)
    }

    /// The shared memory is about to be mapped or locked.
    fn before_shared_memory(&mut self) -> c_int {
        sql::SQLITE_OK
    }

    /// An order of ours from [`order`]. Gives whether it was one for this layer.
    fn order(&mut self, _number: c_int) -> bool {
        false
    }
}

/// The file below a layer's.
#[derive(Debug)]
pub(crate) struct Below(*mut sql::sqlite3_file);

impl Below {
    fn methods(&self) -> Option<&sql::sqlite3_io_methods> {
        // SAFETY: the file below stays open, and its methods where they are, for as long as ours is open.
        unsafe { self.0.as_ref().and_then(|file| file.pMethods.as_ref()) }
    }

    /// Reads. What lies behind the end is zero, and `SQLITE_IOERR_SHORT_READ`.
    pub(crate) fn read(&self, bytes: &mut [u8], at: i64) -> c_int {
        let Some(read) = self.methods().and_then(|methods| methods.xRead) else { return sql::SQLITE_IOERR };
        let Ok(length) = c_int::try_from(bytes.len()) else { return sql::SQLITE_IOERR };
        // SAFETY: the pointer and the length are those of one slice.
        unsafe { read(self.0, bytes.as_mut_ptr().cast(), length, at) }
    }

    pub(crate) fn write(&self, bytes: &[u8], at: i64) -> c_int {
        let Some(write) = self.methods().and_then(|methods| methods.xWrite) else { return sql::SQLITE_IOERR };
        let Ok(length) = c_int::try_from(bytes.len()) else { return sql::SQLITE_IOERR };
        // SAFETY: the pointer and the length are those of one slice.
        unsafe { write(self.0, bytes.as_ptr().cast(), length, at) }
    }

    pub(crate) fn truncate(&self, size: i64) -> c_int {
        let Some(truncate) = self.methods().and_then(|methods| methods.xTruncate) else {
            return sql::SQLITE_IOERR;
        };
        // SAFETY: the file below is open.
        unsafe { truncate(self.0, size) }
    }

    pub(crate) fn sync(&self, flags: c_int) -> c_int {
        let Some(sync) = self.methods().and_then(|methods| methods.xSync) else { return sql::SQLITE_IOERR };
        // SAFETY: the file below is open.
        unsafe { sync(self.0, flags) }
    }

    pub(crate) fn size(&self) -> Option<i64> {
        let size = self.methods().and_then(|methods| methods.xFileSize)?;
        let mut found = 0;
        // SAFETY: the file below is open, and `found` outlives the call.
        (unsafe { size(self.0, &raw mut found) } == sql::SQLITE_OK).then_some(found)
    }
}

/// Our part of the memory of an open file.
#[repr(C)]
struct Head {
    base: sql::sqlite3_file,
    /// A `Box` of the layer's state.
    state: *mut c_void,
}

/// Where the file below begins: behind the head, at the alignment of everything that C allocates.
const BELOW_AT: usize = size_of::<Head>().next_multiple_of(16);

/// What a registered VFS of ours holds.
struct Floor<L> {
    layer: L,
    below: *mut sql::sqlite3_vfs,
}

/// Puts a layer over the VFS named `below` (none: SQLite's own) and registers it. Gives whether that was done.
///
/// A registered VFS stays for as long as the process runs, so what it is made of is never freed.
pub(crate) fn register<L: Layer>(name: &'static CStr, below: Option<&CStr>, layer: L) -> bool {
    // SAFETY: the name ends in a zero, or is null: then SQLite gives its own.
    let below = unsafe { sql::sqlite3_vfs_find(below.map_or(ptr::null(), CStr::as_ptr)) };
    // SAFETY: a VFS that was found stays registered.
    let Some(under) = (unsafe { below.as_ref() }) else { return false };
    let Ok(head) = c_int::try_from(BELOW_AT) else { return false };
    let floor = Box::into_raw(Box::new(Floor { layer, below }));
    let vfs = sql::sqlite3_vfs {
        iVersion: under.iVersion.min(2),
        szOsFile: under.szOsFile.saturating_add(head),
        mxPathname: under.mxPathname,
        pNext: ptr::null_mut(),
        zName: name.as_ptr(),
        pAppData: floor.cast(),
        xOpen: Some(open::<L>),
        xDelete: Some(delete::<L>),
        xAccess: Some(access::<L>),
        xFullPathname: Some(full_pathname::<L>),
        // Nothing is loaded at run time.
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness::<L>),
        xSleep: Some(sleep::<L>),
        xCurrentTime: Some(current_time::<L>),
        xGetLastError: Some(last_error::<L>),
        xCurrentTimeInt64: Some(current_time_64::<L>),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the VFS and its name live for ever.
    unsafe { sql::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) == sql::SQLITE_OK }
}

/// Gives an order of ours to the layers under a connection's database. Gives whether one of them took it.
pub(crate) fn order(connection: &rusqlite::Connection, number: c_int) -> bool {
    // SAFETY: the connection is open; the order takes no argument.
    let rc =
        unsafe { sql::sqlite3_file_control(connection.handle(), c"main".as_ptr(), number, ptr::null_mut()) };
    rc == sql::SQLITE_OK
}

/// Says how many bytes at the end of each page a new or vacuumed database keeps free. Gives whether that was done.
pub(crate) fn reserve(connection: &rusqlite::Connection, bytes: c_int) -> bool {
    let mut bytes = bytes;
    let op = sql::SQLITE_FCNTL_RESERVE_BYTES;
    // SAFETY: the connection is open, and `bytes` outlives the call.
    let rc = unsafe {
        sql::sqlite3_file_control(connection.handle(), c"main".as_ptr(), op, (&raw mut bytes).cast())
    };
    rc == sql::SQLITE_OK
}

/// The file under a connection's database, of whatever layer is on top: for reading past the engine.
pub(crate) fn with_file<T>(connection: &rusqlite::Connection, read: impl FnOnce(&Below) -> T) -> Option<T> {
    let mut file: *mut sql::sqlite3_file = ptr::null_mut();
    let op = sql::SQLITE_FCNTL_FILE_POINTER;
    // SAFETY: the connection is open, and `file` outlives the call.
    let rc = unsafe {
        sql::sqlite3_file_control(connection.handle(), c"main".as_ptr(), op, (&raw mut file).cast())
    };
    // The borrow of the connection keeps the file open while it is read.
    (rc == sql::SQLITE_OK && !file.is_null()).then(|| read(&Below(file)))
}

/// The floor of a VFS of ours.
///
/// # Safety
/// `vfs` is one that [`register`] made for a layer of type `L`.
unsafe fn floor<'a, L>(vfs: *mut sql::sqlite3_vfs) -> &'a Floor<L> {
    // SAFETY: `register` put a floor of this type there, and it is never freed.
    unsafe { &*(*vfs).pAppData.cast::<Floor<L>>() }
}

/// The state of an open file of ours, and the file below it.
///
/// # Safety
/// `file` was opened by [`open`] for a layer whose files are of type `F`. SQLite calls one method of a file at a time.
unsafe fn parts<'a, F>(file: *mut sql::sqlite3_file) -> (&'a mut F, Below) {
    // SAFETY: `open` put a box of this type there; nobody else refers to it while a method runs.
    unsafe { (&mut *(*file.cast::<Head>()).state.cast::<F>(), below(file)) }
}

/// The file below a file of ours.
///
/// # Safety
/// `file` lies in memory of a VFS of ours.
unsafe fn below(file: *mut sql::sqlite3_file) -> Below {
    // SAFETY: `szOsFile` asked for this much and the size of the file below.
    Below(unsafe { file.cast::<u8>().add(BELOW_AT).cast() })
}

unsafe extern "C" fn open<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    name: *const c_char,
    file: *mut sql::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this with a VFS of ours, memory of `szOsFile` bytes, and a name that is null or ends in a zero.
    unsafe {
        // ORDER: a file without methods is not closed by SQLite, so they come last.
        (*file).pMethods = ptr::null();
        let floor = floor::<L>(vfs);
        let kind = if flags & sql::SQLITE_OPEN_MAIN_DB != 0 {
            Kind::Database
        } else if flags & sql::SQLITE_OPEN_WAL != 0 {
            Kind::Wal
        } else {
            Kind::Other
        };
        let path = (!name.is_null()).then(|| CStr::from_ptr(name));
        let state = match floor.layer.open(path, kind) {
            Ok(state) => state,
            Err(rc) => return rc,
        };
        let under = below(file).0;
        (*under).pMethods = ptr::null();
        let Some(open) = (*floor.below).xOpen else { return sql::SQLITE_CANTOPEN };
        let rc = open(floor.below, name, under, flags, out_flags);
        if rc != sql::SQLITE_OK {
            if let Some(close) = (*under).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(under);
            }
            return rc;
        }
        (*file.cast::<Head>()).state = Box::into_raw(Box::new(state)).cast();
        (*file).pMethods = Methods::<L::File>::TABLE;
        sql::SQLITE_OK
    }
}

unsafe extern "C" fn delete<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: SQLite calls this with a VFS of ours and a name that ends in a zero.
    unsafe {
        let floor = floor::<L>(vfs);
        let rc = floor.layer.delete(CStr::from_ptr(name), sync_folder != 0);
        match (*floor.below).xDelete {
            Some(delete) if rc == sql::SQLITE_OK => delete(floor.below, name, sync_folder),
            _ => rc,
        }
    }
}

unsafe extern "C" fn access<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xAccess.map_or(sql::SQLITE_IOERR, |access| access(below, name, flags, out))
    }
}

unsafe extern "C" fn full_pathname<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xFullPathname.map_or(sql::SQLITE_IOERR, |full| full(below, name, length, out))
    }
}

unsafe extern "C" fn randomness<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xRandomness.map_or(0, |randomness| randomness(below, length, out))
    }
}

unsafe extern "C" fn sleep<L: Layer>(vfs: *mut sql::sqlite3_vfs, micros: c_int) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xSleep.map_or(0, |sleep| sleep(below, micros))
    }
}

unsafe extern "C" fn current_time<L: Layer>(vfs: *mut sql::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xCurrentTime.map_or(sql::SQLITE_ERROR, |time| time(below, out))
    }
}

unsafe extern "C" fn current_time_64<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    out: *mut sql::sqlite3_int64,
) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xCurrentTimeInt64.map_or(sql::SQLITE_ERROR, |time| time(below, out))
    }
}

unsafe extern "C" fn last_error<L: Layer>(
    vfs: *mut sql::sqlite3_vfs,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let below = floor::<L>(vfs).below;
        (*below).xGetLastError.map_or(0, |last| last(below, length, out))
    }
}

/// The methods of files of one layer.
struct Methods<F>(PhantomData<F>);

impl<F: FileLayer> Methods<F> {
    const TABLE: &'static sql::sqlite3_io_methods = &sql::sqlite3_io_methods {
        // INVARIANT: 2, not 3. Without `xFetch` SQLite maps no file into memory, so every page comes through `read`.
        iVersion: 2,
        xClose: Some(close::<F>),
        xRead: Some(read::<F>),
        xWrite: Some(write::<F>),
        xTruncate: Some(truncate::<F>),
        xSync: Some(sync::<F>),
        xFileSize: Some(file_size),
        xLock: Some(lock),
        xUnlock: Some(unlock),
        xCheckReservedLock: Some(check_reserved_lock),
        xFileControl: Some(file_control::<F>),
        xSectorSize: Some(sector_size),
        xDeviceCharacteristics: Some(device_characteristics::<F>),
        xShmMap: Some(shm_map::<F>),
        xShmLock: Some(shm_lock::<F>),
        xShmBarrier: Some(shm_barrier),
        xShmUnmap: Some(shm_unmap),
        xFetch: None,
        xUnfetch: None,
    };
}

unsafe extern "C" fn close<F: FileLayer>(file: *mut sql::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; its state came out of a box in `open`.
    unsafe {
        let under = below(file);
        let rc =
            under.methods().and_then(|methods| methods.xClose).map_or(sql::SQLITE_OK, |close| close(under.0));
        drop(Box::from_raw((*file.cast::<Head>()).state.cast::<F>()));
        (*file).pMethods = ptr::null();
        rc
    }
}

unsafe extern "C" fn read<F: FileLayer>(
    file: *mut sql::sqlite3_file,
    bytes: *mut c_void,
    length: c_int,
    at: sql::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours and memory of `length` bytes.
    unsafe {
        let (state, under) = parts::<F>(file);
        let rc = state.before_read();
        if rc != sql::SQLITE_OK {
            return rc;
        }
        let Some(read) = under.methods().and_then(|methods| methods.xRead) else { return sql::SQLITE_IOERR };
        let rc = read(under.0, bytes, length, at);
        if rc != sql::SQLITE_OK {
            return rc;
        }
        // ORDER: a slice only now, when every byte has been written.
        let Ok(length) = usize::try_from(length) else { return sql::SQLITE_IOERR };
        state.after_read(&under, std::slice::from_raw_parts(bytes.cast(), length), at)
    }
}

unsafe extern "C" fn write<F: FileLayer>(
    file: *mut sql::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: sql::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours and `length` bytes.
    unsafe {
        let (state, under) = parts::<F>(file);
        let Ok(length) = usize::try_from(length) else { return sql::SQLITE_IOERR };
        state.write(&under, std::slice::from_raw_parts(bytes.cast(), length), at)
    }
}

unsafe extern "C" fn truncate<F: FileLayer>(file: *mut sql::sqlite3_file, size: sql::sqlite3_int64) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours.
    unsafe {
        let (state, under) = parts::<F>(file);
        state.truncate(&under, size)
    }
}

unsafe extern "C" fn sync<F: FileLayer>(file: *mut sql::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours.
    unsafe {
        let (state, under) = parts::<F>(file);
        state.sync(&under, flags)
    }
}

unsafe extern "C" fn file_size(file: *mut sql::sqlite3_file, out: *mut sql::sqlite3_int64) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let under = below(file);
        under.methods().and_then(|m| m.xFileSize).map_or(sql::SQLITE_IOERR, |size| size(under.0, out))
    }
}

unsafe extern "C" fn lock(file: *mut sql::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let under = below(file);
        under.methods().and_then(|m| m.xLock).map_or(sql::SQLITE_IOERR, |lock| lock(under.0, level))
    }
}

unsafe extern "C" fn unlock(file: *mut sql::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let under = below(file);
        under.methods().and_then(|m| m.xUnlock).map_or(sql::SQLITE_IOERR, |unlock| unlock(under.0, level))
    }
}

unsafe extern "C" fn check_reserved_lock(file: *mut sql::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let under = below(file);
        let check = under.methods().and_then(|m| m.xCheckReservedLock);
        check.map_or(sql::SQLITE_IOERR, |check| check(under.0, out))
    }
}

unsafe extern "C" fn file_control<F: FileLayer>(
    file: *mut sql::sqlite3_file,
    op: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let (state, under) = parts::<F>(file);
        if state.order(op) {
            return sql::SQLITE_OK;
        }
        let control = under.methods().and_then(|m| m.xFileControl);
        control.map_or(sql::SQLITE_NOTFOUND, |control| control(under.0, op, argument))
    }
}

unsafe extern "C" fn sector_size(file: *mut sql::sqlite3_file) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours.
    unsafe {
        let under = below(file);
        under.methods().and_then(|m| m.xSectorSize).map_or(4_096, |size| size(under.0))
    }
}

unsafe extern "C" fn device_characteristics<F: FileLayer>(file: *mut sql::sqlite3_file) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours.
    unsafe {
        let under = below(file);
        let all = under.methods().and_then(|m| m.xDeviceCharacteristics).map_or(0, |of| of(under.0));
        all & !F::HIDDEN
    }
}

unsafe extern "C" fn shm_map<F: FileLayer>(
    file: *mut sql::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let (state, under) = parts::<F>(file);
        let rc = state.before_shared_memory();
        if rc != sql::SQLITE_OK {
            return rc;
        }
        let map = under.methods().and_then(|m| m.xShmMap);
        map.map_or(sql::SQLITE_IOERR, |map| map(under.0, region, size, extend, out))
    }
}

unsafe extern "C" fn shm_lock<F: FileLayer>(
    file: *mut sql::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let (state, under) = parts::<F>(file);
        // An unlock always goes through: nothing can fail there that anybody could answer to.
        let rc =
            if flags & sql::SQLITE_SHM_UNLOCK == 0 { state.before_shared_memory() } else { sql::SQLITE_OK };
        if rc != sql::SQLITE_OK {
            return rc;
        }
        let lock = under.methods().and_then(|m| m.xShmLock);
        lock.map_or(sql::SQLITE_IOERR, |lock| lock(under.0, offset, count, flags))
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sql::sqlite3_file) {
    // SAFETY: SQLite calls this with an open file of ours.
    unsafe {
        let under = below(file);
        if let Some(barrier) = under.methods().and_then(|m| m.xShmBarrier) {
            barrier(under.0);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sql::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite calls this with an open file of ours; the rest is handed on as it came.
    unsafe {
        let under = below(file);
        under.methods().and_then(|m| m.xShmUnmap).map_or(sql::SQLITE_OK, |unmap| unmap(under.0, delete))
    }
}

/// A name that lives for as long as the process runs, as a registered VFS needs it.
pub(crate) fn lasting(name: &str) -> Option<(&'static CStr, &'static str)> {
    let name: &'static CStr = Box::leak(CString::new(name).ok()?.into_boxed_c_str());
    Some((name, name.to_str().ok()?))
}
