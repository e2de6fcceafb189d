/// A kind of work that the bench measures. The raw value is its name in options and results.
package enum BenchCase: String, Sendable, Hashable, CaseIterable {
    case getPost = "get-post"
    case getPostCold = "get-post-cold"
    case firstPage = "first-page"
    case deepPage = "deep-page"
    case createPost = "create-post"
    case login
    case upload
    case search
    case searchUncached = "search-uncached"
    case mixed

    /// What the requests do.
    package var summary: String {
        switch self {
        case .getPost: "reads one of 1,000 posts by id; all are cached"
        case .getPostCold: "reads a post by id that is not cached"
        case .firstPage: "reads the newest 20 posts"
        case .deepPage: "reads 20 posts after a cursor in the depth of the list; the page is not cached"
        case .createPost: "creates a post of 20 words"
        case .login: "logs in"
        case .upload: "uploads a picture of 1 MiB"
        case .search: "sends one of 200 searches of two words; all are cached"
        case .searchUncached: "sends a search of two words that is not cached"
        case .mixed: "70 % get-post, 20 % first-page, 9 % create-post, 1 % search-uncached"
        }
    }

    /// The kind of raw request-reply that limits the case.
    package var limit: RawKind {
        switch self {
        case .createPost, .upload: .quorum
        default: .transient
        }
    }

    /// The greatest number of connections of the case. A login takes 20 ms of a core and 19 MiB; an upload takes 1 MiB
    /// in each queue and buffer. More connections would only wait.
    package var maximumConnections: Int {
        switch self {
        case .login, .upload: 64
        default: .max
        }
    }

    /// Whether the cost depends on how many posts there are. The other cases are measured with few posts only.
    package var dependsOnPosts: Bool { self != .login && self != .upload }

    /// Whether the caches are emptied before each measurement. The other cases get a warm-up instead.
    package var startsCold: Bool { self == .getPostCold || self == .deepPage || self == .searchUncached }

    /// Whether a cache could answer repeated requests of the case, which is to measure requests that are not cached.
    package var mustNotRepeat: Bool { startsCold || self == .mixed }

    /// The number of requests at the beginning of the list that fill the caches; `nil` if the case has no warm-up.
    package var warmingRequests: Int? {
        switch self {
        case .getPost, .mixed: 1_000
        case .search: 200
        case .firstPage, .createPost: 1
        case .getPostCold, .deepPage, .searchUncached, .login, .upload: nil
        }
    }
}

/// A kind of raw request-reply through the broker.
package enum RawKind: String, Sendable, Hashable, CaseIterable {
    /// A classic queue and transient messages.
    case transient
    /// A quorum queue and persistent messages, without publisher confirms.
    case quorum
}
