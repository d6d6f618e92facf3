#!/bin/sh
# After the installation or an upgrade of switchyard-agent. Agents that run finish their jobs,
# and start again with the new version; this does not wait for them.
set -e
systemd-sysusers switchyard-agent.conf
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl --no-block try-restart switchyard-agent.service 'switchyard-agent@*.service'
fi
