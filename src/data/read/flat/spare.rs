//! Memory of windows, pages and dictionaries, used again by the next ones that the same thread reads: memory
//! that is fresh from the system costs more than what is read into it, and is in no cache.

use bytes::{Bytes, BytesMut};
use std::cell::RefCell;
use std::ops::Deref;

/// The smallest piece.
const LEAST: usize = 1 << 12;

/// A thread keeps no more bytes than these.
const MOST_KEPT: usize = 32 << 20;

#[derive(Default)]
struct Spare {
    pieces: Vec<BytesMut>,
    bytes: usize,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { pieces: Vec::new(), bytes: 0 }) };
}

/// The size of a piece for so many bytes: a quarter more at most, so that one fits where another was.
fn size_for(bytes: usize) -> usize {
    let bytes = bytes.max(LEAST);
    let step = bytes.checked_next_power_of_two().map_or(1, |size| size / 8);
    bytes.checked_next_multiple_of(step).unwrap_or(bytes)
}

/// Bytes whose memory is used again once nobody has a part of them.
#[derive(Default)]
pub struct Memory(Bytes);

impl Memory {
    /// Room for so many bytes, or some more. What they are means nothing.
    pub fn room(bytes: usize) -> BytesMut {
        let size = size_for(bytes);
        let kept = SPARE.try_with(|spare| {
            let mut spare = spare.try_borrow_mut().ok()?;
            let fits = |piece: &BytesMut| (size..=2 * size).contains(&piece.len());
            let pieces = spare.pieces.iter().enumerate().filter(|(_, piece)| fits(piece));
            let (at, _) = pieces.min_by_key(|(_, piece)| piece.len())?;
            let piece = spare.pieces.swap_remove(at);
            spare.bytes -= piece.len();
            Some(piece)
        });
        kept.ok().flatten().unwrap_or_else(|| BytesMut::zeroed(size))
    }

    /// What was put into such room.
    pub fn filled(room: BytesMut) -> Memory {
        Memory(room.freeze())
    }
}

impl Deref for Memory {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl From<Bytes> for Memory {
    fn from(bytes: Bytes) -> Memory {
        Memory(bytes)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let Ok(piece) = std::mem::take(&mut self.0).try_into_mut() else { return };
        let size = piece.len();
        if size < LEAST || size != size_for(size) {
            return;
        }
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.bytes + size <= MOST_KEPT
            {
                spare.bytes += size;
                spare.pieces.push(piece);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_nobody_reads_it() {
        let mut room = Memory::room(5000);
        assert_eq!(room.len(), 5120);
        room[0] = 17;
        let place = room.as_ptr();
        let memory = Memory::filled(room);
        let part = memory.slice(..5);
        drop(memory);
        let other = Memory::room(5100);
        assert_ne!(other.as_ptr(), place, "somebody has a part of it");
        assert_eq!(part[0], 17);
        drop(Memory::filled(other));
        let mut room = Memory::room(4097);
        let place = room.as_ptr();
        room[0] = 1;
        drop(Memory::filled(room));
        assert_eq!(Memory::room(5120).as_ptr(), place);
        assert!(Memory::room(8193).len() > 8192);
        for bytes in (0..100).map(|n| n * 977).chain([1 << 20, (1 << 20) + 1, 3 << 21]) {
            let size = size_for(bytes);
            assert!(
                size >= bytes && size <= (bytes + bytes / 4).max(LEAST) && size == size_for(size),
                "{bytes}"
            );
        }
    }
}
