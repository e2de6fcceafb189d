/// The body of `identity.register`.
package struct Register: SchemaCodable, Hashable {
    package let username: String
    package let email: String
    package let password: String

    package init(username: String, email: String, password: String) {
        self.username = username
        self.email = email
        self.password = password
    }

    package static let schema = Schema<Register>.object(
        "Register",
        field("username", \.username, .username),
        field("email", \.email, .email),
        field("password", \.password, .newPassword),
        make: Register.init
    ).refined("must not be the username or the email", at: "/password") {
        let password = $0.password.lowercased()
        return password != $0.username.lowercased() && password != $0.email.lowercased()
    }
}

/// The body of `identity.login`.
package struct Login: SchemaCodable, Hashable {
    package let email: String
    package let password: String

    package init(email: String, password: String) {
        self.email = email
        self.password = password
    }

    package static let schema = Schema<Login>.object(
        "Login",
        field("email", \.email, .string(1...EmailAddress.maximumUntrimmedLength)),
        field("password", \.password, .password),
        make: Login.init)
}

/// The body of `identity.refresh` and `identity.logout`.
package struct RefreshToken: SchemaCodable, Hashable {
    package let refreshToken: String

    package init(refreshToken: String) {
        self.refreshToken = refreshToken
    }

    package static let schema = Schema<RefreshToken>.object(
        "RefreshToken", field("refreshToken", \.refreshToken, .string(1...512)), make: RefreshToken.init)
}

/// The body of `identity.change-password`.
package struct ChangePassword: SchemaCodable, Hashable {
    package let currentPassword: String
    package let newPassword: String

    package init(currentPassword: String, newPassword: String) {
        self.currentPassword = currentPassword
        self.newPassword = newPassword
    }

    package static let schema = Schema<ChangePassword>.object(
        "ChangePassword",
        field("currentPassword", \.currentPassword, .password),
        field("newPassword", \.newPassword, .newPassword),
        make: ChangePassword.init)
}

extension Messages.Identity {
    /// Creates an account, logs it in and publishes `account.registered`.
    package static let register = MessageType(
        "identity.register", .credential, of: .identity, "Creates an account and logs it in.",
        request: .json(example: Register(username: "ada", email: "ada@example.org", password: "a long enough phrase")),
        reply: .json(201, example: Session.example), problems: [.accountExists], needsCaller: false)
    /// Starts a session. An unknown account and a wrong password get the same problem.
    package static let login = MessageType(
        "identity.login", .credential, of: .identity, "Starts a session.",
        request: .json(example: Login(email: "ada@example.org", password: "a long enough phrase")),
        reply: .json(200, example: Session.example), problems: [.invalidCredentials], needsCaller: false)
    /// Exchanges a refresh token for new tokens.
    package static let refresh = MessageType(
        "identity.refresh", .credential, of: .identity, "Exchanges a refresh token for new tokens.",
        request: .json(example: RefreshToken.example), reply: .json(200, example: Session.example),
        problems: [.invalidRefreshToken], needsCaller: false)
    /// Revokes a refresh token. An unknown token is no error.
    package static let logout = MessageType(
        "identity.logout", .credential, of: .identity, "Revokes a refresh token. An unknown token is no error.",
        request: .json(example: RefreshToken.example), reply: .empty, needsCaller: false)
    /// Revokes all refresh tokens of the caller.
    package static let logoutAll = MessageType(
        "identity.logout-all", .credential, of: .identity, "Revokes all refresh tokens of the caller.",
        request: .empty, reply: .empty)
    /// Sets a new password and revokes all refresh tokens of the caller.
    package static let changePassword = MessageType(
        "identity.change-password", .credential, of: .identity,
        "Sets a new password and revokes all refresh tokens of the caller.",
        request: .json(
            example: ChangePassword(currentPassword: "a long enough phrase", newPassword: "an even longer phrase")),
        reply: .empty, problems: [.invalidCredentials])
    /// Reads the caller's account.
    package static let me = MessageType(
        "identity.me", .credential, of: .identity, "Reads the caller's account.",
        request: .empty, reply: .json(200, example: Account.example), problems: [.invalidToken])

    static let types: [any AnyMessageType] = [register, login, refresh, logout, logoutAll, changePassword, me]
}
