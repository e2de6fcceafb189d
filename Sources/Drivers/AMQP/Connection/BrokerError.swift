/// Why a connection to the broker could not be made, or ended.
package struct BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of end it was.
    package enum Kind: String, Sendable {
        /// The host is not known or does not answer.
        case unreachable
        /// The TLS handshake failed: certificate, name or protocol.
        case insecure
        /// The broker closed the connection or refused the login, and said why.
        case connectionClosed
        /// The broker closed a channel and said why.
        case channelClosed
        /// The broker cancelled a consumer, as when its queue is deleted or its node goes.
        case consumerCancelled
        /// Nothing came in time: an answer, or for two heartbeats anything at all.
        case silent
        /// The socket ended without a word.
        case lost
        /// The broker sent what AMQP does not allow.
        case malformed
    }

    /// What kind of end it was.
    package let kind: Kind
    /// The broker's reply code (AMQP 0-9-1, section 1.2), or 0 where it gave none.
    package let code: UInt16
    /// The broker's reply text or the library's, and what was under way.
    package let text: String

    /// Makes an error.
    package init(kind: Kind, code: UInt16 = 0, text: String) {
        self.kind = kind
        self.code = code
        self.text = text
    }

    /// The code, where there is one, and the text.
    package var description: String {
        code == 0 ? "\(kind.rawValue): \(text)" : "\(kind.rawValue): \(code) \(text)"
    }
}
