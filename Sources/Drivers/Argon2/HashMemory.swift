internal import CArgon2
internal import Glibc

/// The memory of one computation: mapped for it, in huge pages where the system has them, and unmapped after it.
///
/// malloc would keep two such blocks for good after the first ones were freed, in a process that is to be small when it
/// is idle. Without huge pages, mapping them anew takes a third of a computation's time; with them, nothing that could
/// be measured.
enum HashMemory {
    /// Gives the library its memory (`allocate_fptr` of argon2.h).
    static func map(_ memory: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ count: Int) -> Int32 {
        let mapped = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, let mapped, mapped != MAP_FAILED else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
        // Advice: where it is not taken, the pages are small.
        _ = madvise(mapped, count, MADV_HUGEPAGE)
        memory.pointee = mapped.assumingMemoryBound(to: UInt8.self)
        return ARGON2_OK.rawValue
    }

    /// Takes it back (`deallocate_fptr`).
    static func unmap(_ memory: UnsafeMutablePointer<UInt8>?, _ count: Int) {
        munmap(memory, count)
    }
}
