-- The measurements of each object, packed (store/history_blobs.py), and what each alert added since they were packed.
CREATE TABLE histories (_object INTEGER PRIMARY KEY REFERENCES objects, data BLOB NOT NULL);
CREATE TABLE history_news (
  _object INTEGER NOT NULL REFERENCES objects, alert_id INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (_object, alert_id)
) WITHOUT ROWID
