package import FoundationEssentials

/// A client as the limits of shared resources see it. The resources that one client uses are counted together.
package enum ClientKey: Sendable, Hashable {
    case account(UUID)
    /// The rate limit key of an address.
    case address(String)
}
