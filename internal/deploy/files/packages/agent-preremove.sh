#!/bin/sh
# Before switchyard-agent is removed, which waits for the jobs that run; not for an upgrade.
set -e
case $1 in
  remove | 0) ;;
  *) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  echo 'switchyard-agent: waiting for the jobs that run'
  systemctl --quiet stop switchyard-agent.service 'switchyard-agent@*.service'
  systemctl --quiet disable switchyard-agent.service switchyard-agent@.service
fi
