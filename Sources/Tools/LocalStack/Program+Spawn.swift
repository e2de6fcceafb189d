internal import CSpawn
package import Glibc

extension Program {
    /// A standard descriptor of a new process.
    package enum StandardStream: Sendable {
        /// `/dev/null`, for reading.
        case empty
        /// A file to append to, which is created if it does not exist.
        case file(String)
        /// A descriptor of this process.
        case descriptor(Int32)
    }

    /// Starts the program. The child has the three standard descriptors and no other one, so that a daemon that
    /// outlives this process does not keep its files, sockets and locks open. The caller must wait for the child.
    ///
    /// Foundation's `Process` is not used, because it counts a program as running while any of its descendants runs,
    /// and `compose/local` starts daemons that outlive it.
    ///
    /// - Throws: ``Failure`` with the system's message, for example if the program does not exist.
    package func spawn(
        input: StandardStream = .empty, output: StandardStream, errors: StandardStream
    ) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (descriptor, stream) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
            switch stream {
            case .empty: posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDONLY, 0)
            case .file(let path):
                let flags = O_WRONLY | O_CREAT | O_APPEND
                posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o600)
            case .descriptor(let own): posix_spawn_file_actions_adddup2(&actions, own, descriptor)
            }
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        // Threads of Swift's runtime may block signals, and this process may ignore SIGPIPE. A child would inherit
        // both.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for copy in words + variables { free(copy) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, path, &actions, &attributes, words, variables)
        guard code == 0 else { throw Failure(description: "\(path): \(String(cString: strerror(code)))") }
        return pid
    }
}
