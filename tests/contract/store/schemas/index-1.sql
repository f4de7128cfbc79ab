-- The index of a store. Names that begin with an underscore are the store's own; all others are columns of the
-- alert table, the same as in the archive. Columns made by modules are added when they are first seen.
CREATE TABLE surveys (_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE topics (_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE classes (_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE classifiers (_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE provenance (_id INTEGER PRIMARY KEY, mapping TEXT NOT NULL UNIQUE);

-- Every top-level column ever archived; indexed ones are also columns of `alerts`.
CREATE TABLE columns (
  name TEXT PRIMARY KEY, dtype TEXT NOT NULL, unit TEXT NOT NULL, doc TEXT NOT NULL, ucd TEXT NOT NULL,
  label TEXT NOT NULL, indexed INTEGER NOT NULL, aggregate TEXT NOT NULL,
  type BLOB NOT NULL,  -- the Arrow type that holds the values of every batch (store/types.py)
  mixed INTEGER NOT NULL  -- whether `alerts` holds values of several types, which are converted when read
);

-- A segment is one folder of the archive, written by one batch. `compacted`: its alerts now lie in the HATS catalogue.
CREATE TABLE segments (
  _id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, survey INTEGER NOT NULL REFERENCES surveys, run INTEGER,
  rows INTEGER NOT NULL, provenance INTEGER NOT NULL REFERENCES provenance, compacted INTEGER NOT NULL DEFAULT 0,
  checksum TEXT NOT NULL,  -- SHA-256 of the file SHA256SUMS of the folder
  lost INTEGER NOT NULL DEFAULT 0  -- rows whose alerts a rebuild did not find in the archive
);
CREATE INDEX segments_waiting ON segments (survey) WHERE NOT compacted;

-- The HATS catalogue of a survey: the folder that counts, and its pixels [start, stop) at order 29.
CREATE TABLE generations (
  survey INTEGER PRIMARY KEY REFERENCES surveys, name TEXT NOT NULL,
  checksum TEXT NOT NULL,  -- as of a segment
  revision INTEGER NOT NULL DEFAULT 0  -- the newest revision whose values it holds
);
CREATE TABLE pixels (
  survey INTEGER NOT NULL REFERENCES surveys, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  norder INTEGER NOT NULL, npix INTEGER NOT NULL, rows INTEGER NOT NULL,
  PRIMARY KEY (survey, start)
) WITHOUT ROWID;

CREATE TABLE objects (
  _id INTEGER PRIMARY KEY, _survey INTEGER NOT NULL REFERENCES surveys, object_id TEXT NOT NULL,
  ra REAL NOT NULL, dec REAL NOT NULL, hpx29 INTEGER NOT NULL,
  first_mjd REAL NOT NULL, last_mjd REAL NOT NULL, _last_alert INTEGER NOT NULL,
  n_alerts INTEGER NOT NULL, n_detections INTEGER,
  last_mjd_u REAL, last_mag_u REAL, last_mjd_g REAL, last_mag_g REAL, last_mjd_r REAL, last_mag_r REAL,
  last_mjd_i REAL, last_mag_i REAL, last_mjd_z REAL, last_mag_z REAL, last_mjd_y REAL, last_mag_y REAL
);
CREATE UNIQUE INDEX objects_name ON objects (object_id, _survey);

-- The key of an alert is the key of its object times 2^24, plus a running number: an object's alerts are neighbours.
CREATE TABLE alerts (
  _id INTEGER PRIMARY KEY, _segment INTEGER NOT NULL REFERENCES segments, _row INTEGER NOT NULL,
  _survey INTEGER NOT NULL REFERENCES surveys, _topics TEXT, _classes BLOB,
  alert_id INTEGER NOT NULL, night INTEGER NOT NULL, mjd REAL NOT NULL,
  ra REAL NOT NULL, dec REAL NOT NULL, hpx29 INTEGER NOT NULL
);

-- One row for each topic an alert passed.
CREATE TABLE alert_topics (
  topic INTEGER NOT NULL REFERENCES topics, night INTEGER NOT NULL, mjd REAL NOT NULL, alert_id INTEGER NOT NULL,
  alert INTEGER NOT NULL REFERENCES alerts,
  PRIMARY KEY (topic, night, mjd, alert_id, alert)
) WITHOUT ROWID;

-- One row for each class assigned to an alert; `alerts._classes` holds the classifiers and probabilities too
-- (store/classes.py).
CREATE TABLE alert_classes (
  class INTEGER NOT NULL REFERENCES classes, night INTEGER NOT NULL, mjd REAL NOT NULL, alert_id INTEGER NOT NULL,
  alert INTEGER NOT NULL REFERENCES alerts,
  PRIMARY KEY (class, night, mjd, alert_id, alert)
) WITHOUT ROWID;

-- A revision is one folder of the archive with new values of alerts of one survey that were stored before; a greater
-- number is newer.
CREATE TABLE revisions (
  _id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, survey INTEGER NOT NULL REFERENCES surveys,
  job TEXT NOT NULL, revised TEXT NOT NULL, rows INTEGER NOT NULL,
  columns TEXT NOT NULL,  -- names of the columns with new values, JSON
  provenance INTEGER NOT NULL REFERENCES provenance,
  segment INTEGER REFERENCES segments,  -- the newest segment when the revision was committed
  checksum TEXT NOT NULL,  -- as of a segment
  lost INTEGER NOT NULL DEFAULT 0  -- rows whose alerts a rebuild did not find in the archive
);

-- One row for each alert of a revision.
CREATE TABLE revised (
  alert INTEGER NOT NULL REFERENCES alerts, revision INTEGER NOT NULL REFERENCES revisions, row INTEGER NOT NULL,
  PRIMARY KEY (alert, revision)
) WITHOUT ROWID;

-- `after`: the token of the page of alerts after which the job goes on.
CREATE TABLE revision_jobs (
  job TEXT PRIMARY KEY, command TEXT NOT NULL, started TEXT NOT NULL, updated TEXT NOT NULL, status TEXT NOT NULL,
  n_alerts INTEGER NOT NULL, after TEXT
);

CREATE TABLE runs (
  run INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL
);
CREATE TABLE ledger (
  run INTEGER NOT NULL, survey TEXT, night INTEGER, outcome TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL
);
CREATE UNIQUE INDEX ledger_key ON ledger (run, ifnull(survey, ''), ifnull(night, 0), outcome, reason);

-- Alerts that a quality cut rejected, once for each alert and reason; `run`, `source` and `position` are those of the
-- last of `n` packets. The sums of `n` are the counts of cuts in the ledger. Texts have at most 300 characters.
CREATE TABLE rejected (
  alert_id INTEGER NOT NULL, survey TEXT NOT NULL, reason TEXT NOT NULL, object_id TEXT NOT NULL,
  night INTEGER NOT NULL, mjd REAL NOT NULL,
  value TEXT,  -- the value that the cut rejected; null: missing
  run INTEGER NOT NULL, source TEXT NOT NULL, position TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (alert_id, survey, reason)
) WITHOUT ROWID;
CREATE INDEX rejected_object ON rejected (object_id);

-- Where the packets of a segment came from: one compressed list of (source, position), row by row
-- (store/positions.py). The archive does not hold it; a segment without a row here has none.
CREATE TABLE positions (segment TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;

-- Secondary b-trees of the large tables; a bulk load makes them last.
CREATE UNIQUE INDEX IF NOT EXISTS alerts_key ON alerts (alert_id, _survey);
CREATE INDEX IF NOT EXISTS alerts_hpx29 ON alerts (hpx29);
CREATE INDEX IF NOT EXISTS alerts_mjd ON alerts (mjd, alert_id);
CREATE INDEX IF NOT EXISTS alerts_night ON alerts (night, mjd, alert_id);
CREATE INDEX IF NOT EXISTS alert_topics_mjd ON alert_topics (topic, mjd, alert_id, alert);
CREATE INDEX IF NOT EXISTS alert_classes_mjd ON alert_classes (class, mjd, alert_id, alert);

-- The measurements of each object, packed (store/history_blobs.py). The key of a row is that of the alert that added it;
-- what was packed together has the last number an object can have.
CREATE TABLE histories (_id INTEGER PRIMARY KEY, data BLOB NOT NULL)
