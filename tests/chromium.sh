#!/bin/bash
# Sees to it that the tests have a browser: Debian's Chromium, installed if it is missing and that is allowed.
set -euo pipefail

[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the tests that use a browser ..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-liberation \
        fonts-noto-color-emoji </dev/null >/dev/null
    [ -x /usr/bin/chromium ] && exit 0
fi
echo "The tests need Chromium at /usr/bin/chromium: install it first (on Debian: sudo apt-get install chromium)." >&2
exit 1
