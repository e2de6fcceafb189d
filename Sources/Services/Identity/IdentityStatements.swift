internal import Contracts
internal import Postgres
internal import WorkerKit

/// All SQL statements of the identity service.
enum IdentityStatements {
    private static let accountColumns = "id, username, email, created_at"

    // The account's id is derived from the message's id. A redelivery therefore conflicts on the id and inserts
    // no row. A taken username or email violates another unique index, and the statement fails.
    static let insertAccount = Statement(
        """
        INSERT INTO accounts (id, username, email, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO NOTHING
        """)

    static let accountByEmail = Statement(
        """
        SELECT \(accountColumns), password_hash FROM accounts WHERE lower(email COLLATE "C") = $1
        """)
    static let accountByID = Statement(
        """
        SELECT \(accountColumns), password_hash FROM accounts WHERE id = $1
        """)

    // A family is the refresh tokens of one session. The share lock delays a password change until the new
    // family is committed, so that the change deletes this family as well. If the change comes first, the hash
    // $2 no longer matches, and no family is inserted.
    //
    // An account keeps its 100 newest families. Rows that another login deletes at the same time are skipped.
    static let insertFamily = Statement(
        """
        WITH account AS (SELECT id FROM accounts WHERE id = $1 AND password_hash = $2 FOR SHARE),
        surplus AS (
            DELETE FROM refresh_families WHERE id = ANY (ARRAY(
                SELECT f.id FROM refresh_families f JOIN account ON account.id = f.account_id
                WHERE f.id <= (SELECT id FROM refresh_families WHERE account_id = $1 ORDER BY id DESC OFFSET 99 LIMIT 1)
                FOR UPDATE OF f SKIP LOCKED))),
        family AS (
            INSERT INTO refresh_families (id, account_id, expires_at) SELECT $3, id, $5 FROM account RETURNING id)
        INSERT INTO refresh_tokens (hash, family_id, expires_at) SELECT $4, id, $5 FROM family
        """)

    // Run this before `refreshToken`, as a separate statement. The snapshot of `refreshToken` is then taken after
    // the lock was granted, and includes the writes of the previous lock holder.
    static let lockFamily = Statement(
        """
        SELECT 1 FROM refresh_families WHERE id = (SELECT family_id FROM refresh_tokens WHERE hash = $1) FOR UPDATE
        """)
    static let refreshToken = Statement(
        """
        SELECT account.id, account.username, account.email, account.created_at, family.id, token.expires_at,
            token.used_at, token.successor,
            (SELECT count(*) FROM refresh_tokens other WHERE other.family_id = family.id)
        FROM refresh_tokens token
        JOIN refresh_families family ON family.id = token.family_id
        JOIN accounts account ON account.id = family.account_id
        WHERE token.hash = $1
        """)
    static let useRefreshToken = Statement(
        "UPDATE refresh_tokens SET used_at = $2, successor = $3 WHERE hash = $1")
    static let insertRefreshToken = Statement(
        "INSERT INTO refresh_tokens (hash, family_id, expires_at) VALUES ($1, $2, $3)")
    static let extendFamily = Statement("UPDATE refresh_families SET expires_at = $2 WHERE id = $1")

    static let revokeFamily = Statement("DELETE FROM refresh_families WHERE id = $1")
    static let revokeFamilyOfToken = Statement(
        """
        DELETE FROM refresh_families WHERE id = (SELECT family_id FROM refresh_tokens WHERE hash = $1)
        """)
    static let revokeFamiliesOfAccount = Statement("DELETE FROM refresh_families WHERE account_id = $1")

    static let changePassword = Statement(
        "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2")

    static let sweepTokens = Statement(
        """
        DELETE FROM refresh_tokens WHERE hash = ANY (ARRAY(
            SELECT hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
        """)
    static let sweepFamilies = Statement(
        """
        DELETE FROM refresh_families WHERE id = ANY (ARRAY(
            SELECT id FROM refresh_families WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
        """)
}

extension Account {
    /// Decodes the first four columns of a row: id, username, email, time of creation.
    init(_ row: Row) throws(PostgresError) {
        self.init(
            id: try row.get(0), username: try row.get(1), email: try row.get(2), createdAt: try row.get(3))
    }
}
