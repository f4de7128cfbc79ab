-- Packets that could not be used. They are kept beside the index, because they can be many and large.
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, received TEXT NOT NULL, source TEXT NOT NULL, position TEXT NOT NULL,
  reason TEXT NOT NULL, sha256 BLOB NOT NULL, data BLOB NOT NULL
);
CREATE UNIQUE INDEX dead_letters_key ON dead_letters (sha256, reason, source, position);
CREATE INDEX dead_letters_reason ON dead_letters (reason, id);

-- Letters that were removed because the limit on their size was reached.
CREATE TABLE dropped (reason TEXT PRIMARY KEY, n INTEGER NOT NULL, n_bytes INTEGER NOT NULL);

-- Bytes of all letters, 500 for the row of each included; kept by the two triggers.
CREATE TABLE size (n_bytes INTEGER NOT NULL);
INSERT INTO size VALUES (0);
CREATE TRIGGER letter_added AFTER INSERT ON dead_letters BEGIN UPDATE size SET n_bytes = n_bytes + 500 + length(NEW.data); END;
CREATE TRIGGER letter_removed AFTER DELETE ON dead_letters BEGIN UPDATE size SET n_bytes = n_bytes - 500 - length(OLD.data); END;
