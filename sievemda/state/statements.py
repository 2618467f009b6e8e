"""Every SQL statement of the delivery memory, the journal and the credentials, named.

They keep to what SQLite and PostgreSQL both understand (ON CONFLICT, named parameters, BIGINT), so that another back
end is a connection, not a rewrite. Instants are whole seconds since 1970.
"""

from __future__ import annotations

MEMORY_SCHEMA = (
    # What must not happen twice. The kind says what id, place and date mean; `memory.Key` is the dictionary.
    """CREATE TABLE IF NOT EXISTS memory (
        kind TEXT NOT NULL, id TEXT NOT NULL, place TEXT NOT NULL, date TEXT NOT NULL,
        instant BIGINT NOT NULL, expires BIGINT NOT NULL,
        PRIMARY KEY (kind, id, place, date))""",
    "CREATE INDEX IF NOT EXISTS memory_expires ON memory (expires)",
)
SEEN = "SELECT 1 FROM memory WHERE kind = :kind AND id = :id AND place = :place AND date = :date AND expires > :now"
REMEMBER = """INSERT INTO memory (kind, id, place, date, instant, expires)
    VALUES (:kind, :id, :place, :date, :now, :expires)
    ON CONFLICT (kind, id, place, date) DO UPDATE SET instant = excluded.instant, expires = excluded.expires"""
FORGET = "DELETE FROM memory WHERE kind = :kind AND id = :id AND place = :place AND date = :date"
# A slice of ten minutes at a time: a single long DELETE would keep deliveries waiting for the file.
PRUNE_MEMORY = """DELETE FROM memory
    WHERE expires <= :now AND expires <= (SELECT min(expires) + 600 FROM memory)"""

COUNT_MEMORY = "SELECT kind, count(*) FROM memory WHERE expires <= :now GROUP BY kind"
# What keeps a copy from coming twice, older than somebody wants; but for mailboxes that say how long theirs is kept.
COUNT_OLDER = """SELECT kind, count(*) FROM memory
    WHERE kind IN ('delivered', 'redirect') AND instant <= :before AND expires > :now AND expires - instant <= :usual
    GROUP BY kind"""
PRUNE_OLDER = """DELETE FROM memory WHERE (kind, id, place, date) IN (
    SELECT kind, id, place, date FROM memory
    WHERE kind IN ('delivered', 'redirect') AND instant <= :before AND expires > :now AND expires - instant <= :usual
    LIMIT 5000)"""
PAGE_OF_MEMORY = """SELECT kind, id, place, date, instant FROM memory
    WHERE (kind, id, place, date) > (:kind, :id, :place, :date) ORDER BY kind, id, place, date LIMIT 1000"""

