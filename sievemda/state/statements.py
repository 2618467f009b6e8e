"""Every SQL statement of the delivery memory and the journal, named.

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
