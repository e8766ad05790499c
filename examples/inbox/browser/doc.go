// Package browser looks at the example inbox with a real browser: Debian's
// chromium, or what $CHROMIUM names. It is a module of its own, and its tests have
// the build tag browser, so that the library's tests need none:
//
//	go test -tags browser .
package browser
