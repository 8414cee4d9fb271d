#!/usr/bin/env bash
# Builds the Dockerfile with buildah on a stand-in for its base image and runs the result; README.md says what that shows.
# For a Debian machine as root. IMAGEGATE_CONTAINER_CACHE names the folder that keeps the base image between runs.
set -euo pipefail

packages=(buildah debootstrap ca-certificates curl iproute2 util-linux fdisk e2fsprogs)
base=docker.io/library/node:24-bookworm-slim
image=localhost/imagegate:test
cache=${IMAGEGATE_CONTAINER_CACHE:-${TMPDIR:-/tmp}/imagegate-container}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
work=$(mktemp --directory)
driver=overlay
service=
extra=()

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
fail() {
  say "FAILED: $*"
  if [[ -n $service ]]; then tail -n 40 "$work/out" "$work/err"; fi
  exit 1
}
check() { if [[ $2 == "$3" ]]; then say "ok: $1: $2"; else fail "$1: $2, not $3"; fi; }

# A storage of its own: nothing that the machine has in its is seen or touched.
b() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver "$driver" "$@"; }

cleanup() {
  local status=$?
  trap - EXIT
  if [[ -n $service ]]; then kill -KILL "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; fi
  if [[ -d $work/storage ]]; then
    b rm --all >/dev/null 2>&1 || true
    b rmi --all --force >/dev/null 2>&1 || true
    umount "$work/storage/$driver" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

install_packages() {
  local package missing=()
  for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
}

# The base image's tree, made once; a cache that is not this user's own is not trusted.
make_base() {
  local tar=$cache/base-1.tar container
  mkdir --parents --mode=0700 "$cache"
  [[ -O $cache && ! -L $cache ]] || fail "$cache belongs to somebody else"
  if [[ ! -f $tar ]]; then
    "$here/base.sh" "$work/base.tar"
    mv "$work/base.tar" "$tar"
  fi
  container=$(b from scratch)
  b add --quiet "$container" "$tar" / >/dev/null
  b config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd '["node"]' "$container"
  b commit --quiet --rm --format docker "$container" "$base" >/dev/null
}

# What this machine needs to reach its registries. It is mounted while building, over folders that the base image has.
machine_settings() {
  local key value
  mkdir "$work/npm" "$work/apt"
  cp "$(readlink --canonicalize "$(npm config get cafile 2>/dev/null | grep ^/ || echo /etc/ssl/certs/ca-certificates.crt)")" \
    "$work/npm/ca.pem"
  {
    echo 'cafile=/usr/local/etc/ca.pem'
    for key in registry proxy https-proxy noproxy; do
      value=$(npm config get "$key" 2>/dev/null)
      if [[ -n $value && $value != null ]]; then echo "$key=$value"; fi
    done
  } >"$work/npm/npmrc"
  apt-config dump | grep -E '^Acquire::(Check-|Retries|http|https)' >"$work/apt/machine" || true
}

build_image() {
  b bud --isolation chroot --pull-never --format docker \
    --volume "$work/npm:/usr/local/etc:ro" --volume "$work/apt:/etc/apt/apt.conf.d:ro" \
    --file "$repository/Dockerfile" --tag "$image" "$repository" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; fail 'the build'; }
}

# A value of the image's configuration: text as it is, a list with one NUL-terminated word after the other.
configured() {
  node --eval '
    const value = process.argv[2].split(".").reduce((node, key) => node?.[key], JSON.parse(process.argv[1]))
    process.stdout.write(Array.isArray(value) ? value.map((word) => `${word}\0`).join("") : typeof value === "object" ? Object.keys(value).join() : `${value ?? ""}`)
  ' "$config" "$1"
}

# start ro|rw [NAME=VALUE...]: runs the entry point as process 1 of its own namespaces; its process id becomes $main.
start() {
  local mode=$1
  extra=("${@:2}")
  env --ignore-environment "${environment[@]}" "${extra[@]}" \
    unshare --mount --net --pid --fork --kill-child \
    "$here/enter.sh" "$root" "$work/data" "$mode" "${user%:*}" "${user#*:}" "${entrypoint[@]}" "${command[@]}" >"$work/out" 2>"$work/err" &
  service=$!
  main=
  for _ in {1..50}; do
    read -r main <"/proc/$service/task/$service/children" 2>/dev/null || true
    if [[ -n $main ]]; then return; fi
    sleep 0.1
  done
  fail 'nothing was started'
}

