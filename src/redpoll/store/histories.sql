-- The measurements of each object, packed (store/history_blobs.py). The key of a row is that of the alert that added it;
-- what was packed together has the last number an object can have.
CREATE TABLE histories (_id INTEGER PRIMARY KEY, data BLOB NOT NULL)
