"""Tables of the reviews' database: events are only ever added; every view of today is derived from them."""

VERSION = 1
SETTINGS = ("PRAGMA journal_mode = WAL",)
EACH_CONNECTION = ("PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL")

TABLES = """
CREATE TABLE dictionary (
  fingerprint TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  first_seen TEXT NOT NULL
) STRICT;
CREATE TABLE direction (
  fingerprint TEXT NOT NULL REFERENCES dictionary (fingerprint),
  latent INTEGER NOT NULL CHECK (latent >= 0),
  vector BLOB NOT NULL CHECK (length(vector) % 4 = 0),
  PRIMARY KEY (fingerprint, latent)
) STRICT, WITHOUT ROWID;
CREATE TABLE reviewer (name TEXT PRIMARY KEY CHECK (trim(name) <> '')) STRICT;
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE,
  at TEXT NOT NULL,
  reviewer TEXT NOT NULL REFERENCES reviewer (name),
  fingerprint TEXT NOT NULL REFERENCES dictionary (fingerprint),
  latent INTEGER NOT NULL CHECK (latent >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('reading', 'verdict', 'settlement', 'preference', 'undo')),
  verdict TEXT,
  name TEXT NOT NULL DEFAULT '',
  automatic TEXT NOT NULL DEFAULT '',
  confidence INTEGER CHECK (confidence BETWEEN 1 AND 3),
  note TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]',
  blind INTEGER NOT NULL DEFAULT 0 CHECK (blind IN (0, 1)),
  seconds REAL,
  detail TEXT NOT NULL DEFAULT '',
  target TEXT REFERENCES event (uid),
  cosine REAL,
  CHECK (verdict IS NOT 'rename' OR trim(name) <> ''),
  CHECK ((kind = 'undo') <= (target IS NOT NULL)),
  CHECK (CASE kind
    WHEN 'verdict' THEN verdict IS NOT NULL AND verdict IN ('confirm', 'rename', 'reject', 'unsure')
    WHEN 'settlement' THEN verdict IS NOT NULL AND verdict IN ('confirm', 'rename', 'reject')
    WHEN 'preference' THEN verdict IS NOT NULL AND verdict IN ('latent', 'neuron', 'tie')
    ELSE verdict IS NULL END)
) STRICT;
CREATE INDEX event_of_latent ON event (fingerprint, kind, latent, reviewer);
CREATE INDEX event_target ON event (target);
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER event_is_new BEFORE INSERT ON event
  WHEN EXISTS (SELECT 1 FROM event WHERE uid = NEW.uid OR id = NEW.id)
  BEGIN SELECT RAISE(ABORT, 'events are never replaced'); END;
"""

ANSWER = """CASE verdict WHEN 'confirm' THEN 'name:' || lower(trim(automatic))
  WHEN 'rename' THEN 'name:' || lower(trim(name)) WHEN 'reject' THEN 'reject' END"""

VIEWS = f"""
CREATE VIEW live AS
  SELECT *, {ANSWER} AS answer FROM event e WHERE kind <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM event u WHERE u.target = e.uid AND u.kind = 'undo');
CREATE VIEW current_verdict AS
  SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY fingerprint, latent, reviewer ORDER BY id DESC) AS back
    FROM live WHERE kind = 'verdict') WHERE back = 1;
CREATE VIEW ruling AS
  SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY fingerprint, latent ORDER BY id DESC) AS back
    FROM live WHERE kind = 'settlement') s
  WHERE back = 1 AND NOT EXISTS (SELECT 1 FROM current_verdict v WHERE v.fingerprint = s.fingerprint
    AND v.latent = s.latent AND v.id > s.id AND v.answer <> s.answer);
CREATE VIEW tally AS
  SELECT fingerprint, latent, COUNT(*) AS reviewers, COUNT(DISTINCT answer) AS answers,
    MAX(CASE WHEN answer IS NOT NULL THEN id END) AS deciding,
    MIN(CASE WHEN answer IS NOT NULL THEN confidence END) AS sure,
    group_concat(CASE WHEN answer IS NOT NULL THEN reviewer END, ', ') AS who
  FROM current_verdict GROUP BY fingerprint, latent;
CREATE VIEW outcome AS
  SELECT t.fingerprint, t.latent, t.reviewers,
    CASE WHEN r.id IS NULL AND t.answers = 0 THEN 'unsure' WHEN r.id IS NULL AND t.answers > 1 THEN 'disputed'
      WHEN COALESCE(r.verdict, d.verdict) = 'reject' THEN 'rejected' ELSE 'accepted' END AS status,
    CASE COALESCE(r.verdict, d.verdict) WHEN 'confirm' THEN COALESCE(r.automatic, d.automatic)
      WHEN 'rename' THEN COALESCE(r.name, d.name) ELSE '' END AS name,
    COALESCE(r.automatic, d.automatic, '') AS automatic,
    COALESCE(r.verdict, d.verdict) AS verdict,
    COALESCE(r.reviewer, t.who, '') AS who,
    COALESCE(r.at, d.at, '') AS at,
    COALESCE(r.confidence, t.sure) AS confidence,
    r.id IS NOT NULL AS settled,
    COALESCE(r.cosine, d.cosine) AS cosine
  FROM tally t LEFT JOIN event d ON d.id = t.deciding
  LEFT JOIN ruling r ON r.fingerprint = t.fingerprint AND r.latent = t.latent;
"""  # noqa: S608
