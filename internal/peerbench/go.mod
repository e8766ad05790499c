module github.com/seed2385d973/mailauth/internal/peerbench

go 1.26.0

replace github.com/seed2385d973/mailauth => ../..

require (
	blitiri.com.ar/go/spf v1.6.0
	github.com/emersion/go-msgauth v0.7.0
	github.com/seed2385d973/mailauth v0.0.0-00010101000000-000000000000
)

require (
	github.com/miekg/dns v1.1.73 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
