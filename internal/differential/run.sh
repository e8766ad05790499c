#!/bin/sh
# Compares SPF results with two other implementations on generated zones.
# Installs what that needs, where possible (Debian, as root). Exit status 77:
# it could not run; 1: a difference that nothing explains.
# Arguments: the seed and the number of checks, 1 and 5000 if not given.
set -eu
cd "$(dirname "$0")"
packages="python3-spf libmail-spf-perl"

missing() {
	/usr/bin/python3 -c 'import spf' 2>/dev/null || { echo python3-spf; return; }
	perl -MMail::SPF -MJSON::PP -e 1 2>/dev/null || { echo libmail-spf-perl; return; }
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $packages; } >/dev/null 2>&1 || true
fi
if [ -n "$(missing)" ]; then
	echo "DIFFERENTIAL TEST NOT RUN: missing $(missing)"
	echo "Install $packages and run: make differential"
	exit 77
fi
command=$(mktemp)
trap 'rm -f "$command"' EXIT
(cd ../.. && go build -o "$command" ./examples/mailauth)
/usr/bin/python3 compare.py "$command" "${1:-1}" "${2:-5000}"
