#!/usr/bin/env bash
# base.sh FILE: writes a stand-in for docker.io/library/node:24-bookworm-slim as a tar file of its root file system.
# Debian's packages and npm's come from wherever this machine's own configuration says.
set -euo pipefail

file=$1
node_major=24
npm_major=11
suite=bookworm

work=$(mktemp --directory)
trap 'rm -rf --one-file-system "$work"' EXIT
tree=$work/tree

mirror=$("${BASH_SOURCE%/*}/sources.sh" | awk -v suite="$suite" '$3 == suite && !found++ { print $2 }')
debootstrap --variant=minbase "$suite" "$tree" "$mirror" >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }

# What the slim images of Debian leave out.
rm -rf "$tree"/usr/share/{doc,info,locale,man,groff,linda,lintian}/* \
  "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/var/log/*
"${BASH_SOURCE%/*}/sources.sh" >"$tree/etc/apt/sources.list"

# node with its headers, and npm, where the official image has them.
package=node-linux-$(node --print process.arch)
(
  cd "$work"
  npm install --silent --no-save --no-package-lock --prefix "$work" "$package@$node_major"
  npm install --silent --global --prefix "$tree/usr/local" "npm@$npm_major"
)
cp -a "$work/node_modules/$package"/{bin,include} "$tree/usr/local/"
chown -R 0:0 "$tree/usr/local"

tar --create --file "$file" --directory "$tree" --numeric-owner --one-file-system .
