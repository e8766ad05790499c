package main

import (
	"bytes"
	"context"
	"errors"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/failure"
)

var errNoFile = errors.New("file_b64 is missing")

func opAggregateReport(_ context.Context, q *request) (any, error) {
	if q.File == nil {
		return nil, errNoFile
	}
	var p aggregate.Parser
	r, err := p.Read(bytes.NewReader(q.File))
	if err != nil {
		return nil, err
	}
	return r, nil
}

func opFailureReport(_ context.Context, q *request) (any, error) {
	if q.File == nil {
		return nil, errNoFile
	}
	var p failure.Parser
	r, err := p.Read(bytes.NewReader(q.File))
	if err != nil {
		return nil, err
	}
	return r, nil
}
