/// Every message type of the queue contract; the services' own files add theirs.
package enum Messages {
    /// All of them, without their Swift types.
    package static let all: [MessageDescriptor] = Identity.all + Post.all + Media.all + Search.all

    /// What the identity service is asked.
    package enum Identity {}
    /// What the post service is asked.
    package enum Post {}
    /// What the media service is asked.
    package enum Media {}
    /// What the search service is asked.
    package enum Search {}
}
