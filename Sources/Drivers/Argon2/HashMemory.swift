internal import CArgon2
internal import Glibc

/// The memory of one computation: mapped before it, in huge pages if the system has them, and unmapped after it.
///
/// malloc would keep two such blocks for good once the first ones were freed, which makes an idle process large.
/// Mapping the memory anew takes a third of a computation's time with small pages and no measurable time with
/// huge pages.
enum HashMemory {
    /// Maps the library's memory (`allocate_fptr` of argon2.h).
    static func map(_ memory: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ count: Int) -> Int32 {
        let mapped = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, let mapped, mapped != MAP_FAILED else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
        // If the system does not take the advice, the pages are small.
        _ = madvise(mapped, count, MADV_HUGEPAGE)
        memory.pointee = mapped.assumingMemoryBound(to: UInt8.self)
        return ARGON2_OK.rawValue
    }

    /// Unmaps the library's memory (`deallocate_fptr` of argon2.h).
    static func unmap(_ memory: UnsafeMutablePointer<UInt8>?, _ count: Int) {
        munmap(memory, count)
    }
}
