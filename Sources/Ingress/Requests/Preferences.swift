/// What a client would like of its answer (RFC 7240); what is not understood is passed over.
struct Preferences: Sendable, Hashable {
    /// Whether it would rather be told at once that its command is accepted than wait for what comes of it.
    let respondsAsync: Bool

    /// Reads the `Prefer` field, several of them joined by commas. The first preference of a name counts.
    init(_ field: String?) {
        guard let field, let items = FieldText.split(field[...], at: UInt8(ascii: ",")) else {
            respondsAsync = false
            return
        }
        // A preference may have parameters behind semicolons; this one is known to have neither those nor a value.
        let names = items.compactMap { FieldText.split($0, at: UInt8(ascii: ";"))?.first.map(FieldText.pair) }
        respondsAsync = names.first { $0.name == "respond-async" }.map(\.value.isEmpty) ?? false
    }
}
