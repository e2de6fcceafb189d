internal import HTTPTypes

/// The security fields of every answer: those that helmet sets, with the values that suit an API without pages.
enum SecurityFields {
    static let all: HTTPFields = HTTPFields(
        [
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"),
            ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-DNS-Prefetch-Control", "off"),
            ("X-Download-Options", "noopen"),
            ("X-Frame-Options", "DENY"),
            ("X-Permitted-Cross-Domain-Policies", "none"),
            ("X-XSS-Protection", "0"),
        ].map { HTTPField(name: .constant($0.0), value: $0.1) })
}
