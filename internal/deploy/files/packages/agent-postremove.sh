#!/bin/sh
# After switchyard-agent was removed. Only a purge (Debian) removes its data: results and logs
# that were not delivered, and the builds.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/switchyard-agent /var/lib/switchyard-agent-*
fi
