// The SQL of records. One table has every version of every key: `until` is the revision that took its place, NULL for
// the present one; a version without a value is a deletion. Keys are bytes of UTF-8, which PostgreSQL orders as we do
// in a database of any encoding and collation.
//
// A group of commits is one call of a function, and so one statement and one transaction: the server runs it to its end
// or not at all. Each statement within it sees what was committed before it began. So once the function has locked the
// head, it sees everything, and nothing else changes a record before it ends. Revisions are thus committed in order.
//
// A commit that demands the lease locks its row first, and the head after that, in the same order as every other
// statement: see ./leaseStatements.ts.

/** Tables and functions, as made by the second step of ./schema.ts; never edited once released. */
export const RECORD_TABLES = `
  CREATE TABLE record_head (
    id integer PRIMARY KEY CHECK (id = 1),
    revision bigint NOT NULL,
    oldest bigint NOT NULL,
    history_bytes bigint NOT NULL
  );
  INSERT INTO record_head (id, revision, oldest, history_bytes) VALUES (1, 0, 0, 0);
  CREATE TABLE record_version (
    key bytea NOT NULL,
    revision bigint NOT NULL,
    created_revision bigint NOT NULL,
    value bytea,
    until bigint,
    PRIMARY KEY (key, revision)
  );
  CREATE UNIQUE INDEX record_version_present ON record_version (key) WHERE until IS NULL;
  CREATE INDEX record_version_past ON record_version (until) WHERE until IS NOT NULL;
  CREATE INDEX record_version_revision ON record_version (revision);

  -- Writes a key; without content it removes the key. False: there was no such key.
  CREATE FUNCTION record_write(name bytea, content bytea, at bigint) RETURNS boolean
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    created bigint;
    bytes bigint;
  BEGIN
    UPDATE record_version SET until = at WHERE key = name AND until IS NULL
      RETURNING created_revision, octet_length(value) INTO created, bytes;
    IF created IS NOT NULL THEN
      UPDATE record_head SET history_bytes = history_bytes + bytes;
    ELSIF content IS NULL THEN
      RETURN false;
    END IF;
    INSERT INTO record_version (key, revision, created_revision, value, until)
      VALUES (name, at, coalesce(created, at), content, CASE WHEN content IS NULL THEN at END);
    RETURN true;
  END $$;

  CREATE FUNCTION record_compact(goal bigint) RETURNS void
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM 1 FROM record_head WHERE oldest < goal FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    DELETE FROM record_version WHERE until <= goal;
    UPDATE record_head SET oldest = goal, history_bytes = (
      SELECT coalesce(sum(octet_length(value)), 0) FROM record_version WHERE until IS NOT NULL);
  END $$;

  -- Whether one condition holds: ["revision", key in hex, revision] or ["leads", epoch, holder].
  CREATE FUNCTION record_holds(condition json) RETURNS boolean
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    IF condition->>0 = 'leads' THEN
      RETURN EXISTS (SELECT 1 FROM leader_lease
        WHERE epoch = (condition->>1)::bigint AND holder_json = condition->>2 AND ends_at > clock_timestamp());
    END IF;
    RETURN (condition->>2)::bigint = coalesce((SELECT revision FROM record_version
      WHERE key = decode(condition->>1, 'hex') AND until IS NULL), 0);
  END $$;

  -- Forgets history beyond so many revisions, with a quarter more before that is done, or beyond so many bytes.
  CREATE FUNCTION record_bound(revisions_kept bigint, bytes_max bigint) RETURNS void
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    head record_head%ROWTYPE;
    goal bigint;
  BEGIN
    SELECT * INTO STRICT head FROM record_head;
    IF head.revision - head.oldest > revisions_kept + revisions_kept / 4 THEN
      PERFORM record_compact(head.revision - revisions_kept);
    END IF;
    IF head.history_bytes > bytes_max THEN
      SELECT until INTO goal FROM (
        SELECT until, sum(octet_length(value)) OVER (ORDER BY until DESC, key) AS newer
        FROM record_version WHERE until IS NOT NULL) AS past
      WHERE newer > bytes_max / 2 ORDER BY until DESC LIMIT 1;
      IF FOUND THEN PERFORM record_compact(goal); END IF;
    END IF;
  END $$;

  -- Makes commits, in order, each of the form {"if": conditions, "do": [[key in hex, index of its content or null]]}.
  -- The answer for each: its revision as a text, or the index of the condition that did not hold. The lease is locked
  -- if a condition demands it ("fenced"). One text instead of all: nothing was done, since the head is this revision,
  -- and below what was "seen". "kept": the revisions and bytes of the history.
  CREATE FUNCTION record_commit(commits json, contents bytea[], fenced boolean, seen bigint, kept bigint[]) RETURNS json
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    before bigint;
    head bigint;
    one json;
    item json;
    place bigint;
    unmet bigint;
    changed boolean;
    answers json[] := '{}';
  BEGIN
    IF fenced THEN
      PERFORM 1 FROM leader_lease FOR UPDATE;
    END IF;
    SELECT revision INTO STRICT before FROM record_head FOR UPDATE;
    IF before < seen THEN RETURN to_json(before::text); END IF;
    head := before;
    FOR one IN SELECT value FROM json_array_elements(commits) LOOP
      unmet := NULL;
      FOR item, place IN SELECT value, ordinality FROM json_array_elements(one->'if') WITH ORDINALITY ORDER BY 2 LOOP
        IF NOT record_holds(item) THEN
          unmet := place - 1;
          EXIT;
        END IF;
      END LOOP;
      IF unmet IS NOT NULL THEN
        answers := answers || to_json(unmet);
        CONTINUE;
      END IF;
      changed := false;
      FOR item IN SELECT value FROM json_array_elements(one->'do') LOOP
        changed := record_write(decode(item->>0, 'hex'), contents[(item->>1)::integer], head + 1) OR changed;
      END LOOP;
      IF changed THEN head := head + 1; END IF;
      answers := answers || to_json(head::text);
    END LOOP;
    IF head > before THEN
      UPDATE record_head SET revision = head;
      PERFORM record_bound(kept[1], kept[2]);
      PERFORM pg_notify(current_schema(), head::text);
    END IF;
    RETURN array_to_json(answers);
  END $$;

  -- Goes on above a revision that this copy of the database has lost.
  CREATE FUNCTION record_raise(seen bigint) RETURNS void
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    head bigint;
  BEGIN
    SELECT revision INTO STRICT head FROM record_head FOR UPDATE;
    IF head >= seen THEN RETURN; END IF;
    UPDATE record_head SET revision = seen + 1;
    PERFORM record_compact(seen + 1);
    PERFORM pg_notify(current_schema(), (seen + 1)::text);
  END $$;
`;

