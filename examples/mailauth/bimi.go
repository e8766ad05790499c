package main

import (
	"context"
	"strings"

	"github.com/seed2385d973/mailauth/bimi"
)

func opBIMIRecord(_ context.Context, q *request) (any, error) {
	r, err := bimi.ParseRecord(q.Record)
	if err != nil {
		return record{err: err}, nil
	}
	tags := map[string]any{"v": "BIMI1", "l": r.Location, "a": r.Evidence}
	if r.Prefixes != nil {
		tags["lps"] = strings.Join(r.Prefixes, ",")
	}
	if r.Preference != "" {
		tags["avp"] = string(r.Preference)
	}
	return record{ok: true, canonical: r.String(), tags: tags}, nil
}
