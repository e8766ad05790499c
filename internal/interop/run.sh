#!/bin/sh
# Installs what the interoperability check needs, where that is possible (Debian,
# as root), and runs it. Exit status 77: it could not run.
set -u
cd "$(dirname "$0")"
export GOWORK=off GOFLAGS="${GOFLAGS:-} -buildvcs=false"

packages="python3-dkim python3-nacl python3-authres libmail-dkim-perl libmail-dmarc-perl libopendkim-dev gcc libc6-dev"

missing() {
	/usr/bin/python3 -c 'import dkim, nacl, authres' 2>/dev/null || { echo "python3-dkim, python3-nacl, python3-authres"; return; }
	perl -MMail::DKIM -MJSON::PP -e 1 2>/dev/null || { echo "libmail-dkim-perl"; return; }
	perl -MMail::DMARC::Report::Receive -MEmail::Simple -e 1 2>/dev/null || { echo "libmail-dmarc-perl"; return; }
	[ -f /usr/include/opendkim/dkim.h ] && command -v cc >/dev/null || { echo "libopendkim-dev, gcc"; return; }
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	{ apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -qq -y --no-install-recommends $packages; } >/dev/null 2>&1
fi
if [ -n "$(missing)" ]; then
	echo '***********************************************************************'
	echo "INTEROPERABILITY NOT RUN: missing $(missing)"
	echo "Install $packages and run: make interop"
	echo '***********************************************************************'
	exit 77
fi
go run .
