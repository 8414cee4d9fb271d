#!/usr/bin/env bash
# enter.sh ROOT DATA ro|rw UID GID COMMAND...: becomes COMMAND, as a container's process 1 would run.
# To be called in new mount, network and process-id namespaces; what it mounts goes with them.
set -euo pipefail

root=$1 data=$2 mode=$3 uid=$4 gid=$5
shift 5

mount --make-rprivate /
mount --bind "$root" "$root"
if [[ $mode == ro ]]; then mount -o remount,bind,ro "$root"; fi
mount --bind "$data" "$root/data"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --rbind /dev "$root/dev"
if [[ $mode == ro ]] && touch "$root/app/probe" 2>/dev/null; then
  echo 'The root file system could be written.' >&2
  exit 70
fi

# A second address stands for the outside: only a service that listens on all addresses answers there.
ip link set lo up
ip address add 192.0.2.1/32 dev lo

cd "$root"
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid \
  chroot --userspec="$uid:$gid" --groups="$gid" . \
  /usr/bin/env --chdir=/app -- "$@"
