package import FoundationEssentials

/// The account on whose behalf a request was sent, as a trusted principal has vouched for it.
package struct Caller: Sendable, Hashable {
    /// The account's id.
    package let id: UUID
    /// The account's username at the time its access token was signed.
    package let username: String

    /// Makes a caller.
    package init(id: UUID, username: String) {
        self.id = id
        self.username = username
    }
}
