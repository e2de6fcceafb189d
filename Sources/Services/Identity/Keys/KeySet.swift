package import Contracts
internal import FoundationEssentials

/// The public keys that access tokens are verified with, as `jwks.json` keeps them (RFC 7517, section 5): the one that
/// signs, one that will, and those that have signed tokens which may still be good.
///
/// A key that signs no longer has a member `exp`, the time from which nobody needs it (in seconds since 1970). It is for
/// `warren keys prune`; the ingress passes over it and does not publish it.
package struct KeySet: Sendable, Hashable {
    /// A file that is no key set of these; says what is wrong and repeats nothing of it.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    /// How long a key stays after another has taken its place: the 15 minutes of its last token, and 45 for every process
    /// that signs to be started anew.
    package static let retention: Duration = .seconds(3600)

    private struct Member: Sendable, Hashable {
        let key: VerifyKey
        var expiry: Timestamp?
    }

    private var members: [Member]

    /// Makes a set of keys that are in use.
    package init(_ keys: [VerifyKey]) {
        members = keys.map { Member(key: $0) }
    }

    /// The keys, the oldest first.
    package var keys: [VerifyKey] { members.map(\.key) }

    /// From when on nobody needs a key; nothing where it is in use or is not in the set.
    package func expiry(of key: VerifyKey) -> Timestamp? {
        members.first { $0.key == key }?.expiry
    }

    /// Adds a key that will sign.
    package mutating func add(_ key: VerifyKey) {
        guard !keys.contains(key) else { return }
        members.append(Member(key: key))
    }

    /// Takes note that these keys sign or will, and that all others do so no longer; what was noted before stands.
    package mutating func retire(allBut used: [VerifyKey], at now: Timestamp) {
        for index in members.indices {
            if used.contains(members[index].key) {
                members[index].expiry = nil
            } else if members[index].expiry == nil {
                members[index].expiry = now.advanced(by: Self.retention)
            }
        }
    }

    /// Drops the keys that nobody needs any more.
    ///
    /// - Parameter early: drops those too whose tokens may still be good.
    /// - Returns: the keys that are gone.
    package mutating func prune(at now: Timestamp, early: Bool = false) -> [VerifyKey] {
        let gone = members.filter { member in member.expiry.map { early || $0 <= now } ?? false }
        members.removeAll { gone.contains($0) }
        return gone.map(\.key)
    }
}

extension KeySet {
    /// Reads what ``document`` wrote.
    package init(jwks: [UInt8]) throws(Malformed) {
        guard let json = try? JSON.parse(jwks), let members = json["keys"]?.array, !members.isEmpty else {
            throw Malformed(description: "is not a JSON Web Key Set with at least one key")
        }
        self.members = []
        for json in members {
            guard let key = VerifyKey(json) else {
                throw Malformed(description: "has a key that `warren keys` did not make")
            }
            guard !keys.contains(key) else { throw Malformed(description: "has a key twice") }
            let expiry = json["exp"]?.integer.map { Timestamp(milliseconds: 0).advanced(by: .seconds($0)) }
            self.members.append(Member(key: key, expiry: expiry))
        }
    }

    /// The set as a file, with a line feed at its end.
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
