#!/bin/sh
# Installs Debian's chromium where that is possible (as root), and looks at the
# example inbox with it. $CHROMIUM names another browser. Exit status 77: it could
# not run.
set -u
cd "$(dirname "$0")"
export GOWORK=off GOFLAGS="${GOFLAGS:-} -buildvcs=false"

browser=${CHROMIUM:-chromium}

if ! command -v "$browser" >/dev/null && [ "$browser" = chromium ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1
fi
if ! "$browser" --version 2>/dev/null; then
	echo '***********************************************************************'
	echo "BROWSER NOT RUN: $browser is missing or does not start"
	echo "Install Debian's chromium and run: make browser"
	echo '***********************************************************************'
	exit 77
fi
go test -count 1 -timeout 150s -tags browser .
