internal import CArgon2
internal import Glibc

/// Maps the memory of a computation before the computation, in huge pages if the system has them, and unmaps it
/// afterwards.
///
/// malloc is not used, because it would keep the memory of two computations after they end, and an idle process would
/// stay large. Mapping new memory takes a third of a computation's time with small pages, and no measurable time with
/// huge pages.
enum HashMemory {
    /// Maps the library's memory (`allocate_fptr` of argon2.h).
    static func map(_ memory: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ count: Int) -> Int32 {
        let mapped = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, let mapped, mapped != MAP_FAILED else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
        // If the system ignores the advice, the pages are small.
        _ = madvise(mapped, count, MADV_HUGEPAGE)
        memory.pointee = mapped.assumingMemoryBound(to: UInt8.self)
        return ARGON2_OK.rawValue
    }

    /// Unmaps the library's memory (`deallocate_fptr` of argon2.h).
    static func unmap(_ memory: UnsafeMutablePointer<UInt8>?, _ count: Int) {
        munmap(memory, count)
    }
}
