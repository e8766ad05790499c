// Package browser looks at the example inbox with a real browser: Debian's
// chromium, or what $CHROMIUM names. It is a module of its own, and its tests have
// the build tag browser, so that the library's tests need none:
//
//	go test -tags browser .
//
// run.sh, which make browser calls, installs the browser first where it may.
package browser
