package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The demonstration is what README.md says.
func TestDemonstration(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), nil, strings.NewReader(""), &out))
	require.Contains(t, out.String(), "trusting []: dmarc=fail, arc=pass, quarantine\n")
	require.Contains(t, out.String(), "trusting [lists.example]: dmarc=fail, arc=pass, accept\n"+
		"  to be reported as local_policy: arc=pass as[1].d=lists.example as[1].s=demo remote-ip[1]=192.0.2.53\n")
}