# Runs a command of the image beside the service, as the image's user.
beside() {
  env --ignore-environment "${environment[@]}" "${extra[@]}" \
    nsenter --target "$main" --mount --net --pid --root --wd --setuid "${user%:*}" --setgid "${user#*:}" -- "$@"
}

# Runs a program of this machine in the service's network.
from_its_network() { nsenter --target "$main" --net -- "$@"; }

wait_until_healthy() {
  for _ in {1..60}; do
    if beside "${health[@]}" 2>/dev/null; then return; fi
    kill -0 "$service" 2>/dev/null || fail 'the service ended'
    sleep 0.5
  done
  fail 'the service did not become ready'
}

stop() {
  local status=0
  kill -TERM "$main"
  wait "$service" || status=$?
  service=
  check 'exit code after SIGTERM' "$status" 0
}

outcome() { node --print 'JSON.parse(require("node:fs").readFileSync(0)).outcome'; }

exercise_read_only() {
  start ro
  wait_until_healthy
  say 'ok: the HEALTHCHECK command says healthy'
  check 'user and groups' "$(awk '/^(Uid|Gid|Groups):/ { $1 = ""; print }' "/proc/$main/status" | xargs)" \
    '10001 10001 10001 10001 10001 10001 10001 10001 10001'
  check 'capabilities' "$(awk '/^Cap(Eff|Prm|Inh|Amb):/ { print $2 }' "/proc/$main/status" | sort -u)" 0000000000000000
  check 'status of the posted example' "$(from_its_network curl -sS -H 'Content-Type: application/json' \
    --data-binary "@$repository/examples/linux/ready.json" -o "$work/verdict" -D "$work/headers" -w '%{http_code}' \
    http://127.0.0.1:8080/v1/evaluations)" 201
  check 'its outcome' "$(outcome <"$work/verdict")" ready
  location=$(sed -nE 's/^location: ([^\r]*)\r?$/\1/ip' "$work/headers")
  for page in /docs/ /docs/static/swagger-ui-bundle.js /openapi.json /v1/policies /metrics; do
    check "GET $page" "$(from_its_network curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:8080$page")" 200
  done
  # Enough statements and garbage for several collections, with pauses in which V8 collects on its own.
  for _ in {1..5}; do
    check 'lists of verdicts that were answered' "$(from_its_network curl -sS -o /dev/null -w '%{http_code}\n' \
      'http://127.0.0.1:8080/v1/verdicts?limit=[1-200]' | grep -c '^200$' || true)" 200
    sleep 0.5
  done
  check 'answer from outside the loopback' "$(from_its_network curl -s --max-time 5 -o /dev/null -w '%{http_code}' \
    http://192.0.2.1:8080/health/live || true)" 000
  if beside env IMAGEGATE_PORT=8081 "${health[@]}"; then fail 'the HEALTHCHECK command is content without a service'; fi
  say 'ok: the HEALTHCHECK command notices a service that does not answer'
  stop
}

exercise_writable() {
  IMAGEGATE_API_KEY=$(run_once keys create --role admin --name test)
  export IMAGEGATE_API_KEY
  touch "$work/before"
  sleep 0.1
  start rw IMAGEGATE_HOST=0.0.0.0 IMAGEGATE_AUTHENTICATION=required
  wait_until_healthy
  check 'without a key, from outside the loopback' "$(from_its_network curl -sS -o /dev/null \
    -w '%{http_code}' "http://192.0.2.1:8080$location")" 401
  check 'earlier verdict after a restart, from outside the loopback' "$(from_its_network curl -sS -o "$work/again" \
    -H "Authorization: Bearer $IMAGEGATE_API_KEY" -w '%{http_code}' "http://192.0.2.1:8080$location")" 200
  cmp "$work/verdict" "$work/again" || fail 'the verdict differs after a restart'
  printed=$(sed -n 's/^  \(curl .*\)$/\1/p' "$work/err")
  say "the printed command: $printed"
  check 'outcome of the printed command' "$(cd "$repository" && from_its_network bash -c "$printed" | outcome)" ready
  stop
  check 'files written outside /data' "$(find "$root" -xdev -newer "$work/before" -printf '%P\n')" ''
  touch "$root/app/package.json"
  check 'what that search sees when there is something' "$(find "$root" -xdev -newer "$work/before" -printf '%P\n')" app/package.json
  check 'owner of what is in /data' "$(find "$work/data" -printf '%U:%G\n' | sort -u)" 10001:10001
}

