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
        field("email", \.email, .string(1...254)),
        field("password", \.password, .password),
        make: Login.init)
}

/// The body of `identity.refresh` and of `identity.logout`.
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
    /// Makes an account and logs it in, and publishes `account.registered`; `account-exists`.
    package static let register = MessageType(
        "identity.register", .credential, of: .identity, "Makes an account and logs it in.",
        request: .json(Register.schema), status: 201,
        reply: Session.schema, problems: [.accountExists], needsSubject: false)
    /// Begins a session; `invalid-credentials`, the same for an unknown account and a wrong password.
    package static let login = MessageType(
        "identity.login", .credential, of: .identity, "Begins a session.",
        request: .json(Login.schema), status: 200,
        reply: Session.schema, problems: [.invalidCredentials], needsSubject: false)
    /// Changes a refresh token for new tokens; `invalid-refresh-token`.
    package static let refresh = MessageType(
        "identity.refresh", .credential, of: .identity, "Changes a refresh token for new tokens.",
        request: .json(RefreshToken.schema), status: 200,
        reply: Session.schema, problems: [.invalidRefreshToken], needsSubject: false)
    /// Revokes a refresh token, where there is such a one.
    package static let logout = MessageType(
        "identity.logout", .credential, of: .identity, "Revokes a refresh token, where there is such a one.",
        request: .json(RefreshToken.schema), status: 204,
        reply: Schema<EmptyBody>?.none, needsSubject: false)
    /// Revokes every refresh token of the caller.
    package static let logoutAll = MessageType(
        "identity.logout-all", .credential, of: .identity, "Revokes every refresh token of the caller.",
        request: .nothing, status: 204,
        reply: Schema<EmptyBody>?.none)
    /// Sets a new password and revokes every refresh token of the caller; `invalid-credentials`.
    package static let changePassword = MessageType(
        "identity.change-password", .credential, of: .identity,
        "Sets a new password and revokes every refresh token of the caller.",
        request: .json(ChangePassword.schema), status: 204,
        reply: Schema<EmptyBody>?.none, problems: [.invalidCredentials])
    /// Reads the caller's account.
    package static let me = MessageType(
        "identity.me", .credential, of: .identity, "Reads the caller's account.",
        request: .nothing, status: 200, reply: Account.schema, problems: [.invalidToken])

    static let all = [
        register.descriptor, login.descriptor, refresh.descriptor, logout.descriptor, logoutAll.descriptor,
        changePassword.descriptor, me.descriptor,
    ]
}
