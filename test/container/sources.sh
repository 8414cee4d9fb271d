#!/usr/bin/env bash
# Prints this machine's Debian 12 package sources, one a line, as /etc/apt/sources.list has them.
set -euo pipefail

list() {
  # shellcheck disable=SC2016 # apt fills these in.
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | grep -E ' bookworm[a-z-]* ' | sort --unique
}

list || { apt-get -qq update && list; }
