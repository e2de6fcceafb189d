/// Every message type of the queue contract; the services' own files add theirs.
package enum Messages {
    /// All of them, without their Swift types.
    package static let all: [MessageDescriptor] = Identity.all + Post.all + Media.all + Search.all

    package enum Identity {}
    package enum Post {}
    package enum Media {}
    package enum Search {}
}
