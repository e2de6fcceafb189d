package import Contracts
internal import FoundationEssentials
package import Reactor

/// The public keys that verify access tokens, as the file `jwks.json` stores them (RFC 7517, section 5).
///
/// It holds the key that signs, a prepared key that will sign later, and retired keys whose tokens may still
/// be valid. A retired key has a member `exp`: the time, in seconds since 1970, after which `warren keys prune`
/// removes the key. The ingress ignores that member and does not publish it.
package struct KeySet: Sendable, Hashable {
    /// How long a retired key stays in the set: 15 minutes until its last token expires, and 45 minutes for the
    /// restart of all processes that sign.
    package static let retention: Duration = .seconds(3600)

    private struct Member: Sendable, Hashable {
        let key: VerificationKey
        var expiry: Timestamp?
    }

    private var members: [Member]

    /// Makes a set of keys that are in use.
    package init(_ keys: [VerificationKey]) {
        members = keys.map { Member(key: $0) }
    }

    /// The keys, the oldest first.
    package var keys: [VerificationKey] { members.map(\.key) }

    /// Returns the time after which a retired key can be removed; `nil` if the key is in use or not in the set.
    package func expiry(of key: VerificationKey) -> Timestamp? {
        members.first { $0.key == key }?.expiry
    }

    /// Adds a key that will sign. Does nothing if the set already has the key.
    package mutating func add(_ key: VerificationKey) {
        guard !keys.contains(key) else { return }
        members.append(Member(key: key))
    }

    /// Retires all keys except `used`. A key that is already retired keeps its expiry; a key in `used` loses it.
    package mutating func retire(allBut used: [VerificationKey], at now: Timestamp) {
        for index in members.indices {
            if used.contains(members[index].key) {
                members[index].expiry = nil
            } else if members[index].expiry == nil {
                members[index].expiry = now.advanced(by: Self.retention)
            }
        }
    }

    /// Removes the retired keys whose expiry has passed.
    ///
    /// - Parameter early: whether to remove all retired keys, even if their tokens may still be valid.
    /// - Returns: the removed keys.
    package mutating func prune(at now: Timestamp, early: Bool = false) -> [VerificationKey] {
        let removed = members.filter { member in member.expiry.map { early || $0 <= now } ?? false }
        members.removeAll { removed.contains($0) }
        return removed.map(\.key)
    }
}

extension KeySet {
    /// Parses the content of a file, as ``document`` returns it.
    package init(jwks: [UInt8]) throws(ParseError) {
        guard let json = try? JSON.parse(jwks), let members = json["keys"]?.array, !members.isEmpty else {
            throw ParseError("is not a JSON Web Key Set with at least one key")
        }
        self.members = []
        for json in members {
            guard let key = VerificationKey(json) else {
                throw ParseError("has a key that `warren keys` did not make")
            }
            guard !keys.contains(key) else { throw ParseError("has a key twice") }
            let expiry = json["exp"]?.integer.map { Timestamp(milliseconds: 0).advanced(by: .seconds($0)) }
            self.members.append(Member(key: key, expiry: expiry))
        }
    }

    /// The content of the file, with a trailing line feed.
    package var document: [UInt8] {
        let json = JSONWriter.bytes { writer in
            writer.object {
                $0.name("keys")
                $0.array(of: members) { writer, member in member.key.write(to: &writer, expiry: member.expiry) }
            }
        }
        return json + [UInt8(ascii: "\n")]
    }
}
