import Contracts
import TestSupport
import Testing

@Suite("Common passwords")
struct CommonPasswordTests {
    private static let passwords: [String] = {
        let path = "Sources/Contracts/Passwords/CCommonPasswords/common-passwords.txt"
        return ((try? RepositoryFile(path).text) ?? "").split(separator: "\n").map(String.init)
    }()

    @Test("the common passwords are at least 10,000, sorted by bytes, in lower case and of an allowed length")
    func list() {
        #expect(Self.passwords.count >= 10_000)
        for password in Self.passwords {
            #expect((8...128).contains(password.unicodeScalars.count), "\(password)")
            #expect(password == password.lowercased())
        }
        for (first, second) in zip(Self.passwords, Self.passwords.dropFirst()) {
            #expect(first.utf8.lexicographicallyPrecedes(second.utf8), "\(second) is out of order")
        }
    }

    @Test("every common password is found in lower and upper case, but not with a character before or after it")
    func found() {
        let missed = Self.passwords.filter { password in
            let variants = [password + "\u{301}", "\u{301}" + password, password + "\n"]
            let isFound = CommonPasswords.contains(password) && CommonPasswords.contains(password.uppercased())
            return !isFound || variants.contains(where: CommonPasswords.contains)
        }
        #expect(missed == [])
        #expect(CommonPasswords.contains("PassWord1"))
        // The lower case of U+212A KELVIN SIGN is k.
        #expect(CommonPasswords.contains("\u{212A}awasaki"))
    }

    @Test(
        "CommonPasswords.contains returns false for a password that is not on the list",
        arguments: [
            "", "\n", "correct horse battery staple", "password1\npassword2", "пароль пароль", "\u{1F600}\u{1F600}",
            "!", "~~~~~~~~~~", "\u{FFFF}\u{FFFF}", String(repeating: "z", count: 512),
        ])
    func unknown(password: String) {
        #expect(!CommonPasswords.contains(password))
    }

    @Test("a request that sets a common password is refused with a fault at the password, besides all other faults")
    func messages() {
        let register = #"{"username":"a b","email":"a@b.c","password":"Iloveyou1"}"#
        let change = #"{"currentPassword":"","newPassword":"trustno1"}"#
        #expect(
            faults { () throws(Problem) in _ = try Messages.Identity.register.request.decode(Array(register.utf8)) }
                == ["/password", "/username"])
        #expect(
            faults { () throws(Problem) in _ = try Messages.Identity.changePassword.request.decode(Array(change.utf8)) }
                == ["/currentPassword", "/newPassword"])
    }

    @Test("a login with a common password is decoded, because the account may be older than the list")
    func login() {
        let body = Array(#"{"email":"a@b.c","password":"trustno1"}"#.utf8)
        #expect(faults { () throws(Problem) in _ = try Messages.Identity.login.request.decode(body) } == [])
    }

    private func faults(_ decode: () throws(Problem) -> Void) -> [String] {
        do {
            try decode()
            return []
        } catch {
            return error.faults.map(\.pointer).sorted()
        }
    }
}
