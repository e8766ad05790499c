#!/bin/sh
# Verifies the messages of the first table with libraries of other languages, each where
# it is installed or can be (Debian packages as root; mailauth of Node.js with npm, into a temporary
# directory), and prints what they take as multiples of the limit. What is missing is said loudly
# and left out. Exit status 77: none of them is there.
set -u
cd "$(dirname "$0")"
export GOWORK=off GOFLAGS="${GOFLAGS:-} -buildvcs=false"
here=$PWD/others
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

has_dkimpy() { (cd / && /usr/bin/python3 -c 'import dkim, nacl; dkim.DKIM') 2>/dev/null; }
has_maildkim() { perl -MMail::DKIM::Verifier -e 1 2>/dev/null; }
has_opendkim() { [ -f /usr/include/opendkim/dkim.h ] && command -v cc >/dev/null; }

if ! { has_dkimpy && has_maildkim && has_opendkim; } && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -qq -y --no-install-recommends \
		python3-dkim python3-nacl libmail-dkim-perl libopendkim-dev gcc libc6-dev; } >/dev/null 2>&1
fi
if command -v npm >/dev/null && command -v node >/dev/null; then
	# No script of a package is run.
	(cd "$tmp" && npm install --no-audit --no-fund --no-save --ignore-scripts --silent mailauth) >/dev/null 2>&1
fi

missing() {
	echo "*** NOT MEASURED, as it is not installed: $1" >&2
}
set --
if has_opendkim && cc -O2 -o "$tmp/libopendkim" "$here/libopendkim.c" -lopendkim; then
	set -- "$@" "libopendkim=$tmp/libopendkim"
else
	missing "libopendkim (libopendkim-dev, gcc)"
fi
if [ -d "$tmp/node_modules/mailauth" ]; then
	version=$(node -p "require('$tmp/node_modules/mailauth/package.json').version")
	set -- "$@" "mailauth $version (Node)=env NODE_MODULES=$tmp/node_modules node $here/mailauth.mjs"
else
	missing "mailauth of Node.js (npm)"
fi
if has_maildkim; then
	set -- "$@" "Mail::DKIM=perl $here/maildkim.pl"
else
	missing "Mail::DKIM (libmail-dkim-perl)"
fi
if has_dkimpy; then
	set -- "$@" "dkimpy=/usr/bin/python3 $here/dkimpy.py"
else
	missing "dkimpy (python3-dkim, python3-nacl)"
fi
[ $# -gt 0 ] || exit 77
go build -o "$tmp/peerbench" . && "$tmp/peerbench" -others "$@"
