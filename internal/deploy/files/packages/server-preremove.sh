#!/bin/sh
# Before switchyard is removed; not for an upgrade.
set -e
case $1 in
  remove | 0) ;;
  *) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl --quiet disable --now switchyard-server.service
fi