/** Makes a group of commits. The contents are parameters of their own from $6 on, since text has no place for bytes. */
export function commitStatement(contents: number): string {
  const places = Array.from({ length: contents }, (_, at) => `$${at + 6}`).join(",");
  return `SELECT record_commit(
    $1::json, ARRAY[${places}]::bytea[], $2::boolean, $3::bigint, ARRAY[$4::bigint, $5::bigint]) AS answers`;
}

export const COMPACT = "SELECT record_compact(least($1::bigint, revision)) FROM record_head";

// A page that is full of bytes ends with a row whose content is left out.
const HEAD = `SELECT head.revision AS newest, head.oldest,
    current_setting('transaction_read_only') AS read_only, found.*
  FROM record_head AS head LEFT JOIN LATERAL`;
const IN_RANGE = "key >= $1::bytea AND ($2::bytea IS NULL OR key < $2::bytea)";

/** Records of a range: $3 the number of rows, $4 the bytes of a page; $5, if it is given, the revision. */
export function rangeStatement(time: "now" | "at"): string {
  const asOf = "revision <= $5::bigint AND coalesce(until > $5::bigint, true)";
  const isThere = time === "now" ? "until IS NULL" : asOf;
  return `${HEAD} (
    SELECT key, revision, created_revision, CASE WHEN before <= $4::bigint THEN value END AS value
    FROM (
      SELECT *, coalesce(sum(octet_length(value)) OVER (
        ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM (
        SELECT key, revision, created_revision, value FROM record_version
        WHERE ${IN_RANGE} AND ${isThere} AND value IS NOT NULL ORDER BY key LIMIT $3::bigint
      ) AS page
    ) AS summed
  ) AS found ON true ORDER BY found.key`;
}

/** Changes in a range after the revision $5: $3 the number of rows, $4 the bytes of a page without its last commit. */
export const CHANGES = `${HEAD} (
    SELECT key, revision, created_revision, value IS NULL AS is_deleted,
      CASE WHEN before <= $4::bigint THEN value END AS value
    FROM (
      SELECT *, coalesce(sum(octet_length(value)) OVER (
        ORDER BY revision GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM (
        SELECT key, revision, created_revision, value FROM record_version
        WHERE revision > $5::bigint AND ${IN_RANGE} ORDER BY revision, key LIMIT $3::bigint
      ) AS page
    ) AS summed
  ) AS found ON true ORDER BY found.revision, found.key`;
