-- Personal anomaly models: what defines them. Their fitted versions are models of app.sqlite. Times are ISO 8601 in UTC.
CREATE TABLE bases (
  sha256 TEXT PRIMARY KEY, features TEXT NOT NULL, n_rows INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE anomaly_models (
  name TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, seed INTEGER NOT NULL,
  base TEXT NOT NULL REFERENCES bases, created TEXT NOT NULL
);

-- Rows are added and never changed; a label is undone by a new row that names it.
CREATE TABLE anomaly_labels (
  label_id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL REFERENCES anomaly_models, survey TEXT NOT NULL,
  object_id TEXT NOT NULL, alert_id INTEGER NOT NULL, label TEXT NOT NULL, features BLOB NOT NULL, added TEXT NOT NULL,
  note TEXT NOT NULL, undoes INTEGER UNIQUE REFERENCES anomaly_labels
);
CREATE INDEX anomaly_labels_model ON anomaly_labels (model, label_id);
