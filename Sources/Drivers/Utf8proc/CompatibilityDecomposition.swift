internal import CUtf8proc

/// Unicode's compatibility decompositions (UAX #15): the plain characters of a character that is only another form of
/// them, such as `kg` of `㎏`.
package enum CompatibilityDecomposition {
    /// The length of the longest decomposition, of U+FDFA.
    private static let longest = 18

    /// Returns the full compatibility decomposition (NFKD) of a character; `nil` if it has none. A character such as
    /// `é`, which has only a canonical decomposition, has none.
    package static func of(_ scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
        let codePoint = utf8proc_int32_t(scalar.value)
        // utf8proc.h: returns a pointer to constant data, also for code points that are not assigned. The type of a
        // canonical decomposition is 0.
        guard utf8proc_get_property(codePoint).pointee.decomp_type != 0 else { return nil }
        let options = utf8proc_option_t(UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue)
        return withUnsafeTemporaryAllocation(of: utf8proc_int32_t.self, capacity: longest) { buffer in
            // utf8proc.h: writes at most as many code points as there is space for, and returns how many there are, or
            // a negative error. The last argument is used only with UTF8PROC_CHARBOUND.
            let count = utf8proc_decompose_char(codePoint, buffer.baseAddress, longest, options, nil)
            guard (1...longest).contains(count) else { return nil }
            return buffer[..<count].compactMap { Unicode.Scalar(UInt32(bitPattern: $0)) }
        }
    }
}
