#!/bin/bash
# Checks the files beside this one and the pins, with whichever of the tools are here: `make checks`. Whatever couldn't be
# checked is said; only what is wrong makes it fail.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
wrong=0

check() {  # a name, the program that it needs, and the command
    local name=$1 program=$2
    shift 2
    if ! command -v "$program" >/dev/null; then
        echo "not checked: $name ($program isn't here)"
    elif said=$("$@" 2>&1); then
        echo "well: $name"
    else
        printf 'WRONG: %s\n%s\n' "$name" "$said"
        wrong=1
    fi
}

verify_unit() {
    # The program needn't be installed here: the unit is looked at with another in its place.
    local unit
    unit=$(mktemp -d)/paylink.service
    sed 's|^ExecStart=.*|ExecStart=/bin/true|' deploy/paylink.service >"$unit"
    # A key that it doesn't know it passes over with a word and without a status.
    if said=$(systemd-analyze verify --man=no "$unit" 2>&1) && [ -z "$said" ]; then :; else
        echo "$said"
        return 1
    fi
    # Its exposure, of which 10.0 is all and 0.0 nothing, may be 2.0 at most.
    systemd-analyze security --offline=true --threshold=20 "$unit"
}

check_dashboard() {
    # Its questions as rules, so that promtool reads them.
    local rules
    rules=$(mktemp -d)/rules.json
    python3 - >"$rules" <<'PYTHON'
import json

board = json.load(open("deploy/grafana.json"))
asked = [target["expr"].replace("$job", ".*") for panel in board["panels"] for target in panel["targets"]]
rules = [{"record": f"asked:{number}", "expr": one} for number, one in enumerate(asked)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
    promtool check rules "$rules"
}

check "Dockerfile" hadolint hadolint Dockerfile
check "compose.yaml" docker-compose env PUBLIC_HOST=pay.example docker-compose -f deploy/compose.yaml config --quiet
check "Caddyfile" caddy env PUBLIC_HOST=pay.example caddy validate --adapter caddyfile --config deploy/Caddyfile
check "paylink.service" systemd-analyze verify_unit
check "prometheus-rules.yaml" promtool promtool check rules deploy/prometheus-rules.yaml
check "prometheus-rules.test.yaml" promtool promtool test rules deploy/prometheus-rules.test.yaml
check "grafana.json" promtool check_dashboard
check "scripts" bash bash -n deploy/backup.sh deploy/command.sh deploy/check.sh
check "scripts, by shellcheck" shellcheck shellcheck --severity=warning deploy/backup.sh deploy/command.sh deploy/check.sh

# Known weaknesses of the pins. Where the service that knows them can't be asked, nothing is found, and that is said.
if ! command -v pip-audit >/dev/null; then
    echo "not checked: the pins (pip-audit isn't here)"
else
    found=$(timeout 120 pip-audit --disable-pip --require-hashes -f json -r requirements/runtime.txt 2>/dev/null)
    python3 - "$found" <<'PYTHON' || wrong=1
import json, sys

try:
    pins = json.loads(sys.argv[1])["dependencies"]
except ValueError:
    pins = []
asked = [pin for pin in pins if "skip_reason" not in pin]
weak = [f"{pin['name']} {pin['version']}: {one['id']}" for pin in asked for one in pin["vulns"]]
if weak:
    print("WRONG: the pins", *weak, sep="\n")
elif asked and len(asked) == len(pins):
    print("well: the pins have no known weakness")
else:
    print(f"not checked: {len(pins) - len(asked) or 'all'} of the pins (the service that knows of weaknesses doesn't answer)")
sys.exit(bool(weak))
PYTHON
fi
exit "$wrong"
