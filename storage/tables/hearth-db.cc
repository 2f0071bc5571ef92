#include "storage/tables/hearth-db.h"

namespace hearth::storage {

namespace {

// Never changed once released: a change is a further migration.
constexpr kj::StringPtr MIGRATIONS[] = {
    R"(
    CREATE TABLE chains (name TEXT PRIMARY KEY, base INTEGER NOT NULL, base_hash BLOB NOT NULL,
      rows INTEGER NOT NULL, row_hash BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE ops (i INTEGER PRIMARY KEY, row BLOB NOT NULL, row_hash BLOB NOT NULL) STRICT;
    CREATE TABLE counters (i INTEGER PRIMARY KEY, row BLOB NOT NULL, row_hash BLOB NOT NULL) STRICT;
    INSERT INTO chains VALUES ('ops', 0, zeroblob(32), 0, zeroblob(32)),
      ('counters', 0, zeroblob(32), 0, zeroblob(32));

    CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE peers (device BLOB PRIMARY KEY, name TEXT NOT NULL, class TEXT NOT NULL,
      addresses BLOB NOT NULL, seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE facts (device BLOB NOT NULL PRIMARY KEY, version INTEGER NOT NULL,
      encoded BLOB NOT NULL) STRICT;
    CREATE TABLE jobs (id TEXT NOT NULL PRIMARY KEY, started_ms INTEGER NOT NULL,
      record BLOB NOT NULL) STRICT;
    CREATE INDEX jobs_started ON jobs (started_ms);
    )"_kj,
    R"(
    CREATE TABLE entries (i INTEGER PRIMARY KEY, collection BLOB NOT NULL, time INTEGER NOT NULL,
      hash BLOB NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, kind INTEGER NOT NULL,
      target INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX entries_name ON entries (collection, time, hash, author, seq);
    CREATE INDEX entries_topic ON entries (collection, topic, author);
    CREATE INDEX entries_unread ON entries (i) WHERE kind = 0;
    CREATE TABLE heads (collection BLOB NOT NULL, author BLOB NOT NULL, entries INTEGER NOT NULL,
      hash BLOB NOT NULL, PRIMARY KEY (collection, author)) STRICT, WITHOUT ROWID;
    CREATE TABLE head_history (i INTEGER PRIMARY KEY, row BLOB NOT NULL, row_hash BLOB NOT NULL) STRICT;
    INSERT INTO chains VALUES ('head_history', 0, zeroblob(32), 0, zeroblob(32));
    CREATE TABLE snapshots (collection BLOB NOT NULL, topic TEXT NOT NULL, upto INTEGER NOT NULL,
      part INTEGER NOT NULL, bundle BLOB NOT NULL, PRIMARY KEY (collection, topic, part)) STRICT;
    )"_kj,
    R"(
    CREATE TABLE blobs (i INTEGER PRIMARY KEY, content BLOB NOT NULL UNIQUE, collection BLOB NOT NULL,
      epoch BLOB NOT NULL, reference BLOB NOT NULL, bytes INTEGER NOT NULL, home INTEGER NOT NULL, file TEXT NOT NULL,
      refs INTEGER NOT NULL, pinned INTEGER NOT NULL, elsewhere INTEGER NOT NULL, used_ms INTEGER NOT NULL) STRICT;
    CREATE INDEX blobs_used ON blobs (used_ms) WHERE home IN (1, 2) AND pinned = 0 AND elsewhere > 0;
    CREATE INDEX blobs_idle ON blobs (i) WHERE refs = 0 AND pinned = 0;
    CREATE TABLE blob_bytes (blob INTEGER PRIMARY KEY REFERENCES blobs (i), bytes BLOB NOT NULL) STRICT;
    CREATE TABLE blob_nodes (i INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, encoded BLOB NOT NULL) STRICT;
    CREATE TABLE blob_node_uses (node INTEGER NOT NULL, blob INTEGER NOT NULL REFERENCES blobs (i),
      PRIMARY KEY (node, blob)) STRICT, WITHOUT ROWID;
    CREATE INDEX blob_nodes_of ON blob_node_uses (blob);
    CREATE TABLE chunk_sources (i INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, name BLOB NOT NULL,
      stamp BLOB NOT NULL, UNIQUE (kind, name)) STRICT;
    CREATE TABLE chunk_places (short INTEGER NOT NULL, source INTEGER NOT NULL, place INTEGER NOT NULL,
      length INTEGER NOT NULL, PRIMARY KEY (short, source, place)) STRICT, WITHOUT ROWID;
    )"_kj,
    // A document is read in the order in which its entries came, and an author's part of it in that of their numbers:
    // neither is sorted (entries-queries.h).
    R"(
    DROP INDEX entries_topic;
    CREATE INDEX entries_topic ON entries (collection, topic);
    CREATE INDEX entries_author ON entries (collection, topic, author, seq);
    )"_kj,
    R"(
    CREATE TABLE folders (i INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
      collection BLOB NOT NULL UNIQUE, path TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE folder_versions (i INTEGER PRIMARY KEY, folder INTEGER NOT NULL, directory TEXT NOT NULL,
      name TEXT NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, time INTEGER NOT NULL,
      state BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX folder_versions_name ON folder_versions (folder, seq, part, author);
    CREATE INDEX folder_versions_path ON folder_versions (folder, directory, name);
    CREATE TABLE folder_conflicts (folder INTEGER NOT NULL, directory TEXT NOT NULL, name TEXT NOT NULL,
      of_directory TEXT NOT NULL, of_name TEXT NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL,
      part INTEGER NOT NULL, PRIMARY KEY (folder, directory, name)) STRICT, WITHOUT ROWID;
    CREATE INDEX folder_conflicts_of ON folder_conflicts (folder, of_directory, of_name);
    CREATE TABLE folder_replaced (folder INTEGER NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL,
      part INTEGER NOT NULL, PRIMARY KEY (folder, author, seq, part)) STRICT, WITHOUT ROWID;
    CREATE TABLE folder_entries (folder INTEGER NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL,
      PRIMARY KEY (folder, author, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE folder_local (folder INTEGER NOT NULL, directory TEXT NOT NULL, name TEXT NOT NULL,
      inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL,
      state BLOB NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, content BLOB NOT NULL,
      PRIMARY KEY (folder, directory, name)) STRICT, WITHOUT ROWID;
    CREATE INDEX folder_local_content ON folder_local (content) WHERE content <> x'';
    CREATE INDEX folder_local_inode ON folder_local (inode);
    CREATE TABLE folder_pending (folder INTEGER NOT NULL, path TEXT NOT NULL, directory TEXT NOT NULL,
      name TEXT NOT NULL, PRIMARY KEY (folder, path)) STRICT, WITHOUT ROWID;
    )"_kj,
    // What was there before there was an index is owed to it: entries from the first on, and every path.
    R"(
    CREATE TABLE search_items (i INTEGER PRIMARY KEY, collection BLOB NOT NULL, key TEXT NOT NULL, kind INTEGER NOT NULL,
      title TEXT NOT NULL, place TEXT NOT NULL, stamp BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX search_items_name ON search_items (collection, key, kind);
    CREATE VIRTUAL TABLE search_words USING fts5 (title, place, text, content = '', contentless_delete = 1,
      tokenize = 'hearth', prefix = '2');
    CREATE VIRTUAL TABLE search_titles USING fts5 (title, place, content = '', contentless_delete = 1,
      tokenize = 'hearth');
    CREATE TABLE search_texts (item INTEGER PRIMARY KEY, text BLOB NOT NULL) STRICT;
    CREATE TABLE search_vectors (collection BLOB NOT NULL, model TEXT NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL,
      part INTEGER NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (collection, model, kind, key, part)) STRICT, WITHOUT ROWID;
    CREATE TABLE search_state (one INTEGER PRIMARY KEY, serial INTEGER NOT NULL, place INTEGER NOT NULL) STRICT;
    INSERT INTO search_state VALUES (1, 0, 0);
    CREATE TABLE search_gone (collection BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE search_owed (folder INTEGER NOT NULL, directory TEXT NOT NULL, name TEXT NOT NULL, turn INTEGER NOT NULL,
      PRIMARY KEY (folder, directory, name)) STRICT, WITHOUT ROWID;
    INSERT INTO search_owed SELECT folder, directory, name, 0 FROM folder_local;
    )"_kj,
    R"(
    ALTER TABLE folder_local ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE folders ADD COLUMN boot TEXT NOT NULL DEFAULT '';
    ALTER TABLE folders ADD COLUMN own_before INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE folder_pending ADD COLUMN placed BLOB NOT NULL DEFAULT x'';
    )"_kj,
    R"(
    CREATE TABLE folder_texts (i INTEGER PRIMARY KEY AUTOINCREMENT, folder INTEGER NOT NULL, content BLOB NOT NULL,
      packed BLOB NOT NULL, UNIQUE (folder, content)) STRICT;
    CREATE TABLE folder_texts_room (one INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO folder_texts_room VALUES (1, 0);
    CREATE TRIGGER folder_texts_come AFTER INSERT ON folder_texts BEGIN
      UPDATE folder_texts_room SET bytes = bytes + length(new.packed); END;
    CREATE TRIGGER folder_texts_go AFTER DELETE ON folder_texts BEGIN
      UPDATE folder_texts_room SET bytes = bytes - length(old.packed); END;
    CREATE TABLE folder_merges (folder INTEGER NOT NULL, path TEXT NOT NULL, content BLOB NOT NULL, made BLOB NOT NULL,
      PRIMARY KEY (folder, path)) STRICT, WITHOUT ROWID;
    )"_kj,
    R"(
    CREATE TABLE vault_shelves (i INTEGER PRIMARY KEY AUTOINCREMENT, vault BLOB NOT NULL, writer BLOB NOT NULL,
      collection BLOB NOT NULL, items INTEGER NOT NULL, root BLOB NOT NULL, count INTEGER NOT NULL,
      bytes INTEGER NOT NULL, UNIQUE (vault, writer, collection)) STRICT;
    CREATE TABLE vault_items (shelf INTEGER NOT NULL, name BLOB NOT NULL, content BLOB NOT NULL, bytes INTEGER NOT NULL,
      hash BLOB NOT NULL, PRIMARY KEY (shelf, name)) STRICT, WITHOUT ROWID;
    CREATE INDEX vault_items_content ON vault_items (content);
    CREATE TABLE vault_buckets (shelf INTEGER NOT NULL, bucket INTEGER NOT NULL, hash BLOB NOT NULL,
      PRIMARY KEY (shelf, bucket)) STRICT, WITHOUT ROWID;
    CREATE TABLE vault_held (shelf INTEGER NOT NULL, name BLOB NOT NULL, file TEXT NOT NULL, bytes BLOB NOT NULL,
      UNIQUE (shelf, name)) STRICT;
    CREATE TABLE vault_state (one INTEGER PRIMARY KEY, place INTEGER NOT NULL) STRICT;
    INSERT INTO vault_state VALUES (1, 0);
    )"_kj,
    // away: bytes of a file that is not here by its owner's choice.
    R"(
    CREATE TABLE folder_choices (folder INTEGER NOT NULL, path TEXT NOT NULL, kept INTEGER NOT NULL,
      PRIMARY KEY (folder, path)) STRICT, WITHOUT ROWID;
    CREATE TABLE folder_went (folder INTEGER NOT NULL, content BLOB NOT NULL, path TEXT NOT NULL,
      PRIMARY KEY (folder, content, path)) STRICT, WITHOUT ROWID;
    CREATE TABLE folder_leaving (folder INTEGER NOT NULL, path TEXT NOT NULL, author BLOB NOT NULL,
      seq INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (folder, path)) STRICT, WITHOUT ROWID;
    ALTER TABLE folder_pending ADD COLUMN away INTEGER;
    CREATE INDEX folder_pending_away ON folder_pending (folder, away) WHERE away IS NOT NULL;
    )"_kj,
    // gone: whether a source has gone since the walk began that was begun last; next: where it goes on.
    R"(
    CREATE TABLE chunk_walk (one INTEGER PRIMARY KEY, gone INTEGER NOT NULL, next INTEGER) STRICT;
    INSERT INTO chunk_walk VALUES (1, 1, NULL);
    CREATE TRIGGER chunk_sources_go AFTER DELETE ON chunk_sources BEGIN
      UPDATE chunk_walk SET gone = 1 WHERE gone = 0; END;
    )"_kj,
    // Bytes have rows of their own, so that what is said of an entry is written without them.
    R"(
    CREATE TABLE clips (i INTEGER PRIMARY KEY, author BLOB NOT NULL, stamp INTEGER NOT NULL, place INTEGER NOT NULL,
      lifetime_ms INTEGER NOT NULL, left_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, mime TEXT NOT NULL,
      preview TEXT NOT NULL, bytes INTEGER NOT NULL, secret INTEGER NOT NULL, UNIQUE (author, stamp)) STRICT;
    CREATE TABLE clip_bytes (clip INTEGER PRIMARY KEY REFERENCES clips (i) ON DELETE CASCADE,
      envelope BLOB NOT NULL) STRICT;
    CREATE TABLE clip_authors (author BLOB PRIMARY KEY, newest INTEGER NOT NULL, cleared INTEGER NOT NULL)
      STRICT, WITHOUT ROWID;
    )"_kj,
    // direction: storage/tables/folders.h. folder_unsaid: what was changed here, and is not told.
    R"(
    CREATE TABLE limits (device BLOB PRIMARY KEY, up INTEGER NOT NULL, down INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE resting (one INTEGER PRIMARY KEY, below INTEGER NOT NULL, metered INTEGER NOT NULL,
      paused_until INTEGER NOT NULL) STRICT;
    INSERT INTO resting VALUES (1, 20, 1, 0);
    ALTER TABLE folders ADD COLUMN direction INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE folder_unsaid (folder INTEGER NOT NULL, directory TEXT NOT NULL, name TEXT NOT NULL, inode INTEGER NOT NULL,
      size INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL, state BLOB NOT NULL,
      author BLOB NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, fresh INTEGER NOT NULL,
      PRIMARY KEY (folder, directory, name)) STRICT, WITHOUT ROWID;
    )"_kj,
};

constexpr kj::StringPtr CHAINS[] = {"ops"_kj, "counters"_kj, "head_history"_kj};

}  // namespace

const Schema HEARTH_SCHEMA{MIGRATIONS, CHAINS};

}  // namespace hearth::storage
