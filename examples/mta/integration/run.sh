#!/bin/sh
# Installs Postfix, NSD, Unbound and OpenDKIM where that is possible (Debian, as root),
# and runs the programs of examples/mta with them, on loopback and below a directory of
# its own: no file and no service of the system is touched. Exit status 77: it could
# not run.
#
#	run.sh [-only EXPRESSION] [scenarios|figures]
#
# KEEP=1 leaves the directory with all logs.
set -u
cd "$(dirname "$0")/.."
export GOWORK=off GOFLAGS="${GOFLAGS:-} -buildvcs=false"
PATH=$PATH:/usr/sbin:/sbin

packages="postfix nsd unbound opendkim"

missing() {
	for program in postfix postcat nsd unbound opendkim; do
		command -v "$program" >/dev/null || echo "$program"
	done
}

install() {
	export DEBIAN_FRONTEND=noninteractive
	# No package may start its service, nor ask what to configure.
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
	fi
	[ -e /etc/postfix/main.cf ] || echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
	# Somebody else may be installing something, or a mirror not answer just now.
	for try in 1 2 3; do
		# shellcheck disable=SC2086
		apt-get -o DPkg::Lock::Timeout=120 update -qq &&
			apt-get -o DPkg::Lock::Timeout=120 install -qq -y --no-install-recommends $packages && break
		sleep 5
	done
	[ -z "$policy" ] || rm -f "$policy"
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing $packages"
	log=$(install 2>&1)
	[ -z "$(missing)" ] || echo "$log"
fi
reason=$(missing | tr '\n' ' ')
[ -z "$reason" ] || reason="missing $reason"
[ "$(id -u)" = 0 ] || reason="$reason(only root can run Postfix)"
if [ -n "$reason" ]; then
	echo '***********************************************************************'
	echo "MAIL SERVER TEST NOT RUN: $reason"
	echo "Install $packages and run, as root: make mta"
	echo '***********************************************************************'
	exit 77
fi
postconf -d mail_version
unbound -V 2>&1 | head -1
nsd -v 2>&1 | head -1
opendkim -V 2>&1 | head -1

dir=$(mktemp -d) || exit 1
main=
finish() {
	[ -z "$main" ] || kill -9 "$main" 2>/dev/null # so that it starts nothing more
	for group in "$dir"/run/groups/*; do # those that still run
		[ -e "$group" ] && kill -9 "-${group##*/}" 2>/dev/null
	done
	if [ -n "${KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$dir" # Postfix and nobody go through it
mkdir "$dir/bin" "$dir/run"
go build -o "$dir/bin/" ./milter ./smtpd ./report ./integration &&
	(cd ../.. && go build -o "$dir/bin/" ./examples/forwarder) || exit 1
"$dir/bin/integration" -dir "$dir/run" -bin "$dir/bin" "$@" & # a trap does not interrupt what runs in front
main=$!
wait "$main"
status=$?
main=
exit "$status"
