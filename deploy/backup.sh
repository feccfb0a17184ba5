#!/bin/bash
# Backs up Paylink's database while Paylink runs, and brings one back while it doesn't.
#
#     deploy/backup.sh save DIRECTORY     writes DIRECTORY/paylink-TIME.dump (PostgreSQL) or .sqlite3, and prints its name
#     deploy/backup.sh restore FILE       puts FILE in place of what the database holds now
#
# The database is the one that Paylink's settings name: DATABASE_URL, or the file of it in CREDENTIALS_DIRECTORY, else the
# SQLite file in the data directory. PostgreSQL needs its own pg_dump and pg_restore, not older than the server; SQLite a Python
# (PYTHON, by default Paylink's own or python3). PAYLINK_SECRET_KEYS isn't in a backup: keep it somewhere else.
set -euo pipefail
umask 077

usage() {
    sed -n '2,9s/^#//p' "$0" >&2
    exit 2
}

[ $# -eq 2 ] || usage
python=${PYTHON:-$([ -x /opt/paylink/bin/python ] && echo /opt/paylink/bin/python || echo python3)}
url=${DATABASE_URL:-}
if [ -z "$url" ] && [ -r "${CREDENTIALS_DIRECTORY:-/nowhere}/DATABASE_URL" ]; then
    url=$(cat "$CREDENTIALS_DIRECTORY/DATABASE_URL")
fi
url=${url:-sqlite:///${XDG_DATA_HOME:-$HOME/.local/share}/paylink/paylink.sqlite3}

# What PostgreSQL's own programs read, so that no password stands among a command's arguments.
name_server() {
    eval "$(DATABASE_URL=$url "$python" - <<'PYTHON'
import os, shlex
from urllib.parse import parse_qsl, unquote, urlsplit

parts = urlsplit(os.environ["DATABASE_URL"])
query = dict(parse_qsl(parts.query))
said = {
    "PGHOST": query.get("host") or unquote(parts.hostname or ""),
    "PGPORT": query.get("port") or parts.port or "",
    "PGUSER": unquote(parts.username or ""),
    "PGPASSWORD": unquote(parts.password or ""),
    "PGDATABASE": unquote(parts.path.lstrip("/")),
    "PGSSLMODE": query.get("sslmode") or "",
    "PGSSLROOTCERT": query.get("sslrootcert") or "",
}
print("".join(f"export {name}={shlex.quote(str(value))}\n" for name, value in said.items() if value))
PYTHON
)"
}

save() {
    mkdir -p "$1"
    file=$1/paylink-$(date -u +%Y%m%dT%H%M%SZ)
    case $url in
    sqlite*)
        file=$file.sqlite3
        # A copy as of one moment, taken while others write, and looked through before it gets its name.
        "$python" - "${url#*:///}" "$file.part" <<'PYTHON'
import sqlite3, sys

source, copy = sys.argv[1:]
with sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=60) as database:
    database.execute("VACUUM INTO ?", (copy,))
(found,) = sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone()
sys.exit(0 if found == "ok" else f"the copy is damaged: {found}")
PYTHON
        ;;
    *)
        file=$file.dump
        name_server
        pg_dump --format=custom --no-owner --no-privileges --file="$file.part"
        pg_restore --list "$file.part" >/dev/null
        ;;
    esac
    mv "$file.part" "$file"
    echo "$file"
}

restore() {
    [ -r "$1" ] || { echo "$1 can't be read." >&2; exit 2; }
    case $url in
    sqlite*)
        "$python" - "$1" "${url#*:///}" <<'PYTHON'
import sqlite3, sys

copy, target = sys.argv[1:]
# Page by page into the file that is there, under SQLite's own locks: a log beside it can't be mistaken for the copy's.
with sqlite3.connect(f"file:{copy}?mode=ro", uri=True) as source, sqlite3.connect(target, timeout=10) as database:
    source.backup(database)
PYTHON
        ;;
    *)
        name_server
        # All or nothing; what the copy doesn't have, a table of a later version perhaps, goes with the schema.
        {
            echo 'SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public;'
            pg_restore --no-owner --no-privileges --schema=public --file=- "$1"
        } | psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --single-transaction --output=/dev/null
        ;;
    esac
    echo "Restored. Start Paylink: it finds the links and payments that were made since."
}

case $1 in
save) save "$2" ;;
restore) restore "$2" ;;
*) usage ;;
esac
