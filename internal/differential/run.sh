#!/bin/sh
# Compares our results with those of other implementations on generated inputs.
# Installs what that needs, where possible (Debian, as root). Exit status 77:
# it could not run; 1: a difference that nothing explains.
# Arguments: spf, dkim, authres or all; the seed and the number of checks, 1 and
# 5000 if not given.
set -eu
cd "$(dirname "$0")"
export GOWORK=off PYTHONDONTWRITEBYTECODE=1
packages="python3-spf libmail-spf-perl python3-dkim python3-nacl python3-authres libmail-dkim-perl libmail-authenticationresults-perl"

missing() {
	for module in spf dkim nacl authres; do
		/usr/bin/python3 -c "import $module" 2>/dev/null || { echo "python3-$module"; return; }
	done
	perl -MMail::SPF -MJSON::PP -e 1 2>/dev/null || { echo libmail-spf-perl; return; }
	perl -MMail::DKIM -e 1 2>/dev/null || { echo libmail-dkim-perl; return; }
	perl -MMail::AuthenticationResults -e 1 2>/dev/null || { echo libmail-authenticationresults-perl; return; }
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	{ apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -qq -y --no-install-recommends $packages; } >/dev/null 2>&1 || true
fi
if [ -n "$(missing)" ]; then
	echo "DIFFERENTIAL TEST NOT RUN: missing $(missing)"
	echo "Install $packages and run: make differential"
	exit 77
fi
what=${1:-all} seed=${2:-1} number=${3:-5000}
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd ../.. && go build -buildvcs=false -o "$bin/mailauth" ./examples/mailauth)
(cd ../interop && go build -buildvcs=false -o "$bin/msgauth" ./msgauth)
status=0
case $what in spf | all) /usr/bin/python3 comparespf.py "$bin/mailauth" "$seed" "$number" || status=1 ;; esac
case $what in dkim | all) /usr/bin/python3 comparedkim.py "$bin/mailauth" "$bin/msgauth" "$seed" "$number" || status=1 ;; esac
case $what in authres | all) /usr/bin/python3 compareauthres.py "$bin/mailauth" "$seed" "$number" || status=1 ;; esac
exit $status