exercise_refusal() {
  local status=0
  # It ends before anybody could look at it.
  run_once_with IMAGEGATE_HOST=0.0.0.0 -- "${command[@]}" >"$work/out" 2>"$work/err" || status=$?
  check 'exit code when a remote address is asked for without leave' "$status" 3
}

# run_once_with [NAME=VALUE...] -- ARGUMENT...: the entry point with arguments of its own, as
# `docker run --env NAME=VALUE imagegate ARGUMENT...` would.
run_once_with() {
  local settings=()
  while [[ $1 != -- ]]; do
    settings+=("$1")
    shift
  done
  shift
  env --ignore-environment "${environment[@]}" "${settings[@]}" unshare --mount --net --pid --fork --kill-child \
    "$here/enter.sh" "$root" "$work/data" ro "${user%:*}" "${user#*:}" "${entrypoint[@]}" "$@" </dev/null
}

run_once() { run_once_with -- "$@"; }

# A disk with one ext4 partition that holds nothing but the name of its system.
make_disk() {
  local disk=$1
  mkdir --parents "$work/tree/etc"
  printf 'ID=debian\nVERSION_ID="10"\nNAME="Debian GNU/Linux"\n' >"$work/tree/etc/os-release"
  truncate --size=64M "$disk"
  echo '2048,,L,*' | sfdisk --quiet "$disk"
  mke2fs -q -t ext4 -E offset=1048576 -d "$work/tree" "$disk" 64512 2>/dev/null
}

exercise_check() {
  local status=0 missing
  missing=$(run_once doctor --format json | node --print '
    JSON.parse(require("node:fs").readFileSync(0)).tools.filter(({ path }) => !path).map(({ name }) => name).join()')
  check "the collector's programs that are missing" "$missing" ''
  make_disk "$work/data/disk.raw"
  chmod 0444 "$work/data/disk.raw"
  run_once check --format json /data/disk.raw >"$work/checked" 2>"$work/err" || status=$?
  # Such a disk lacks nearly everything that a system has, so it is not ready.
  check 'exit code of check on a disk' "$status" 1
  check 'the system that it found' "$(node --print '
    const { osId, osVersion } = JSON.parse(require("node:fs").readFileSync(0)).subject; `${osId} ${osVersion}`' <"$work/checked")" 'debian 10'
  check 'what it left in /data' "$(find "$work/data" -maxdepth 1 -name 'imagegate-*' | wc -l)" 0
  rm -f "$work/data/disk.raw"
}

# Sizes in MB of 10^6 bytes.
megabytes() {
  local path
  for path; do du --summarize --apparent-size --block-size=1 "$path"; done |
    sort --numeric-sort --reverse | awk '{ printf "%7.1f MB  %s\n", $1 / 1e6, $2 }'
}

print_sizes() {
  b images --format '{{.Name}} {{.Size}}'
  (
    cd "$root"
    megabytes . usr/local/{bin/node,lib/node_modules,include} app app/*
    megabytes app/node_modules/* | sed -n '1,8p'
  )
}

[[ $(id -u) == 0 ]] || fail 'this needs root'
install_packages
b from scratch >/dev/null 2>&1 || driver=vfs
say 'base image'
make_base
machine_settings
say 'build'
build_image
say 'built'

config=$(b inspect --type image "$image" | node --print 'JSON.stringify(JSON.parse(require("node:fs").readFileSync(0)).Docker.config)')
user=$(configured User)
mapfile -d '' environment < <(configured Env)
mapfile -d '' entrypoint < <(configured Entrypoint)
mapfile -d '' command < <(configured Cmd)
mapfile -d '' health < <(configured Healthcheck.Test)
check 'user' "$user" 10001:10001
check 'volume' "$(configured Volumes)" /data
check 'port' "$(configured ExposedPorts)" 8080/tcp
check 'stop signal' "$(configured StopSignal)" SIGTERM
check 'form of HEALTHCHECK' "${health[0]}" CMD
health=("${health[@]:1}")

container=$(b from --pull-never "$image")
check 'user of buildah run' "$(b run --isolation chroot "$container" -- node --print 'process.getuid()')" 10001
check 'version' "$(b run --isolation chroot "$container" -- "${entrypoint[@]}" --version)" \
  "$(node --print 'require(process.argv[1]).version' "$repository/package.json")"
root=$(b mount "$container")
cp --archive "$root/data" "$work/data"

exercise_read_only
exercise_writable
exercise_refusal
exercise_check
print_sizes
say 'all of it held'
