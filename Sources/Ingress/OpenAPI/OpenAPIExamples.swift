internal import Contracts

/// Examples of bodies, by the type of the message, and words for parameters.
enum OpenAPIExamples {
    static let id: JSON = "0190a0b0-1234-7abc-8def-0123456789ab"
    private static let time: JSON = "2025-01-31T09:05:00.123Z"

    /// Bodies of requests.
    static let requests: [String: JSON] = [
        "identity.register": ["username": "ada", "email": "ada@example.org", "password": "a long enough phrase"],
        "identity.login": ["email": "ada@example.org", "password": "a long enough phrase"],
        "identity.refresh": ["refreshToken": refreshToken], "identity.logout": ["refreshToken": refreshToken],
        "identity.change-password": [
            "currentPassword": "a long enough phrase", "newPassword": "an even longer phrase",
        ],
        "post.create": ["content": "Hello, burrow", "mediaIds": [id]],
    ]

    /// Bodies of good replies.
    static let replies: [String: JSON] = [
        "identity.register": session, "identity.login": session, "identity.refresh": session, "identity.me": account,
        "post.create": post, "post.get": post, "post.list": page("posts", "totalPosts", post),
        "post.receipt": receipt(post), "media.upload": media, "media.get": media,
        "media.list": page("media", "totalMedia", media), "media.receipt": receipt(media),
        "search.posts": [
            "posts": [
                [
                    "id": id, "author": author, "content": "Hello, burrow", "createdAt": time, "score": 0.5,
                    "highlight": "Hello, burrow",
                ]
            ], "page": 1, "limit": 10, "totalPosts": 1, "totalPages": 1,
        ],
    ]

    /// What parameters are.
    static let words: [String: String] = [
        "id": "The id, as in what was made.", "limit": "How many at most.", "page": "Counted from 1.",
        "cursor": "The `nextCursor` of the page before.",
        "query": "Words; they may be quoted, joined with `or`, excluded with `-`.",
    ]

    private static let refreshToken: JSON = "q1Q2w3E4r5T6y7U8i9O0pAsDfGhJkLzXcVbNm_-1234"
    private static let account: JSON = [
        "id": id, "username": "ada", "email": "ada@example.org", "createdAt": time,
    ]
    private static let session: JSON = [
        "account": account, "accessToken": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl", "refreshToken": refreshToken,
        "tokenType": "Bearer", "expiresIn": 900,
    ]
    private static let author: JSON = ["id": id, "username": "ada"]
    private static let url: JSON = "https://res.example.org/0190a0b0-1234-7abc-8def-0123456789ab.png"
    private static let post: JSON = [
        "id": id, "author": author, "content": "Hello, burrow", "media": [["id": id, "url": url]], "createdAt": time,
    ]
    private static let media: JSON = [
        "id": id, "url": url, "contentType": "image/png", "bytes": 2048, "width": 640, "height": 480, "createdAt": time,
    ]

    private static func page(_ items: String, _ total: String, _ item: JSON) -> JSON {
        [items: [item], "page": 1, "limit": 10, total: 1, "totalPages": 1, "nextCursor": nil]
    }

    private static func receipt(_ body: JSON) -> JSON {
        ["id": id, "status": "done", "result": ["status": 201, "body": body]]
    }
}
