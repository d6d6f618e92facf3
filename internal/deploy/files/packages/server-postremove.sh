#!/bin/sh
# After switchyard was removed. Only a purge (Debian) removes its data: jobs, logs and tokens.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/switchyard
fi
