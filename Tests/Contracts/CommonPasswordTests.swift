import Contracts
import Testing

@Suite("Common passwords")
struct CommonPasswordTests {
    @Test("at least ten thousand are known, each long enough to be refused for nothing else")
    func count() {
        var count = 0
        var last = ""
        CommonPasswords.forEach { password in
            count += 1
            #expect((8...128).contains(password.unicodeScalars.count), "\(password)")
            #expect(password == password.lowercased())
            #expect(last.utf8.lexicographicallyPrecedes(password.utf8), "\(password) is out of order")
            last = password
        }
        #expect(count >= 10_000)
    }

    @Test("each of them is found, in whatever case, and nothing that only begins or ends like it")
    func found() {
        var missed: [String] = []
        CommonPasswords.forEach { password in
            let others = [password + "\u{301}", "\u{301}" + password, password + "\n"]
            let isFound = CommonPasswords.contains(password) && CommonPasswords.contains(password.uppercased())
            if !isFound || others.contains(where: CommonPasswords.contains) { missed.append(password) }
        }
        #expect(missed == [])
        #expect(CommonPasswords.contains("PassWord1"))
        // KELVIN SIGN, whose lower case is k.
        #expect(CommonPasswords.contains("\u{212A}awasaki"))
    }

    @Test(
        "what is none is not",
        arguments: [
            "", "\n", "correct horse battery staple", "password1\npassword2", "пароль пароль", "\u{1F600}\u{1F600}",
            "!", "~~~~~~~~~~", "\u{FFFF}\u{FFFF}", String(repeating: "z", count: 512),
        ])
    func unknown(password: String) {
        #expect(!CommonPasswords.contains(password))
    }

    @Test("a message that sets one is refused for it at its place, with all else that is wrong")
    func messages() {
        let register = #"{"username":"a b","email":"a@b.c","password":"Iloveyou1"}"#
        let change = #"{"currentPassword":"","newPassword":"trustno1"}"#
        #expect(
            faults { () throws(Problem) in _ = try Messages.Identity.register.request.decode(Array(register.utf8)) }
                == ["/password", "/username"])
        #expect(
            faults { () throws(Problem) in _ = try Messages.Identity.changePassword.request.decode(Array(change.utf8)) }
                == ["/currentPassword", "/newPassword"])
        // Who has one from before may still say so.
        #expect(
            faults { () throws(Problem) in
                _ = try Messages.Identity.login.request.decode(Array(#"{"email":"a@b.c","password":"trustno1"}"#.utf8))
            } == [])
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
