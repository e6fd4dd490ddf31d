"""The tables of a project, and whether a file has them."""

import sqlite3

from tagger.annotation.store.database import Database
from tagger.errors import DataError

APPLICATION, VERSION = 0x7A66E201, 1  # marks the file as a project, of this version
TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT, text TEXT NOT NULL, record TEXT);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, tokens TEXT NOT NULL, offsets TEXT NOT NULL,
    meta TEXT NOT NULL, draw INTEGER NOT NULL
);
CREATE TABLE judgements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text INTEGER NOT NULL REFERENCES texts, kind TEXT NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, type TEXT, seconds REAL NOT NULL, person TEXT NOT NULL,
    time REAL NOT NULL
);
CREATE TABLE trainings (id INTEGER PRIMARY KEY AUTOINCREMENT, judgements INTEGER NOT NULL, seconds REAL, facts TEXT);
CREATE TABLE predictions (text INTEGER PRIMARY KEY REFERENCES texts, gain REAL NOT NULL, spans TEXT NOT NULL);
CREATE TABLE gold (id INTEGER PRIMARY KEY, sentence TEXT NOT NULL);
CREATE INDEX texts_by_draw ON texts (draw);
CREATE INDEX judgements_by_text ON judgements (text);
"""
FAULTS = """
SELECT 'text ' || texts.id FROM texts LEFT JOIN documents ON documents.id = texts.document
WHERE documents.id IS NULL OR json_array_length(tokens) = 0
   OR json_array_length(tokens) != json_array_length(offsets)
UNION ALL
SELECT 'judgement ' || judgements.id FROM judgements LEFT JOIN texts ON texts.id = judgements.text
WHERE texts.id IS NULL OR kind NOT IN ('tokens', 'rest', 'skip')
   OR NOT (0 <= start AND start <= stop AND stop <= json_array_length(tokens))
LIMIT 1
"""  # rows that only another program, or a damaged disk, can have written


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, and mark the file as a project, within a transaction."""
    for statement in TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check_tables(database: Database) -> None:
    """Raise DataError if a file is no project, one of another version, or damaged."""
    application, version = (database.first(f"PRAGMA {name}")[0] for name in ("application_id", "user_version"))
    if (application, version) != (APPLICATION, VERSION):
        other = f"one of version {version}; upgrade tagger" if application == APPLICATION else "another database"
        raise DataError(f"{database.path}: expected a project of tagger annotate of version {VERSION}, got {other}")
    if database.first("PRAGMA quick_check(1)")[0] != "ok":
        raise database.damaged("damaged pages")
    if row := database.first(FAULTS):
        raise database.damaged(f"an invalid {row[0]}")
