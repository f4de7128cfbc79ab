-- What people and learning add to a store. Times are ISO 8601 in UTC.
CREATE TABLE labels (
  label_id INTEGER PRIMARY KEY AUTOINCREMENT, survey TEXT NOT NULL, object_id TEXT NOT NULL, alert_id INTEGER,
  label TEXT NOT NULL, source TEXT NOT NULL, by TEXT NOT NULL, added TEXT NOT NULL, confidence REAL,
  note TEXT NOT NULL, retracts INTEGER UNIQUE REFERENCES labels
);
CREATE INDEX labels_object ON labels (object_id, survey);
CREATE INDEX labels_label ON labels (label);

-- One row for each version; its file is models/<sha256>.
CREATE TABLE models (
  name TEXT NOT NULL, version TEXT NOT NULL, stage TEXT NOT NULL, sha256 TEXT NOT NULL, n_bytes INTEGER NOT NULL,
  card TEXT NOT NULL, created TEXT NOT NULL, by TEXT NOT NULL,
  PRIMARY KEY (name, version)
);
CREATE UNIQUE INDEX models_champion ON models (name) WHERE stage = 'champion';

-- Every promotion and rollback; the last row is the generation of the registry.
CREATE TABLE promotions (
  generation INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version TEXT NOT NULL, action TEXT NOT NULL,
  at TEXT NOT NULL, by TEXT NOT NULL
);
CREATE INDEX promotions_name ON promotions (name, generation);

CREATE TABLE filters (topic TEXT PRIMARY KEY, owner TEXT NOT NULL, active INTEGER NOT NULL);
CREATE TABLE filter_versions (
  topic TEXT NOT NULL REFERENCES filters, version INTEGER NOT NULL, expression TEXT NOT NULL,
  created TEXT NOT NULL, by TEXT NOT NULL,
  PRIMARY KEY (topic, version)
);

CREATE TABLE watchlists (
  watchlist_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, changed TEXT NOT NULL
);
CREATE TABLE watchlist_positions (
  watchlist_id INTEGER NOT NULL REFERENCES watchlists ON DELETE CASCADE, row INTEGER NOT NULL, label TEXT NOT NULL,
  ra REAL NOT NULL, dec REAL NOT NULL, radius_arcsec REAL NOT NULL,
  PRIMARY KEY (watchlist_id, row)
) WITHOUT ROWID;
