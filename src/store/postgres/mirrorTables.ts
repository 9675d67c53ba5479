// The tables of the release before records, which kept the cluster's constants, slot table, configuration values and
// blocked nodes in tables of their own. Their rows are carried over once. As long as nodes of both releases may work on
// one database, each sees what the other writes: a trigger on each old table writes the record, and a trigger on the
// records writes the old row. Both are fenced by the same row of leader_lease, so they never write at once.
//
// A later release drops these tables and triggers, when no node runs that one any more.

// Keys and values are those of meta/metaRecords.ts: values are JSON in ASCII, in which the old columns stand as they
// are. They are cut out as text. PostgreSQL's operators for JSON refuse \u0000, which a name may have.
/** The third step of ./schema.ts; never edited once released. */
export const MIRROR_TABLES = `
  -- The key of a record with a name, which the old columns have as JSON in ASCII.
  CREATE FUNCTION mirror_key(prefix text, name_json text) RETURNS bytea
  LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(prefix || CASE WHEN length(name_json) <= 1000 THEN name_json
      ELSE 'sha256:' || encode(sha256(convert_to(name_json, 'UTF8')), 'hex') END, 'UTF8')
  $$;

  -- A record as an old table has it.
  CREATE FUNCTION mirror_put(name bytea, content text) RETURNS void
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    head bigint;
  BEGIN
    SELECT revision INTO STRICT head FROM record_head FOR UPDATE;
    IF record_write(name, convert_to(content, 'UTF8'), head + 1) THEN
      UPDATE record_head SET revision = head + 1;
      PERFORM pg_notify(current_schema(), (head + 1)::text);
    END IF;
  END $$;

  CREATE FUNCTION mirror_cluster(old_row cluster) RETURNS void
  LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT mirror_put('meta/cluster', '{"name":' || old_row.name_json || ',"slotCount":' || old_row.slot_count || '}')
  $$;
  CREATE FUNCTION mirror_slot_table(old_row slot_table) RETURNS void
  LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT mirror_put('meta/slot-table', '{"epoch":"' || old_row.epoch || '","slots":' || old_row.slots_json || '}')
  $$;
  CREATE FUNCTION mirror_config(old_row config) RETURNS void
  LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT mirror_put(mirror_key('meta/config/', old_row.data_info_id_json), '{"serviceKey":'
      || old_row.data_info_id_json || ',"version":"' || old_row.version || '","data":' || old_row.data_json || '}')
  $$;
  CREATE FUNCTION mirror_blocked_node(old_row blocked_node) RETURNS void
  LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT mirror_put(mirror_key('meta/blocked-node/', old_row.name_json),
      CASE WHEN old_row.is_blocked THEN '{"node":' || old_row.name_json || '}' END)
  $$;

  -- An old table was written: by a program of the release before, unless the trigger below has written it.
  CREATE FUNCTION mirror_old() RETURNS trigger
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
    CASE TG_TABLE_NAME
      WHEN 'cluster' THEN PERFORM mirror_cluster(NEW);
      WHEN 'slot_table' THEN PERFORM mirror_slot_table(NEW);
      WHEN 'config' THEN PERFORM mirror_config(NEW);
      ELSE PERFORM mirror_blocked_node(NEW);
    END CASE;
    RETURN NULL;
  END $$;

  -- A record was written: by this release, unless the trigger above has written it.
  CREATE FUNCTION mirror_new() RETURNS trigger
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  DECLARE
    content text;
    found text[];
  BEGIN
    IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
    -- A deletion has no content: the name is in the version that it ends.
    content := convert_from(coalesce(NEW.value, (SELECT value FROM record_version
      WHERE key = NEW.key AND until = NEW.revision AND value IS NOT NULL)), 'UTF8');
    IF substring(NEW.key, 1, 18) = 'meta/blocked-node/' THEN
      found := regexp_match(content, '^\\{"node":(".*")\\}$');
      INSERT INTO blocked_node (name_json, is_blocked) VALUES (found[1], NEW.value IS NOT NULL)
        ON CONFLICT (name_json) DO UPDATE SET is_blocked = excluded.is_blocked;
    ELSIF NEW.value IS NULL THEN
      RETURN NULL;
    ELSIF NEW.key = 'meta/cluster' THEN
      found := regexp_match(content, '^\\{"name":(".*"),"slotCount":(\\d+)\\}$');
      INSERT INTO cluster (id, name_json, slot_count) VALUES (1, found[1], found[2]::bigint)
        ON CONFLICT (id) DO NOTHING;
    ELSIF NEW.key = 'meta/slot-table' THEN
      found := regexp_match(left(content, 60), '^(\\{"epoch":"(\\d+)","slots":)');
      INSERT INTO slot_table (id, epoch, slots_json)
        VALUES (1, found[2]::bigint, left(substring(content, length(found[1]) + 1), -1))
        ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, slots_json = excluded.slots_json;
    ELSE
      -- A name has at most 28,818 characters; a value may have millions.
      found := regexp_match(left(content, 30000),
        '^(\\{"serviceKey":("([^"\\\\]|\\\\.)*"),"version":"(\\d+)","data":)');
      INSERT INTO config (key_sha256, data_info_id_json, version, data_json)
        VALUES (sha256(convert_to(found[2], 'UTF8')), found[2], found[4]::bigint,
          left(substring(content, length(found[1]) + 1), -1))
        ON CONFLICT (key_sha256) DO UPDATE SET version = excluded.version, data_json = excluded.data_json;
    END IF;
    RETURN NULL;
  END $$;

  -- These wait for the writes under way, and let no other begin before all is done.
  CREATE TRIGGER mirror AFTER INSERT OR UPDATE ON cluster FOR EACH ROW EXECUTE FUNCTION mirror_old();
  CREATE TRIGGER mirror AFTER INSERT OR UPDATE ON slot_table FOR EACH ROW EXECUTE FUNCTION mirror_old();
  CREATE TRIGGER mirror AFTER INSERT OR UPDATE ON config FOR EACH ROW EXECUTE FUNCTION mirror_old();
  CREATE TRIGGER mirror AFTER INSERT OR UPDATE ON blocked_node FOR EACH ROW EXECUTE FUNCTION mirror_old();

  SELECT mirror_cluster(cluster) FROM cluster;
  SELECT mirror_slot_table(slot_table) FROM slot_table;
  SELECT mirror_config(config) FROM config;
  SELECT mirror_blocked_node(blocked_node) FROM blocked_node WHERE is_blocked;

  CREATE TRIGGER mirror AFTER INSERT ON record_version FOR EACH ROW
    WHEN (NEW.key IN ('meta/cluster', 'meta/slot-table') OR substring(NEW.key, 1, 12) = 'meta/config/'
      OR substring(NEW.key, 1, 18) = 'meta/blocked-node/') EXECUTE FUNCTION mirror_new();
`;
