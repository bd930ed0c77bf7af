"""Changes a copy of a server's database in every way it is told to, with Python's own SQLite, and asks the server's
`ledger verify` about each. Prints one JSON object a line: the change, and whether it was detected.

    tamper.py DATABASE PROGRAM KEY FOLDER SHARE

SHARE is how many pairs of columns are tried: 1 for all, 10 for each tenth.
"""

import concurrent.futures
import json
import os
import shutil
import sqlite3
import subprocess
import sys

DATABASE, PROGRAM, KEY, FOLDER, SHARE = sys.argv[1:6]
SHARE = int(SHARE)


def rows(db, text, *given):
    return db.execute(text, given).fetchall()


def tables(db):
    found = rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    return [name for (name,) in found]


def columns(db, table):
    return [(name, kind) for (_, name, kind, *_) in rows(db, f"PRAGMA table_info({table})")]


def other(db, table, column, kind, value):
    """A value that such a column might hold, and that it doesn't hold in this row."""
    if kind.upper() in ("BIGINT", "BOOLEAN", "INTEGER"):
        return 1_700_000_000_000 if value is None else 1 - value if value in (0, 1) else value + 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"x"
    another = rows(db, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND {column} IS NOT ? LIMIT 1", value)
    if another and len(rows(db, f"SELECT DISTINCT {column} FROM {table} LIMIT 40")) < 40:
        return another[0][0]
    if not value:
        return "x"
    # One sign in the middle, of the same kind, so that it still reads as what it was.
    at = len(value) // 2
    for at in list(range(at, len(value))) + list(range(at)):
        sign = value[at]
        for alphabet in ("0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ghijklmnopqrstuvwxyz"):
            if sign in alphabet:
                turned = alphabet[(alphabet.index(sign) + 1) % len(alphabet)]
                return value[:at] + turned + value[at + 1:]
    return value + "x"


def changes(db):
    """Each change: its name, what it is of, and the statements."""
    for table in tables(db):
        cols = columns(db, table)
        count = rows(db, f"SELECT COUNT(*) FROM {table}")[0][0]
        if count:
            row = rows(db, f"SELECT rowid FROM {table} LIMIT 1 OFFSET {count * 2 // 3}")[0][0]
            single = {}
            for column, kind in cols:
                place = row
                value = rows(db, f"SELECT {column} FROM {table} WHERE rowid = ?", place)[0][0]
                if value is None:
                    # A row in which there is something says more.
                    filled = rows(db, f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1")
                    if filled:
                        place, value = filled[0]
                single[column] = (f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = {place}",
                                  (other(db, table, column, kind, value),))
                yield f"{table}.{column}", table, [column], [single[column]]
                if value is not None:
                    yield f"{table}.{column} emptied", table, [column], [
                        (f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = {place}",
                         (0 if isinstance(value, int) and value else "" if value else 1,))]
            names = [column for column, _ in cols]
            for i, first in enumerate(names):
                for second in names[i + 1:]:
                    yield f"{table}.{first}+{second}", table, [first, second], [single[first], single[second]]
            yield f"{table} row gone", table, ["-row"], [(f"DELETE FROM {table} WHERE rowid = {row}", ())]
            yield f"{table} all rows gone", table, ["-row"], [(f"DELETE FROM {table}", ())]
        # A row that was never written: of another's values where there are any.
        kinds = {column: kind for column, kind in cols}
        like = rows(db, f"SELECT {', '.join(kinds)} FROM {table} LIMIT 1")
        keys = [name for (_, name, _, _, _, key) in rows(db, f"PRAGMA table_info({table})") if key]
        values = list(like[0]) if like else [1_700_000_000_000 if kind.upper() == "BIGINT" else "x" for kind in kinds.values()]
        for place, column in enumerate(kinds):
            unique = column in keys or column in ("digest", "credential", "public_key", "email", "staff_number", "key")
            if unique:
                old = values[place]
                values[place] = old + 7_000_000 if isinstance(old, int) else f"{old}f" if old else old
        marks = ", ".join("?" * len(values))
        yield f"{table} row added", table, ["+row"], [
            (f"INSERT OR REPLACE INTO {table} ({', '.join(kinds)}) VALUES ({marks})", values)]
        # What stands between statements and the table.
        listed = ", ".join(kinds)
        yield f"{table} behind a view", table, ["schema"], [
            (f"ALTER TABLE {table} RENAME TO {table}_hidden", ()),
            (f"CREATE VIEW {table} AS SELECT {listed} FROM {table}_hidden", ())]
        for event in ("INSERT", "UPDATE", "DELETE"):
            yield f"{table} trigger on {event}", table, ["schema"], [
                (f"CREATE TRIGGER harm_{table} AFTER {event} ON {table} BEGIN SELECT 1; END", ())]
        yield f"{table} with a column more", table, ["schema"], [(f"ALTER TABLE {table} ADD COLUMN more TEXT", ())]
        yield f"{table} gone", table, ["schema"], [(f"DROP TABLE {table}", ())]
        for (index,) in rows(db, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
                             table):
            yield f"index {index} gone", table, ["schema"], [(f"DROP INDEX {index}", ())]
    yield "a table more", "-", ["schema"], [("CREATE TABLE more (x TEXT)", ())]
    yield "an index more", "-", ["schema"], [("CREATE INDEX more ON person (created_at)", ())]


def tried(number, change):
    name, table, what, statements = change
    file = os.path.join(FOLDER, f"tampered-{number}.db")
    shutil.copy(DATABASE, file)
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    before = db.total_changes
    try:
        for text, given in statements:
            db.execute(text, given)
    except sqlite3.Error as error:
        db.close()
        os.remove(file)
        return {"name": name, "table": table, "what": what, "error": str(error)}
    changed = db.total_changes > before or what == ["schema"]
    db.close()
    said = subprocess.run([PROGRAM, "ledger", "verify", file, "--key", KEY], capture_output=True, text=True, timeout=300)
    os.remove(file)
    return {"name": name, "table": table, "what": what, "changed": changed, "status": said.returncode,
            "said": (said.stdout + said.stderr).strip()[-300:]}


def chosen(all_changes):
    pairs = 0
    for change in all_changes:
        if len(change[2]) == 2:
            pairs += 1
            if pairs % SHARE:
                continue
        yield change


def main():
    db = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    todo = list(chosen(changes(db)))
    db.close()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for came in pool.map(tried, range(len(todo)), todo):
            print(json.dumps(came), flush=True)


main()
