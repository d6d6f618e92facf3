#!/bin/sh
# After the installation or an upgrade of switchyard: Debian calls it with "configure",
# Red Hat with the number of versions that are installed. Nothing is started that was not.
set -e
systemd-sysusers switchyard-server.conf
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl --no-block try-restart switchyard-server.service
fi
