// Package dnstest provides a fake DNS for tests and a conformance test for Resolvers.
package dnstest

import (
	"context"
	"errors"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// Zone is a fake Resolver that answers from a fixed set of records.
type Zone struct{}

// Parse reads RFC 1035 zone text, or the JSON form if text begins with "{".
func Parse(text string) (*Zone, error) { return nil, errors.New("not yet") }

// Lookup implements dnsutil.Resolver.
func (z *Zone) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	return dnsutil.Answer{}, errors.New("not yet")
}

// Queries lists what was asked, in order, as "TXT example.com.".
func (z *Zone) Queries() []string { return nil }
