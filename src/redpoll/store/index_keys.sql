-- Secondary b-trees of the large tables; a bulk load makes them last.
CREATE UNIQUE INDEX IF NOT EXISTS alerts_key ON alerts (alert_id, _survey);
CREATE INDEX IF NOT EXISTS alerts_hpx29 ON alerts (hpx29);
CREATE INDEX IF NOT EXISTS alerts_mjd ON alerts (mjd, alert_id);
CREATE INDEX IF NOT EXISTS alerts_night ON alerts (night, mjd, alert_id);
CREATE INDEX IF NOT EXISTS alert_topics_mjd ON alert_topics (topic, mjd, alert_id, alert);
CREATE INDEX IF NOT EXISTS alert_classes_mjd ON alert_classes (class, mjd, alert_id, alert);