JOURNAL_SCHEMA = (
    # One row for each recipient of each delivery; `entry` is the whole account as JSON.
    """CREATE TABLE IF NOT EXISTS journal (
        id TEXT NOT NULL PRIMARY KEY, instant BIGINT NOT NULL, message_id TEXT NOT NULL, entry TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS journal_message_id ON journal (message_id)",
    "CREATE INDEX IF NOT EXISTS journal_instant ON journal (instant)",
)
RECORD = "INSERT INTO journal (id, instant, message_id, entry) VALUES (:id, :instant, :message_id, :entry)"
FIND = "SELECT entry FROM journal WHERE message_id IN (:text, :bracketed) OR id = :text ORDER BY instant, id"
PRUNE_JOURNAL = """DELETE FROM journal
    WHERE instant <= :before AND instant <= (SELECT min(instant) + 600 FROM journal)"""
COUNT_JOURNAL = "SELECT count(*) FROM journal WHERE instant <= :before"

FAILURE_SCHEMA = (
    # Failed logins by address, by user and by both. Points leak away with time; `until` is the end of a lock-out,
    # `tried` a trace of what was tried last, and behind `expires` the row says nothing any more.
    """CREATE TABLE IF NOT EXISTS failure (
        kind TEXT NOT NULL, name TEXT NOT NULL, points DOUBLE PRECISION NOT NULL, instant BIGINT NOT NULL,
        total BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL, tried BIGINT NOT NULL,
        expires BIGINT NOT NULL, PRIMARY KEY (kind, name))""",
    "CREATE INDEX IF NOT EXISTS failure_expires ON failure (expires)",
)
STANDING = "SELECT kind, points, instant, until, tried FROM failure WHERE kind = :kind AND name = :name"
ADD_FAILURE = """INSERT INTO failure (kind, name, points, instant, total, since, until, tried, expires)
    VALUES (:kind, :name, :weight, :now, 1, 0, 0, :tried, :expires)
    ON CONFLICT (kind, name) DO UPDATE SET
        points = :weight + CASE WHEN :now <= failure.instant THEN failure.points
            WHEN failure.points > (:now - failure.instant) * :leak
            THEN failure.points - (:now - failure.instant) * :leak ELSE 0 END,
        instant = excluded.instant, total = failure.total + 1, tried = excluded.tried, expires = excluded.expires"""
LOCK_OUT = """UPDATE failure SET points = 0, since = :now, until = :until
    WHERE kind = 'address' AND name = :name AND points > :points"""
FORGIVE = """UPDATE failure SET points = CASE WHEN points > :points THEN points - :points ELSE 0 END
    WHERE kind = :kind AND name = :name"""
FORGET_FAILURES = "DELETE FROM failure WHERE kind = :kind AND name = :name"
FORGET_ALL_FAILURES = "DELETE FROM failure"
PRUNE_FAILURES = "DELETE FROM failure WHERE expires <= :now"
COUNT_FAILURES = "SELECT count(*) FROM failure"
SHRINK_FAILURES = """DELETE FROM failure WHERE (kind, name) IN (
    SELECT kind, name FROM failure ORDER BY until, expires LIMIT :surplus)"""
ALL_FAILURES = """SELECT kind, name, points, instant, total, since, until FROM failure
    WHERE kind <> 'both' ORDER BY kind, name"""

VERSIONS_SCHEMA = (
    # Texts of scripts, each once however many versions have it; `digest` is SHA-256 in hexadecimal digits.
    "CREATE TABLE IF NOT EXISTS script_text (digest TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL, content BYTEA)",
    # One row for each change of somebody's scripts; `versions.Version` says what the columns mean.
    """CREATE TABLE IF NOT EXISTS script_version (
        keeper TEXT NOT NULL, number BIGINT NOT NULL, instant BIGINT NOT NULL, status TEXT NOT NULL,
        action TEXT NOT NULL, script TEXT NOT NULL, target TEXT NOT NULL, size BIGINT NOT NULL,
        digest TEXT NOT NULL, before TEXT NOT NULL, active TEXT NOT NULL, active_before TEXT NOT NULL,
        owner TEXT NOT NULL, actor TEXT NOT NULL, address TEXT NOT NULL, via TEXT NOT NULL, undoes BIGINT NOT NULL,
        PRIMARY KEY (keeper, number))""",
    "CREATE INDEX IF NOT EXISTS script_version_digest ON script_version (digest)",
    "CREATE INDEX IF NOT EXISTS script_version_before ON script_version (before)",
    "CREATE INDEX IF NOT EXISTS script_version_instant ON script_version (instant)",
    "CREATE INDEX IF NOT EXISTS script_version_status ON script_version (keeper, status, size)",
    # What somebody's scripts were when they were last looked at: `number` is that of his last version.
    """CREATE TABLE IF NOT EXISTS script_keeper (
        keeper TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, active TEXT NOT NULL, seen BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS script_known (
        keeper TEXT NOT NULL, script TEXT NOT NULL, digest TEXT NOT NULL, sign TEXT NOT NULL,
        PRIMARY KEY (keeper, script))""",
    "CREATE INDEX IF NOT EXISTS script_known_digest ON script_known (digest)",
)
KEEP_TEXT = """INSERT INTO script_text (digest, size, content) VALUES (:digest, :size, :content)
    ON CONFLICT (digest) DO NOTHING"""
TEXT = "SELECT content FROM script_text WHERE digest = :digest"
KEEPER = "SELECT number, active FROM script_keeper WHERE keeper = :keeper"
KEEP_KEEPER = """INSERT INTO script_keeper (keeper, number, active, seen) VALUES (:keeper, :number, :active, :now)
    ON CONFLICT (keeper) DO UPDATE SET number = excluded.number, active = excluded.active, seen = excluded.seen"""
KNOWN = "SELECT script, digest, sign FROM script_known WHERE keeper = :keeper"
KNOW = """INSERT INTO script_known (keeper, script, digest, sign) VALUES (:keeper, :script, :digest, :sign)
    ON CONFLICT (keeper, script) DO UPDATE SET digest = excluded.digest, sign = excluded.sign"""
UNKNOW = "DELETE FROM script_known WHERE keeper = :keeper AND script = :script"
ADD_VERSION = """INSERT INTO script_version (keeper, number, instant, status, action, script, target, size, digest,
    before, active, active_before, owner, actor, address, via, undoes)
    VALUES (:keeper, :number, :instant, :status, :action, :script, :target, :size, :digest, :before, :active,
    :active_before, :owner, :actor, :address, :via, :undoes)"""
SETTLE_VERSION = "UPDATE script_version SET status = :status WHERE keeper = :keeper AND number = :number"
BEGUN = """SELECT number, instant, status, action, script, target, size, digest, before, active, active_before,
    owner, actor, address, via, undoes
    FROM script_version WHERE keeper = :keeper AND status = 'begun' ORDER BY number"""
VERSIONS = """SELECT number, instant, status, action, script, target, size, digest, before, active, active_before,
    owner, actor, address, via, undoes
    FROM script_version WHERE keeper = :keeper ORDER BY number"""
VERSION_OF_TEXT = """SELECT coalesce(max(CASE WHEN instant <= :instant THEN number END), min(number))
    FROM script_version WHERE keeper = :keeper AND digest = :digest AND status = 'done' AND action IN ('put', 'rename')
    AND (script = :script OR target = :script)"""
SUM_OF_VERSIONS = "SELECT count(*), coalesce(sum(size), 0) FROM script_version WHERE keeper = :keeper"
SIZES_OF_VERSIONS = """SELECT number, digest, before,
    coalesce((SELECT size FROM script_text WHERE script_text.digest = script_version.digest), 0),
    coalesce((SELECT size FROM script_text WHERE script_text.digest = script_version.before), 0)
    FROM script_version WHERE keeper = :keeper ORDER BY number DESC"""
NUMBER_AFTER = """SELECT number FROM script_version WHERE keeper = :keeper
    ORDER BY number DESC LIMIT 1 OFFSET :offset"""
TEXTS_UP_TO = "SELECT digest, before FROM script_version WHERE keeper = :keeper AND number <= :number"
DROP_VERSIONS = "DELETE FROM script_version WHERE keeper = :keeper AND number <= :number"
# Ten minutes at a time, as above; what is only begun may be under way.
PRUNE_VERSIONS = """DELETE FROM script_version WHERE instant <= :before
    AND instant <= (SELECT min(instant) + 600 FROM script_version)"""
COUNT_VERSIONS = "SELECT count(*) FROM script_version WHERE instant <= :before"
FORGET_KNOWN = """DELETE FROM script_known WHERE keeper IN (SELECT keeper FROM script_keeper WHERE seen <= :before
    AND NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.keeper = script_keeper.keeper))"""
FORGET_KEEPERS = """DELETE FROM script_keeper WHERE seen <= :before
    AND NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.keeper = script_keeper.keeper)"""
DROP_TEXT = """DELETE FROM script_text WHERE digest = :digest
    AND NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.digest = :digest)
    AND NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.before = :digest)
    AND NOT EXISTS (SELECT 1 FROM script_known WHERE script_known.digest = :digest)"""
DROP_TEXTS = """DELETE FROM script_text WHERE digest IN (SELECT digest FROM script_text
    WHERE NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.digest = script_text.digest)
    AND NOT EXISTS (SELECT 1 FROM script_version WHERE script_version.before = script_text.digest)
    AND NOT EXISTS (SELECT 1 FROM script_known WHERE script_known.digest = script_text.digest) LIMIT 100)"""

CREDENTIALS_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS credential (
        userid TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, changed BIGINT NOT NULL,
        PRIMARY KEY (userid, kind))""",
    "CREATE TABLE IF NOT EXISTS secret (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
)
KEEP_SITE = "INSERT INTO secret (name, value) VALUES ('site', :value) ON CONFLICT (name) DO NOTHING"
SITE = "SELECT value FROM secret WHERE name = 'site'"
CREDENTIAL = "SELECT value FROM credential WHERE userid = :userid AND kind = :kind"
CREDENTIALS_OF = "SELECT kind, value FROM credential WHERE userid = :userid"
CREDENTIALS_CHANGED = "SELECT max(changed) FROM credential WHERE userid = :userid"
CREDENTIALS_SOMEBODY = "SELECT value FROM credential WHERE kind = :kind AND userid >= :near ORDER BY userid LIMIT 1"
RENAME_CREDENTIALS = "UPDATE credential SET userid = :new WHERE userid = :old"
ALL_CREDENTIALS = "SELECT userid, max(changed) FROM credential GROUP BY userid"
FORGET_CREDENTIALS = "DELETE FROM credential WHERE userid = :userid"
ADD_CREDENTIAL = (
    "INSERT INTO credential (userid, kind, value, changed) SELECT userid, :kind, :value, changed FROM credential"
    " WHERE userid = :userid AND kind = :known AND value = :as_before ON CONFLICT (userid, kind) DO NOTHING"
)
KEEP_CREDENTIAL = "INSERT INTO credential (userid, kind, value, changed) VALUES (:userid, :kind, :value, :changed)"
