#!/bin/sh
# Any other command of Paylink's, as the service of paylink.service would run it, with its user and its secrets:
#     sudo deploy/command.sh doctor
#     sudo deploy/command.sh import - < invoices.csv
set -eu
credentials=$(for file in /etc/paylink/credentials/*; do
    printf ' -p LoadCredential=%s:%s' "$(basename "$file")" "$file"
done)
# shellcheck disable=SC2086 # the words of $credentials are arguments; settings' names have no blanks
exec systemd-run --quiet --pipe --wait --collect -p User=paylink -p UMask=0077 -p StateDirectory=paylink \
    -p WorkingDirectory=/var/lib/paylink -p Environment=XDG_DATA_HOME=/var/lib -p EnvironmentFile=-/etc/paylink/settings \
    $credentials /opt/paylink/bin/paylink "$@"
