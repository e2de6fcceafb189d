extension Item.Outcome {
    /// The outcome that the status of the first response promises; `nil` stands for no response.
    package init(status: Int?) {
        self =
            switch status ?? 0 {
            case 202: .accepted
            case 200..<300: .done
            case 400..<500: .refused
            case 503: .unavailable
            default: .unknown
            }
    }

    /// The outcome of a command after it was repeated with the same key, because it had this outcome.
    ///
    /// If an earlier attempt may have been carried out, a 503 or a 429 tells nothing about that attempt.
    ///
    /// - Parameter status: the status of the repetition; `nil` stands for no response.
    package func repeated(status: Int?) -> Self {
        let next = Self(status: status)
        switch self {
        case .unavailable where status == 429: return .unavailable
        case .unknown where next == .unavailable || status == 429: return .unknown
        default: return next
        }
    }

    /// Whether the command must be repeated to get a result.
    package var isOpen: Bool { self == .unknown || self == .unavailable }
}
